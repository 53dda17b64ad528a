/**
 * Event time as the contract has it: ISO 8601 in its RFC 3339 profile, floored to µs.
 *
 * µs since the epoch are JavaScript numbers: exact up to 2^53 µs, which is the year 2255.
 */

const PATTERN =
  /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:Z|([+-])(\d{2}):(\d{2}))$/;

/** µs of one UTC day. */
export const DAY_US = 86_400_000_000;

/** µs of one hour. */
export const HOUR_US = 3_600_000_000;

function daysInMonth(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}

/**
 * Parses a contract timestamp to µs since the epoch; digits beyond µs are floored away.
 *
 * Returns undefined where the text is not one: no offset, a day that does not exist, a 60th second,
 * lower-case letters, more than nine fraction digits.
 */
export function parseTimestamp(text: string): number | undefined {
  const match = PATTERN.exec(text);
  if (match === null) return undefined;
  const [, y, mo, d, h, mi, s, fraction = "", sign, oh = "0", om = "0"] = match;
  const year = Number(y), month = Number(mo), day = Number(d);
  const hour = Number(h), minute = Number(mi), second = Number(s);
  const offsetHour = Number(oh), offsetMinute = Number(om);
  // Years below 100 would be read as 19xx by Date.UTC; the contract begins in 2000 anyway.
  if (year < 100 || month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) {
    return undefined;
  }
  if (hour > 23 || minute > 59 || second > 59 || offsetHour > 23 || offsetMinute > 59) {
    return undefined;
  }
  const offsetMinutes = (sign === "-" ? -1 : 1) * (offsetHour * 60 + offsetMinute);
  const ms = Date.UTC(year, month - 1, day, hour, minute, second) - offsetMinutes * 60_000;
  const micros = Number(fraction.slice(0, 6).padEnd(6, "0"));
  return ms * 1000 + micros;
}

/** Prints µs since the epoch as `YYYY-MM-DDTHH:MM:SS.ffffffZ`. */
export function printTimestamp(us: number): string {
  const ms = Math.floor(us / 1000);
  const rest = us - ms * 1000;
  const iso = new Date(ms).toISOString();
  return iso.slice(0, -1) + String(rest).padStart(3, "0") + "Z";
}

/** Prints the UTC day of µs since the epoch as `YYYY-MM-DD`. */
export function printDate(us: number): string {
  return new Date(Math.floor(us / DAY_US) * 86_400_000).toISOString().slice(0, 10);
}

/** Whole days since the epoch of µs since the epoch (Iceberg's `day` transform). */
export function dayOf(us: number): number {
  return Math.floor(us / DAY_US);
}
