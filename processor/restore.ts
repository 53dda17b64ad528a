/** T2: reads a partition of the changelog up to an end that no longer moves. */
import type { Reader } from "../broker/port.ts";
import { NotReadyError } from "../contracts/errors.ts";
import {
  applyLoopRecord,
  createLoopRecords,
  isPositionKey,
  isStateKey,
  type LoopRecords,
} from "./changelog.ts";
import type { ProcessorContext } from "./context.ts";

/** How far a restore is. */
export interface RestoreProgress {
  records: number;
  /** 0 to 1. */
  share: number;
}

/** What a restore reads with. */
export interface RestoreOptions {
  reader: Reader;
  partition: number;
  /** First offset to read: the log's start, or where a local snapshot ends. */
  from: number;
  /** End offset to reach. */
  to: number;
  signal: AbortSignal;
  onProgress?: (progress: RestoreProgress) => void;
}

type Context = Pick<
  ProcessorContext<never, never>,
  "broker" | "topics" | "settings" | "clock" | "group"
>;

/**
 * The end of the changelog's partition, once the stable offset has reached it. An open transaction
 * can only be somebody else's: ours was settled by T1.
 *
 * @throws {NotReadyError} naming the transaction's offset when it stays open.
 */
export async function settledEnd(
  context: Context,
  partition: number,
  signal: AbortSignal,
): Promise<{ start: number; end: number }> {
  const { broker, topics, settings, clock } = context;
  const deadlineMs = clock.now() + settings.stableWaitMsMax;
  let end: number | undefined;
  for (;;) {
    const offsets = (await broker.offsets(topics.state)).find((one) => one.partition === partition);
    if (offsets === undefined) {
      throw new NotReadyError(
        `Cannot restore partition ${partition}: ${topics.state} has no such partition`,
      );
    }
    // The first end is final: nobody but us may append after T1.
    end ??= offsets.end;
    if (offsets.stable >= end) return { start: offsets.start, end };
    if (clock.now() >= deadlineMs) {
      throw new NotReadyError(
        `Cannot restore "${topics.state}/${partition}" up to offset ${end}: a transaction of another transactional id is open since offset ${offsets.stable}`,
      );
    }
    await clock.sleep(settings.pollMs, signal);
  }
}

/**
 * Reads the committed records of [from, to) in log order: the loop's own into `records`, the others
 * into `onState`. Advances by where the broker says a fetch ended, since compaction and control
 * records leave holes (tulios/kafkajs#1072). `value` is a view that must be copied to be kept.
 */
export async function readChangelog(
  context: Context,
  options: RestoreOptions,
  onState: (key: Uint8Array, value: Uint8Array | null) => void,
  records: LoopRecords = createLoopRecords(),
): Promise<LoopRecords> {
  const { reader, partition, from, to, signal, onProgress } = options;
  const { topics, settings } = context;
  let count = 0;
  for (let at = from; at < to;) {
    const fetched = await reader.fetch(topics.state, partition, {
      offset: at,
      bytesMax: settings.fetchBytesMax,
      waitMsMax: settings.fetchWaitMsMax,
      signal,
    });
    const { bytes, keyStart, keyEnd, valueStart, valueEnd, offsets } = fetched.records;
    for (let i = 0; i < fetched.records.count; i++) {
      if (offsets[i]! >= to) break;
      const key = bytes.subarray(Math.max(0, keyStart[i]!), Math.max(0, keyEnd[i]!));
      const value = valueStart[i]! < 0 ? null : bytes.subarray(valueStart[i]!, valueEnd[i]!);
      if (isStateKey(key)) onState(key, value);
      else applyLoopRecord(records, key, value);
      count++;
    }
    at = fetched.nextOffset;
    onProgress?.({ records: count, share: Math.min(1, (at - from) / (to - from)) });
  }
  return records;
}

/** Calls back for each position record at or after `from`, until told to stop. */
export async function watchPositions(
  context: Context,
  options: { reader: Reader; partition: number; from: number; signal: AbortSignal },
  onLook: (positions: LoopRecords["position"][]) => boolean,
): Promise<void> {
  const { reader, partition, from, signal } = options;
  const { topics, settings } = context;
  let at = from;
  for (;;) {
    const fetched = await reader.fetch(topics.state, partition, {
      offset: at,
      waitMsMax: settings.fetchWaitMsMax,
      signal,
    });
    const { bytes, count, keyStart, keyEnd, valueStart, valueEnd } = fetched.records;
    const positions: LoopRecords["position"][] = [];
    for (let i = 0; i < count; i++) {
      const key = bytes.subarray(Math.max(0, keyStart[i]!), Math.max(0, keyEnd[i]!));
      if (!isPositionKey(key) || valueStart[i]! < 0) continue;
      const records = createLoopRecords();
      applyLoopRecord(records, key, bytes.subarray(valueStart[i]!, valueEnd[i]!));
      positions.push(records.position);
    }
    at = fetched.nextOffset;
    if (!onLook(positions)) return;
  }
}
