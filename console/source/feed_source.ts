/** Tails of the alerts and dead-letter topics, read_committed: the newest first of all, then all that come. */
import type { Broker, Fetched, Reader, RecordBatch } from "../../broker/port.ts";
import { OffsetOutOfRangeError } from "../../broker/port.ts";
import type { Alert } from "../../contracts/alert.ts";
import type { DeadLetter } from "../../contracts/dead_letter.ts";
import type { AlertItem, DeadLetterItem } from "../store/model.ts";
import { pause } from "./poll.ts";

/** Records of each partition that are read back at the start. */
const BACKLOG_RECORDS = 100;
/** How long the broker holds a fetch that has nothing, ms. */
const WAIT_MS_MAX = 1000;
const FETCH_BYTES_MAX = 512 * 1024;
/** An answer with fewer records is followed by a pause: one request for a handful, not one for each. */
const FEW_RECORDS = 500;
const FEW_MS = 300;
/** Offsets behind the end from which records are left out rather than caught up with. */
const BEHIND_MAX = 20_000;
/** Most records of one answer that are decoded; the others are counted as skipped. */
const DECODED_MAX = 1000;
const RETRY_MS = 2000;

const utf8 = new TextDecoder();

/** A decoded record. */
export interface FeedRecord {
  partition: number;
  offset: number;
  atMs: number;
  trace: string;
  value: unknown;
}

/** The records of a batch, the newest {@linkcode DECODED_MAX}; what is not JSON is left out. */
export function decodeFeed(
  records: RecordBatch,
  partition: number,
): { records: FeedRecord[]; skipped: number } {
  const first = Math.max(0, records.count - DECODED_MAX);
  const decoded: FeedRecord[] = [];
  for (let index = first; index < records.count; index++) {
    const start = records.valueStart[index]!;
    if (start < 0) continue;
    const text = utf8.decode(records.bytes.subarray(start, records.valueEnd[index]!));
    const trace = records.header(index, "trace");
    try {
      decoded.push({
        partition,
        offset: records.offsets[index]!,
        atMs: records.timestamps[index]!,
        trace: trace === undefined ? "" : utf8.decode(trace),
        value: JSON.parse(text),
      });
    } catch (error) {
      // Somebody else wrote into the topic; the processor writes JSON only.
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
  return { records: decoded, skipped: records.count - decoded.length };
}

/** An alert as the list has it; undefined where the record is not one. */
export function alertItem(record: FeedRecord, seq: number): AlertItem | undefined {
  const alert = record.value as Alert | null;
  if (typeof alert?.rule_name !== "string" || typeof alert.transaction !== "object") {
    return undefined;
  }
  const { atMs, trace } = record;
  return { id: `a${seq}`, seq, atMs, trace, alert };
}

/** A dead letter as the list has it; undefined where the record is not one. */
export function deadLetterItem(record: FeedRecord, seq: number): DeadLetterItem | undefined {
  const letter = record.value as DeadLetter | null;
  if (typeof letter?.error_type !== "string" || !Array.isArray(letter.errors)) return undefined;
  return { id: `d${seq}`, seq, atMs: record.atMs, letter };
}

/** Where a topic was read up to: it outlives the connection, so that nothing is shown twice. */
export interface FeedPosition {
  /** The broker's id of the topic: one that was made anew is read from its end. */
  topicId: string;
  next: Map<number, number>;
}

interface Tail {
  broker: Broker;
  reader: Reader;
  topic: string;
  partition: number;
  signal: AbortSignal;
  position: FeedPosition;
  onRecords: (records: readonly FeedRecord[], skipped: number) => void;
}

async function startOffset({ broker, topic, partition }: Tail): Promise<number> {
  const all = await broker.offsets(topic);
  const found = all.find((one) => one.partition === partition);
  // Markers count too: half of the offsets of a transactional topic are none of its records.
  return found === undefined ? 0 : Math.max(found.start, found.stable - 2 * BACKLOG_RECORDS);
}

/** Follows one partition until the signal aborts; throws when the broker goes away. */
async function followPartition(tail: Tail): Promise<void> {
  const { reader, topic, partition, signal, position, onRecords } = tail;
  let offset = position.next.get(partition) ?? await startOffset(tail);
  while (!signal.aborted) {
    let fetched: Fetched;
    try {
      fetched = await reader.fetch(topic, partition, {
        offset,
        waitMsMax: WAIT_MS_MAX,
        bytesMax: FETCH_BYTES_MAX,
        signal,
      });
    } catch (error) {
      if (!(error instanceof OffsetOutOfRangeError)) throw error;
      offset = await startOffset(tail);
      continue;
    }
    const { records, skipped } = decodeFeed(fetched.records, partition);
    const jump = fetched.stable - fetched.nextOffset > BEHIND_MAX;
    offset = jump
      ? Math.max(fetched.nextOffset, fetched.stable - BACKLOG_RECORDS)
      : fetched.nextOffset;
    const left = jump ? offset - fetched.nextOffset : 0;
    position.next.set(partition, offset);
    if (records.length > 0 || skipped + left > 0) onRecords(records, skipped + left);
    if (records.length < FEW_RECORDS) await pause(FEW_MS, signal);
  }
}

/** Follows all partitions of a topic, and begins anew when the broker was away. */
export async function followTopic(
  options: {
    openBroker: () => Broker;
    topic: string;
    signal: AbortSignal;
    onRecords: Tail["onRecords"];
    /** Pause before the broker is tried again, ms. @default 2000 */
    retryMs?: number;
  },
): Promise<void> {
  const { openBroker, topic, signal, onRecords, retryMs = RETRY_MS } = options;
  let position: FeedPosition | undefined;
  while (!signal.aborted) {
    const broker = openBroker();
    const round = new AbortController();
    const both = AbortSignal.any([signal, round.signal]);
    try {
      const info = (await broker.topics([topic])).get(topic);
      const reader = await broker.openReader({ isolation: "committed" });
      if (info !== undefined && position?.topicId !== info.id) {
        position = { topicId: info.id, next: new Map() };
      }
      const tails = Array.from(
        { length: info?.partitions ?? 0 },
        (_, partition) =>
          followPartition({
            broker,
            reader,
            topic,
            partition,
            signal: both,
            position: position!,
            onRecords,
          }),
      );
      try {
        await Promise.all(tails);
      } finally {
        round.abort();
        await Promise.allSettled([...tails, reader.close()]);
      }
    } catch {
      // The streams source says that the broker does not answer; this one only tries again.
    } finally {
      await broker.close().catch(() => {});
    }
    await pause(retryMs, signal);
  }
}
