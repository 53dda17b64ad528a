/** A replay as a whole, on ports. */
import type { TopicNames } from "../../contracts/topics.ts";
import { type Broker, UnknownTopicError } from "../../broker/port.ts";
import type { Clock } from "../../generator/clock.ts";
import type { TargetRate } from "../../generator/token_bucket.ts";
import type { Catalog } from "../../iceberg/catalog/port.ts";
import { outputEnds, OutputFollower, type OutputStarts } from "./follow.ts";
import { LineSplitter } from "./lines.ts";
import type { Wait } from "./options.ts";
import { OwnLines } from "./own_lines.ts";
import type { Progress } from "./progress.ts";
import { createPace, readLines } from "./read_lines.ts";
import { shiftLine, timestampOf } from "./retime.ts";
import { LineSender } from "./send.ts";
import type { Source } from "./source.ts";
import { waitStored } from "./stored.ts";

/** Options of {@linkcode replay}. */
export interface ReplayOptions {
  broker: Broker;
  /** Needed to wait for stored. */
  catalog: Catalog;
  topics: TopicNames;
  clock: Clock;
  /** Opens each input; called twice where event times are shifted. */
  sources: readonly { name: string; open: () => Promise<Source> }[];
  rate: TargetRate;
  /** Shift event times so that the last is now. */
  retime: boolean;
  wait: Wait;
  /** How long waiting may take once all is sent. */
  timeoutMs: number;
  onProgress: (progress: Progress) => void;
  /** Ends it early; what was sent stays sent. */
  signal: AbortSignal;
}

/** What a replay did. */
export interface ReplayResult {
  /** Lines read, blank ones included. */
  lines: number;
  blank: number;
  crlf: number;
  /** Lines that no record can hold: not sent. */
  too_long: number;
  /** Where they are, `file:line`, the first hundred. */
  too_long_at: string[];
  /** Records acknowledged by Kafka. */
  sent: number;
  /** Of these, without an account_id that can be read. */
  keyless: number;
  send_seconds: number;
  /** Present where it waited: own lines that came out as … */
  accounted?: {
    transactions: number;
    dead_lettered: number;
    alerts: number;
    /** Waited until the tables had committed them. */
    stored: boolean;
    wait_seconds: number;
    /** Traces that came out more than once. */
    twice: string[];
    /** Traces that did not come out in time, the first hundred. */
    missing: string[];
    timed_out: boolean;
  };
}

const TIMED_OUT = Symbol("timed out");

/** Latest event time of all inputs in µs; undefined where none can be read. */
async function latestTime(options: ReplayOptions): Promise<number | undefined> {
  let latest: number | undefined;
  for (const { open } of options.sources) {
    for await (const lines of readLines(await open(), new LineSplitter())) {
      options.signal.throwIfAborted();
      for (const { bytes } of lines) {
        const us = timestampOf(bytes);
        if (us !== undefined && (latest === undefined || us > latest)) latest = us;
      }
    }
  }
  return latest;
}

async function sendAll(
  options: ReplayOptions,
  sender: LineSender,
  result: ReplayResult,
): Promise<void> {
  const { clock, rate, signal, onProgress, sources } = options;
  const latest = options.retime ? await latestTime(options) : undefined;
  const shiftUs = latest === undefined ? 0 : clock.now() * 1000 - latest;
  const pace = createPace(rate, clock, signal);
  const startMs = clock.now();
  for (const { name, open } of sources) {
    const splitter = new LineSplitter();
    const source = await open();
    for await (const lines of readLines(source, splitter)) {
      for (const line of lines) {
        if (rate !== "max") await pace.wait(() => sender.flush());
        const bytes = shiftUs === 0 ? line.bytes : shiftLine(line.bytes, shiftUs);
        await sender.push({ number: line.number, bytes });
      }
      signal.throwIfAborted();
      onProgress({
        phase: sources.length > 1 ? `sending ${name}` : "sending",
        share: source.size === undefined ? undefined : source.read() / source.size,
        lines: sender.sent,
        seconds: (clock.now() - startMs) / 1000,
      });
    }
    result.lines += splitter.lines;
    result.blank += splitter.blank;
    result.crlf += splitter.crlf;
    result.too_long += splitter.tooLongCount;
    for (const line of splitter.tooLong) {
      if (result.too_long_at.length < 100) result.too_long_at.push(`${name}:${line}`);
    }
  }
  await sender.finish();
  result.sent = sender.sent;
  result.keyless = sender.keyless;
  result.send_seconds = (clock.now() - startMs) / 1000;
}

async function account(
  options: ReplayOptions,
  own: OwnLines,
  starts: OutputStarts,
): Promise<NonNullable<ReplayResult["accounted"]>> {
  const { broker, catalog, topics, clock, wait, timeoutMs, signal, onProgress } = options;
  const startMs = clock.now();
  const timeout = new AbortController();
  const ended = new AbortController();
  clock.pause(timeoutMs, ended.signal).then(() => timeout.abort(TIMED_OUT));
  const either = AbortSignal.any([signal, timeout.signal]);
  const follower = new OutputFollower({ broker, topics, own, starts });
  const seconds = () => (clock.now() - startMs) / 1000;
  let timedOut = false;
  let stored = false;
  const drawing = setInterval(() => {
    const phase = own.accounted < own.count ? "processing" : "storing";
    const share = own.count === 0 ? 1 : own.accounted / own.count;
    onProgress({ phase, share, lines: own.accounted, seconds: seconds() });
  }, 200);
  try {
    await follower.run(either);
    if (wait === "stored") {
      await waitStored({ catalog, topics, needed: follower.needed, signal: either });
      stored = true;
    }
  } catch (error) {
    if (!timeout.signal.aborted || signal.aborted) throw error;
    timedOut = true;
  } finally {
    clearInterval(drawing);
    ended.abort();
  }
  return {
    transactions: follower.counts.transactions,
    dead_lettered: follower.counts.deadLetter,
    alerts: follower.counts.alerts,
    stored,
    wait_seconds: seconds(),
    twice: follower.twice,
    missing: own.missing(100).map((place) => `${topics.raw}/${place}`),
    timed_out: timedOut,
  };
}

/**
 * Sends all lines of all inputs, and waits as told.
 *
 * @throws {UnknownTopicError} where the topics are not there; {UnreachableError} where Kafka is not.
 */
export async function replay(options: ReplayOptions): Promise<ReplayResult> {
  const { broker, topics, wait, signal } = options;
  const info = (await broker.topics([topics.raw])).get(topics.raw);
  if (info === undefined) throw new UnknownTopicError(`Cannot find topic "${topics.raw}"`);
  // Before the first line: what comes out of ours lies behind these ends.
  const starts = wait === "sent" ? undefined : await outputEnds(broker, topics);
  const own = new OwnLines();
  const writer = await broker.openWriter();
  const sender = new LineSender(writer, {
    topic: topics.raw,
    partitions: info.partitions,
    onAppended: (appended) => own.add(appended),
    signal,
  });
  const result: ReplayResult = {
    lines: 0,
    blank: 0,
    crlf: 0,
    too_long: 0,
    too_long_at: [],
    sent: 0,
    keyless: 0,
    send_seconds: 0,
  };
  try {
    await sendAll(options, sender, result);
  } finally {
    await writer.close();
  }
  if (starts !== undefined) result.accounted = await account(options, own, starts);
  return result;
}

/** True if everything that was asked for came true. */
export function succeeded(result: ReplayResult): boolean {
  const { accounted, too_long } = result;
  if (too_long > 0) return false;
  return accounted === undefined || (!accounted.timed_out && accounted.twice.length === 0);
}
