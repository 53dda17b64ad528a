/**
 * `--date-range`: days are inclusive and UTC, times are half-open, and the two do not mix.
 *
 *     2026-03-01            that day                    today, yesterday     that day
 *     2026-03-01..2026-03-07  seven days                -24h, -7d, -30m      from so long ago on
 *     2026-03-01T10:00Z..2026-03-01T11:00Z  that hour, its end excluded
 */
import { MisuseError } from "../contracts/errors.ts";
import { DAY_US } from "../contracts/timestamps.ts";
import { parseTime } from "./times.ts";

/** Event time from `fromUs` to before `toUs`, µs since the epoch. */
export interface DateRange {
  fromUs: number;
  /** Absent: no end. */
  toUs?: number;
}

const EXPECTED =
  "a day (2026-03-01, today, yesterday), a time (2026-03-01T10:00:00Z) or so long ago (-24h, -7d, -30m)";

const UNITS_US: Readonly<Record<string, number>> = {
  s: 1_000_000,
  m: 60_000_000,
  h: 3_600_000_000,
  d: DAY_US,
};

/** A day, by its start, or a moment. */
export type Point = { kind: "day" | "time"; us: number };

function misuse(text: string, why: string): MisuseError {
  return new MisuseError(`Cannot use "--date-range ${text}": ${why}`);
}

/** A word as a day or a time; undefined where it is neither. Without an offset it is UTC. */
export function parsePoint(word: string, nowUs: number): Point | undefined {
  const today = Math.floor(nowUs / DAY_US) * DAY_US;
  if (word === "today") return { kind: "day", us: today };
  if (word === "yesterday") return { kind: "day", us: today - DAY_US };
  if (word === "now") return { kind: "time", us: nowUs };
  const ago = /^-(\d{1,6})([smhd])$/.exec(word);
  if (ago !== null) return { kind: "time", us: nowUs - Number(ago[1]) * UNITS_US[ago[2]!]! };
  const time = parseTime(word);
  return time === undefined ? undefined : { kind: time.kind, us: time.us };
}

/** Whether a word after `--date-range A` belongs to it. */
export function isDatePoint(word: string): boolean {
  return parsePoint(word, 0) !== undefined;
}

/**
 * Parses the value of the flag: one word, or two with `..` between them.
 *
 * @throws {MisuseError} naming the word and what was expected.
 */
export function parseDateRange(text: string, nowUs: number): DateRange {
  const words = text.split("..");
  if (words.length > 2) throw misuse(text, `expected A or A..B`);
  const points = words.map((word) => {
    const point = parsePoint(word.trim(), nowUs);
    if (point === undefined) throw misuse(text, `"${word}" is not ${EXPECTED}`);
    return point;
  });
  const [from, to] = points as [Point, Point | undefined];
  if (to === undefined) {
    return from.kind === "day" ? { fromUs: from.us, toUs: from.us + DAY_US } : { fromUs: from.us };
  }
  if (from.kind !== to.kind) throw misuse(text, "a day and a time do not mix; give two of a kind");
  const toUs = to.kind === "day" ? to.us + DAY_US : to.us;
  if (toUs <= from.us) throw misuse(text, "the end lies before the beginning");
  return { fromUs: from.us, toUs };
}
