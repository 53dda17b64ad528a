/** The flag `--since`. Pure. */
import { MisuseError } from "../contracts/errors.ts";
import { parseTimestamp } from "../contracts/timestamps.ts";

const UNITS_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A point in time, or how long ago it was; ms since the epoch. @throws {MisuseError} */
export function parseSince(text: string, nowMs: number): number {
  const ago = /^(\d{1,6})([mhd])$/.exec(text);
  if (ago !== null) return nowMs - Number(ago[1]) * UNITS_MS[ago[2]!]!;
  const us = parseTimestamp(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text);
  if (us !== undefined) return Math.ceil(us / 1000);
  throw new MisuseError(
    `Cannot use "--since ${text}": expected 2026-03-01, 2026-03-01T10:00:00Z, 30m, 24h or 7d`,
  );
}
