/** Times as people write them: without seconds, without an offset (then UTC), with a space for the T. */
import { parseTimestamp } from "../contracts/timestamps.ts";

const TIME =
  /^(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2})(?::(\d{2}(?:\.\d{1,9})?))?(Z|[+-]\d{2}(?::\d{2})?)?)?$/;

/** A day or a time, read. */
export interface ParsedTime {
  /** µs since the epoch; of a day its start in UTC. */
  us: number;
  kind: "day" | "time";
  /** An offset was written. */
  hasOffset: boolean;
  /** Digits after the second. */
  fractionDigits: number;
}

/** Reads a day or a time; undefined where the text is neither. Digits beyond µs are floored away. */
export function parseTime(text: string): ParsedTime | undefined {
  const match = TIME.exec(text.trim());
  if (match === null) return undefined;
  const [, day, minutes = "00:00", seconds = "00", offset = "Z"] = match;
  const us = parseTimestamp(
    `${day}T${minutes}:${seconds}${offset.length === 3 ? `${offset}:00` : offset}`,
  );
  if (us === undefined) return undefined;
  return {
    us,
    kind: match[2] === undefined ? "day" : "time",
    hasOffset: match[4] !== undefined,
    fractionDigits: Math.max(0, seconds.length - 3),
  };
}
