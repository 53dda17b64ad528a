/** Dates, times and decimals as text, exactly: years 0000 to 9999 and beyond with a sign (ISO 8601). */
import { IcebergError } from "./errors.ts";

const DAY_MS = 86_400_000;
const DAY_MICROS = 86_400_000_000n;
const SECOND_MICROS = 1_000_000n;

/** Quotient rounded down, also for negative values (the spec's transforms and dates need it). */
export function floorDiv(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  return value % divisor < 0n ? quotient - 1n : quotient;
}

/** Year, month (1 to 12) and day of a date given as days since the epoch. Exact for every int32. */
export function civilDate(days: number): { year: number; month: number; day: number } {
  // Howard Hinnant's civil_from_days: JavaScript's Date ends at day 100,000,000, an int32 does not.
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra -
    (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1,
  };
}

/** `2017-11-16` of days since the epoch. */
export function dateToText(days: number): string {
  const { year, month, day } = civilDate(days);
  return `${yearToText(year)}-${pad(month, 2)}-${pad(day, 2)}`;
}

/** Four digits, or a sign and as many as it takes. */
export function yearToText(year: number): string {
  if (year >= 0 && year <= 9999) return pad(year, 4);
  return `${year < 0 ? "-" : "+"}${pad(Math.abs(year), 4)}`;
}

/** `22:31:08.123456` of microseconds since midnight; the fraction only where there is one. */
export function timeToText(micros: bigint): string {
  const seconds = Number(micros / SECOND_MICROS);
  const fraction = Number(micros % SECOND_MICROS);
  const clock = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
    .map((part) => pad(part, 2)).join(":");
  return fraction === 0 ? clock : `${clock}.${pad(fraction, 6)}`;
}

/** `2017-11-16T22:31:08.123456` of microseconds since the epoch, without an offset. */
export function timestampToText(micros: bigint): string {
  const days = floorDiv(micros, DAY_MICROS);
  return `${dateToText(Number(days))}T${timeToText(micros - days * DAY_MICROS)}`;
}

/** Unscaled value and scale as plain text: `1420n`, 2 → `14.20`. */
export function decimalToText(unscaled: bigint, scale: number): string {
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, "0");
  const sign = unscaled < 0n ? "-" : "";
  if (scale === 0) return sign + digits;
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

const DATE = /^([+-]?\d{4,7})-(\d\d)-(\d\d)$/;
const TIME = /^(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?$/;
const OFFSET = /(Z|[+-]\d\d:\d\d)$/;
const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?$/;

/** Days since the epoch of `2017-11-16`; undefined if it is no date. */
export function textToDate(text: string): number | undefined {
  const match = DATE.exec(text);
  if (match === null) return undefined;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  // The Gregorian calendar repeats every 400 years; moved near 2000, Date's range is no limit.
  const cycles = Math.floor(year / 400) - 5;
  const ms = Date.UTC(year - cycles * 400, month - 1, day);
  const days = ms / DAY_MS + cycles * 146_097;
  const civil = civilDate(days);
  return civil.month === month && civil.day === day ? days : undefined;
}

/** Microseconds of an ISO time or timestamp; undefined if the text is none of that kind. */
export function textToMicros(
  kind: "time" | "timestamp" | "timestamptz",
  text: string,
): bigint | undefined {
  if (kind === "time") return clockToMicros(text);
  const offset = OFFSET.exec(text);
  if ((offset !== null) !== (kind === "timestamptz")) return undefined;
  const local = offset === null ? text : text.slice(0, -offset[0].length);
  const [date, clock, extra] = local.split("T");
  if (date === undefined || clock === undefined || extra !== undefined) return undefined;
  const days = textToDate(date);
  const micros = clockToMicros(clock);
  if (days === undefined || micros === undefined) return undefined;
  return BigInt(days) * DAY_MICROS + micros - offsetMicros(offset?.[1] ?? "Z");
}

function clockToMicros(text: string): bigint | undefined {
  const match = TIME.exec(text);
  if (match === null) return undefined;
  const [hours, minutes, seconds] = [Number(match[1]), Number(match[2]), Number(match[3] ?? "0")];
  if (hours > 23 || minutes > 59 || seconds > 59) return undefined;
  const fraction = BigInt((match[4] ?? "").padEnd(6, "0"));
  return BigInt(hours * 3600 + minutes * 60 + seconds) * SECOND_MICROS + fraction;
}

function offsetMicros(offset: string): bigint {
  if (offset === "Z") return 0n;
  const minutes = Number(offset.slice(1, 3)) * 60 + Number(offset.slice(4, 6));
  return BigInt(offset.startsWith("-") ? -minutes : minutes) * 60n * SECOND_MICROS;
}

/** Unscaled value of `14.20` in a decimal type; undefined if it is no number or needs more digits. */
export function textToDecimal(
  text: string,
  { precision, scale }: { precision: number; scale: number },
): bigint | undefined {
  const match = DECIMAL.exec(text);
  if (match === null) return undefined;
  const fraction = match[3] ?? "";
  if (/[^0]/.test(fraction.slice(scale))) return undefined;
  const magnitude = BigInt((match[2] ?? "") + fraction.slice(0, scale).padEnd(scale, "0"));
  if (magnitude >= 10n ** BigInt(precision)) return undefined;
  return match[1] === "-" ? -magnitude : magnitude;
}

function pad(value: number, width: number): string {
  if (!Number.isInteger(value)) throw new IcebergError(`Cannot print "${value}": not an integer`);
  return String(value).padStart(width, "0");
}
