/** Contract timestamps for the fast path: the same as parseTimestamp, from bytes. */
import { isDigit } from "./fast_scan_tokens.ts";

const MONTH_DAYS = Uint8Array.of(0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31);

let tokenEnd = -1;
let lastDate = -1;
let lastDay = 0;

/** Where the token read last ended, its closing quote included; -1 where it was none. */
export function timestampEnd(): number {
  return tokenEnd;
}

/** Two digits as a number; NaN for anything else. */
function twoAt(bytes: Uint8Array, at: number): number {
  return isDigit(bytes[at]) && isDigit(bytes[at + 1])
    ? (bytes[at]! - 0x30) * 10 + bytes[at + 1]! - 0x30
    : NaN;
}

/** Days since the epoch of a date from 1999 on, or -1 where there is no such day. */
function dayOf(year: number, month: number, day: number): number {
  const date = year * 10_000 + month * 100 + day;
  if (date === lastDate) return lastDay;
  if (!(year >= 1999 && month >= 1 && month <= 12 && day >= 1)) return -1;
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  if (day > MONTH_DAYS[month]! + (leap ? 1 : 0)) return -1;
  lastDate = date;
  lastDay = Date.UTC(year, month - 1, day) / 86_400_000;
  return lastDay;
}

/** µs since the epoch of the timestamp after the opening quote at `at`; see {@linkcode timestampEnd}. */
export function timestampAt(bytes: Uint8Array, at: number): number {
  tokenEnd = -1;
  if (
    bytes[at + 4] !== 0x2d || bytes[at + 7] !== 0x2d || bytes[at + 10] !== 0x54 ||
    bytes[at + 13] !== 0x3a || bytes[at + 16] !== 0x3a
  ) return 0;
  const year = twoAt(bytes, at) * 100 + twoAt(bytes, at + 2);
  const day = dayOf(year, twoAt(bytes, at + 5), twoAt(bytes, at + 8));
  const hour = twoAt(bytes, at + 11),
    minute = twoAt(bytes, at + 14),
    second = twoAt(bytes, at + 17);
  if (day < 0 || !(hour <= 23 && minute <= 59 && second <= 59)) return 0;
  at += 19;
  let micros = 0;
  if (bytes[at] === 0x2e) {
    const start = ++at;
    let weight = 100_000;
    for (; isDigit(bytes[at]); at++) {
      if (weight >= 1) micros += (bytes[at]! - 0x30) * weight; // digits beyond µs are floored away
      weight /= 10;
    }
    if (at === start || at - start > 9) return 0;
  }
  let offsetMinutes = 0;
  if (bytes[at] === 0x5a) at++;
  else if (bytes[at] === 0x2b || bytes[at] === 0x2d) {
    const hours = twoAt(bytes, at + 1), minutes = twoAt(bytes, at + 4);
    if (bytes[at + 3] !== 0x3a || !(hours <= 23 && minutes <= 59)) return 0;
    offsetMinutes = (bytes[at] === 0x2d ? -1 : 1) * (hours * 60 + minutes);
    at += 6;
  } else return 0;
  if (bytes[at] !== 0x22) return 0;
  tokenEnd = at + 1;
  const seconds = day * 86_400 + hour * 3600 + minute * 60 + second - offsetMinutes * 60;
  return seconds * 1_000_000 + micros;
}
