/** The command line of a replay, checked. Pure. */
import { MisuseError } from "../../contracts/errors.ts";
import type { TargetRate } from "../../generator/token_bucket.ts";

/** What to wait for. */
export const WAITS = ["sent", "processed", "stored"] as const;

/** One of {@linkcode WAITS}. */
export type Wait = typeof WAITS[number];

/** `--rate`: lines per second, or max. */
export function parseRate(text: string | undefined): TargetRate {
  if (text === undefined || text === "max") return "max";
  const rate = Number(text);
  if (text.trim() !== "" && Number.isFinite(rate) && rate > 0) return rate;
  throw new MisuseError(`Cannot use --rate "${text}": expected a number above 0, or max`);
}

/** `--timeout`: `90s`, `10m`, `1h`, or seconds. Returns ms. */
export function parseTimeout(text: string | undefined): number {
  if (text === undefined) return 600_000;
  const match = /^(\d+(?:\.\d+)?)(s|m|h)?$/.exec(text);
  const ms = match === null
    ? NaN
    : Number(match[1]) * { s: 1000, m: 60_000, h: 3_600_000 }[match[2] ?? "s"]!;
  if (ms > 0) return ms;
  throw new MisuseError(`Cannot use --timeout "${text}": expected a time such as 90s, 10m or 1h`);
}

/** `--wait`. */
export function parseWait(text: string | undefined): Wait {
  const wait = WAITS.find((one) => one === (text ?? "sent"));
  if (wait !== undefined) return wait;
  throw new MisuseError(`Cannot use --wait "${text}": expected one of ${WAITS.join(", ")}`);
}
