/** Records that cannot be stored, as rows of dead_letters (design section 6). Pure. */
import type { FieldError } from "../contracts/dead_letter.ts";
import { deadLetterId, formatTrace, parseTrace } from "../contracts/ids.ts";
import { ORIGINAL_BYTES_MAX } from "../contracts/limits.ts";
import type { TopicRole } from "../contracts/topics.ts";
import { printTimestamp } from "../contracts/timestamps.ts";
import type { TableMetadata } from "../iceberg/types.ts";
import { ancestorsOf } from "../iceberg/metadata.ts";

/** Snapshot summary of dead_letters: `{topic: {partition: next offset}}` of the topics that the sink consumes. */
export const UNSTORABLE_PROPERTY = "pipeline.unstorable_next";

/** Next offset per topic and partition: below it, what cannot be stored is recorded already. */
export type UnstorableNext = Record<string, Record<string, string>>;

/** A record that cannot be stored. */
export interface Unstorable {
  /** Its topic, its offset there, and what that topic carries. */
  topic: string;
  role: TopicRole;
  partition: number;
  offset: number;
  /** Header `trace`. */
  trace: string | undefined;
  /** undefined for a tombstone. */
  value: Uint8Array | undefined;
  error: FieldError;
}

/**
 * The row, as a spool line of dead_letters. Of a transaction or dead letter the source is the raw
 * record, so that it takes the place of the row that could not be written; several alerts can come of one
 * raw record, so theirs is the record of the alerts topic.
 */
export function unstorableLine(record: Unstorable, nowUs: number): string {
  const own = { topic: record.topic, partition: record.partition, offset: record.offset };
  const traced = record.role === "alerts" ? undefined : parseTrace(record.trace ?? "");
  const { topic, partition, offset } = traced ?? own;
  const value = record.value ?? new Uint8Array();
  const letter = {
    dead_letter_id: deadLetterId(formatTrace(topic, partition, offset)),
    failed_at: printTimestamp(nowUs),
    error_type: "unstorable",
    errors: [record.error],
    source: { topic, partition, offset: String(offset) },
    ...original(value),
  };
  return JSON.stringify({ p: partition, o: offset, v: letter }) + "\n";
}

function original(value: Uint8Array) {
  const cut = value.subarray(0, ORIGINAL_BYTES_MAX);
  const text = utf8(cut);
  return {
    original: text ?? cut.toBase64(),
    original_encoding: text === undefined ? "base64" : "utf8",
    truncated: value.length > ORIGINAL_BYTES_MAX,
    original_bytes: value.length,
  };
}

/** Text of bytes that may end inside a character because they were cut; undefined if they are no UTF-8. */
function utf8(bytes: Uint8Array): string | undefined {
  try {
    // stream: an unfinished character at the end is kept back instead of refused.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
      .decode(bytes, { stream: true });
  } catch {
    return undefined;
  }
}

/** What dead_letters has recorded, from its newest ancestor that says so. @throws {Error} if it is no JSON */
export function unstorableNext(metadata: TableMetadata): UnstorableNext {
  const current = metadata["current-snapshot-id"];
  if (current === null) return {};
  for (const snapshot of ancestorsOf(metadata, current)) {
    const text = snapshot.summary[UNSTORABLE_PROPERTY];
    if (text !== undefined) return JSON.parse(text) as UnstorableNext;
  }
  return {};
}

/** True if the record is in dead_letters already: a batch was read again after a crash between the two commits. */
export function isRecorded(next: UnstorableNext, record: Unstorable): boolean {
  return record.offset < Number(next[record.topic]?.[record.partition] ?? 0);
}

/** The map after these records are in. */
export function advanceUnstorable(
  next: UnstorableNext,
  records: readonly Unstorable[],
): UnstorableNext {
  const after = structuredClone(next);
  for (const { topic, partition, offset } of records) {
    const partitions = after[topic] ??= {};
    partitions[partition] = String(Math.max(Number(partitions[partition] ?? 0), offset + 1));
  }
  return after;
}
