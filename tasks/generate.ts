/** `deno task generate`: recordings for replays, benchmarks and tests, from a seed. */
import { EXIT, MisuseError } from "../contracts/errors.ts";
import { parseTimestamp } from "../contracts/timestamps.ts";
import { ANOMALY_WEIGHTS, type AnomalyWeights } from "../generator/anomalies.ts";
import { TIMELESS_DAMAGE_KINDS } from "../generator/malformed.ts";
import { createStream } from "../generator/stream.ts";
import { resolveCallerPath } from "../runtime/env.ts";
import { parseFlags, runTask } from "./cli.ts";

const HELP = `deno task generate FILE --count N [--seed S] [flags]

Writes N transactions, one JSON object a line, as the generator makes them; the same flags give the same
bytes. - writes to standard output.

  --count N          how many
  --seed S           42
  --accounts N       1000
  --malformed SHARE  records damaged on purpose, 0 to 0.5 (0.0005)
  --anomalies SHARE  transactions of injected anomalies, 0 to 0.5 (0.03)
  --alerting SHARE   instead: transactions that the shipped rules flag, 0 to 0.5 (high amounts, nights)
  --start TIME       event time of the first (2026-01-01T06:00:00Z)
  --rate N           event time: transactions per second (0.3 a minute per account, which keeps
                     rapid-activity rare; long recordings run into the night, where all are flagged)
  --injected FILE    also writes what was injected, one word a line

Exit codes: 0 fine, 2 misuse.`;

/** Kinds that raise exactly one alert each under the shipped rules. */
const ALERTING_WEIGHTS: AnomalyWeights = { high_amount: 0.6, night: 0.4, burst: 0, foreign: 0 };

const FLUSH_BYTES = 1 << 20;

function parseNumber(
  name: string,
  text: string | undefined,
  limits: { byDefault?: number; min: number; max: number; whole?: boolean },
): number {
  const { byDefault, min, max, whole = false } = limits;
  if (text === undefined && byDefault !== undefined) return byDefault;
  const value = text === undefined || text.trim() === "" ? NaN : Number(text);
  if (value >= min && value <= max && (!whole || Number.isInteger(value))) return value;
  throw new MisuseError(
    `Cannot use --${name} "${text ?? ""}": expected a ${
      whole ? "whole " : ""
    }number from ${min} to ${max}`,
  );
}

/** Writes lines through a buffer. */
class LineWriter {
  readonly #file: { writeSync(bytes: Uint8Array): number; close(): void };
  readonly #buffer = new Uint8Array(2 * FLUSH_BYTES);
  #length = 0;

  constructor(path: string) {
    this.#file = path === "-"
      ? Deno.stdout
      : Deno.openSync(resolveCallerPath(path), { write: true, create: true, truncate: true });
  }

  write(bytes: Uint8Array): void {
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
    this.#buffer[this.#length++] = 10;
    if (this.#length >= FLUSH_BYTES) this.#flush();
  }

  close(): void {
    this.#flush();
    this.#file.close();
  }

  #flush(): void {
    for (let at = 0; at < this.#length;) {
      at += this.#file.writeSync(this.#buffer.subarray(at, this.#length));
    }
    this.#length = 0;
  }
}

function parse(args: string[]) {
  const flags = parseFlags(args, {
    string: [
      "count",
      "seed",
      "accounts",
      "malformed",
      "anomalies",
      "alerting",
      "start",
      "rate",
      "injected",
    ],
    wordsMax: 1,
  });
  const text = (name: string) => flags[name] as string | undefined;
  const [path] = flags._;
  if (path === undefined) throw new MisuseError("Cannot generate nowhere: name a file, or -");
  if (text("alerting") !== undefined && text("anomalies") !== undefined) {
    throw new MisuseError("Cannot use --alerting with --anomalies: one names the other's share");
  }
  const share = { min: 0, max: 0.5 };
  const accounts = parseNumber("accounts", text("accounts"), {
    byDefault: 1000,
    min: 1,
    max: 1e6,
    whole: true,
  });
  const alerting = text("alerting");
  const start = text("start") ?? "2026-01-01T06:00:00Z";
  const startUs = parseTimestamp(start);
  if (startUs === undefined) {
    throw new MisuseError(`Cannot use --start "${start}": expected an ISO 8601 date and time`);
  }
  return {
    path,
    injectedPath: text("injected"),
    count: parseNumber("count", text("count"), { min: 1, max: 1e9, whole: true }),
    seed: parseNumber("seed", text("seed"), {
      byDefault: 42,
      min: 0,
      max: Number.MAX_SAFE_INTEGER,
      whole: true,
    }),
    rate: parseNumber("rate", text("rate"), {
      byDefault: accounts * 0.3 / 60,
      min: 1e-3,
      max: 1e9,
    }),
    startUs,
    settings: {
      accounts,
      merchants: 500,
      malformedShare: parseNumber("malformed", text("malformed"), { byDefault: 0.0005, ...share }),
      anomalyShare: alerting === undefined
        ? parseNumber("anomalies", text("anomalies"), { byDefault: 0.03, ...share })
        : parseNumber("alerting", alerting, share),
      damageKinds: TIMELESS_DAMAGE_KINDS,
      anomalyWeights: alerting === undefined ? ANOMALY_WEIGHTS : ALERTING_WEIGHTS,
    },
  };
}

await runTask(HELP, (args) => {
  const { path, injectedPath, count, seed, rate, startUs, settings } = parse(args);
  // Another label than the live generator's: a recording must not carry its ids.
  const stream = createStream({ seed, epoch: "0", label: "file" }, settings);
  const lines = new LineWriter(path);
  const injected = injectedPath === undefined ? undefined : new LineWriter(injectedPath);
  const encoder = new TextEncoder();
  for (let i = 0; i < count; i++) {
    const record = stream.next(startUs + Math.floor(i / rate * 1e6));
    lines.write(record.value);
    injected?.write(encoder.encode(record.injected));
  }
  lines.close();
  injected?.close();
  return Promise.resolve(EXIT.ok);
});
