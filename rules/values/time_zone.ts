/** Local time of day and weekday in an IANA time zone, fast enough for every transaction. */
import { DAY_US, HOUR_US } from "../../contracts/timestamps.ts";

/** Most hours whose offset one zone remembers; a fuller table starts anew. */
const HOURS_REMEMBERED_MAX = 20_000;

const MINUTE_US = 60_000_000;

/** Gives the UTC offset in µs at an instant in µs since the epoch. */
export type OffsetAt = (us: number) => number;

/** Whether `name` is a time zone that this runtime knows. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en-US", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function offsetByIntl(format: Intl.DateTimeFormat, us: number): number {
  const ms = Math.floor(us / 1000);
  let year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  for (const { type, value } of format.formatToParts(ms)) {
    if (type === "year") year = Number(value);
    else if (type === "month") month = Number(value);
    else if (type === "day") day = Number(value);
    else if (type === "hour") hour = Number(value);
    else if (type === "minute") minute = Number(value);
    else if (type === "second") second = Number(value);
  }
  const local = Date.UTC(year, month - 1, day, hour, minute, second);
  return (local - Math.floor(ms / 1000) * 1000) * 1000;
}

/**
 * Offsets of a time zone. Intl takes microseconds per call, so the answer is kept per hour; the rare
 * hour in which the offset changes (not always at its start: St. John's changed at 00:01) is asked
 * minute by minute.
 */
export function timeZoneOffsets(name: string): OffsetAt {
  if (name === "UTC") return () => 0;
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: name,
    calendar: "gregory",
    numberingSystem: "latn",
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  const byHour = new Map<number, number>(); // NaN: it changes within the hour
  let lastHour = NaN;
  let lastOffset = NaN;
  return (us) => {
    const hour = Math.floor(us / HOUR_US);
    if (hour !== lastHour) {
      let offset = byHour.get(hour);
      if (offset === undefined) {
        const start = offsetByIntl(format, hour * HOUR_US);
        const end = offsetByIntl(format, (hour + 1) * HOUR_US - MINUTE_US);
        offset = start === end ? start : NaN;
        if (byHour.size >= HOURS_REMEMBERED_MAX) byHour.clear();
        byHour.set(hour, offset);
      }
      lastHour = hour;
      lastOffset = offset;
    }
    return Number.isNaN(lastOffset)
      ? offsetByIntl(format, Math.floor(us / MINUTE_US) * MINUTE_US)
      : lastOffset;
  };
}

/** µs since local midnight. */
export function timeOfDay(localUs: number): number {
  return localUs - Math.floor(localUs / DAY_US) * DAY_US;
}

/** Weekday of a local time in µs: 0 is Monday. 1970-01-01 was a Thursday. */
export function weekday(localUs: number): number {
  return (Math.floor(localUs / DAY_US) % 7 + 10) % 7;
}
