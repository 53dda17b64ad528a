/**
 * One partition of the in-process broker: encoded record batches, as Kafka keeps them, so that readers
 * go through the same decoding and the same read_committed filter as against a real broker.
 */
import { crc32c } from "./crc32c.ts";
import type { Isolation } from "./port.ts";
import { type AbortedTransaction, decodeRecordBatches } from "./record_batch_decode.ts";
import {
  ABORT_MARKER,
  BATCH_HEADER_BYTES,
  COMMIT_MARKER,
  encodeMarker,
  placeBatch,
} from "./record_batch_encode.ts";

interface StoredBatch {
  bytes: Uint8Array;
  baseOffset: number;
  lastOffset: number;
  producerId: number;
  control: boolean;
}

/** Who appends; a producer outside transactions has no open one to settle. */
export interface Appender {
  producerId: number;
  transactional: boolean;
}

/** Part of a log, as a fetch answers it. */
export interface LogSlice {
  bytes: Uint8Array;
  aborted: AbortedTransaction[];
  /** True when nothing is left between the asked offset and the readable end: all compacted away. */
  hole: boolean;
}

/** What {@linkcode PartitionLog.compact} also removes, as Kafka does after delete.retention.ms. */
export interface CompactOptions {
  /** @default {false} */
  dropTombstones?: boolean;
  /** @default {false} */
  dropMarkers?: boolean;
}

/** An append-only log with transactions. Offsets as in Kafka: a marker takes one too. */
export class PartitionLog {
  #start = 0;
  #end = 0;
  #batches: StoredBatch[] = [];
  /** First offset of each producer's open transaction. */
  readonly #open = new Map<number, number>();
  #aborted: (AbortedTransaction & { lastOffset: number })[] = [];
  readonly #waiting = new Set<() => void>();

  /** First offset still there. */
  get start(): number {
    return this.#start;
  }

  /** Last stable offset: the first of an open transaction, else the end. */
  get stable(): number {
    return Math.min(this.#end, ...this.#open.values());
  }

  /** High watermark. */
  get end(): number {
    return this.#end;
  }

  /** Calls `listener` once, at the next change of the end or of the stable offset. */
  onChange(listener: () => void): () => void {
    this.#waiting.add(listener);
    return () => this.#waiting.delete(listener);
  }

  #changed(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const listener of waiting) listener();
  }

  /** Takes over an encoded batch of `count` records. */
  append(bytes: Uint8Array, count: number, appender: Appender & { logAppendTime?: number }): void {
    const { producerId, transactional, logAppendTime } = appender;
    placeBatch(bytes, this.#end, logAppendTime);
    if (transactional && !this.#open.has(producerId)) this.#open.set(producerId, this.#end);
    this.#push(bytes, count, { producerId, control: false });
  }

  #push(bytes: Uint8Array, count: number, kind: { producerId: number; control: boolean }): void {
    const baseOffset = this.#end;
    this.#end += count;
    this.#batches.push({ bytes, baseOffset, lastOffset: this.#end - 1, ...kind });
    this.#changed();
  }

  /** Ends the producer's open transaction by a control batch. */
  endTransaction(
    end: { producerId: number; producerEpoch: number; commit: boolean; timestamp: number },
  ): void {
    const { producerId, producerEpoch, commit, timestamp } = end;
    const marker = encodeMarker(commit ? COMMIT_MARKER : ABORT_MARKER, {
      timestamp,
      producerId,
      producerEpoch,
      baseOffset: this.#end,
    });
    const firstOffset = this.#open.get(producerId);
    this.#open.delete(producerId);
    if (!commit && firstOffset !== undefined) {
      this.#aborted.push({ producerId, firstOffset, lastOffset: this.#end });
    }
    this.#push(marker, 1, { producerId, control: true });
  }

  /** True when a reader may ask for `offset`: the end itself is fine, anything beyond is not. */
  has(offset: number): boolean {
    return offset >= this.#start && offset <= this.#end;
  }

  /** Whole batches from the one that holds `offset`; at least one, then up to `bytesMax`. */
  read(offset: number, options: { isolation: Isolation; bytesMax: number }): LogSlice {
    const limit = options.isolation === "committed" ? this.stable : this.#end;
    const taken: StoredBatch[] = [];
    let size = 0;
    for (let i = this.#indexOf(offset); i < this.#batches.length; i++) {
      const batch = this.#batches[i]!;
      if (batch.baseOffset >= limit) break;
      if (taken.length > 0 && size + batch.bytes.length > options.bytesMax) break;
      taken.push(batch);
      size += batch.bytes.length;
    }
    const bytes = new Uint8Array(size);
    let at = 0;
    for (const batch of taken) {
      bytes.set(batch.bytes, at);
      at += batch.bytes.length;
    }
    const upTo = taken.at(-1)?.lastOffset ?? -1;
    // In the order in which they ended, like Kafka's index; readers must not take it for sorted.
    const aborted = this.#aborted.filter((transaction) =>
      transaction.lastOffset >= offset && transaction.firstOffset <= upTo
    );
    return { bytes, aborted, hole: taken.length === 0 && offset < limit };
  }

  #indexOf(offset: number): number {
    let low = 0;
    let high = this.#batches.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#batches[middle]!.lastOffset < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Retention: drops whole batches below `offset` and makes it the log's start. */
  deleteBefore(offset: number): void {
    this.#start = Math.min(Math.max(this.#start, offset), this.#end);
    this.#batches = this.#batches.filter((batch) => batch.lastOffset >= this.#start);
    this.#aborted = this.#aborted.filter((transaction) => transaction.lastOffset >= this.#start);
    this.#changed();
  }

  /** Loses the tail from `offset` on, as a power cut does to unsynced pages of a lone broker. */
  loseFrom(offset: number): void {
    this.#batches = this.#batches.filter((batch) => batch.lastOffset < offset);
    this.#end = Math.max(this.#start, (this.#batches.at(-1)?.lastOffset ?? this.#start - 1) + 1);
    this.#aborted = this.#aborted.filter((transaction) => transaction.lastOffset < this.#end);
    for (const [producerId, first] of this.#open) {
      if (first >= this.#end) this.#open.delete(producerId);
    }
    this.#changed();
  }

  /**
   * Log cleaning below the stable offset: the newest record of each key stays at its offset, the
   * others leave holes, emptied batches vanish except a producer's last one (Kafka keeps its sequence).
   */
  compact(options: CompactOptions = {}): void {
    const newest = this.#newestByKey();
    const stable = this.stable;
    const lastOf = new Map(this.#batches.map((batch) => [batch.producerId, batch]));
    const kept: StoredBatch[] = [];
    for (const batch of this.#batches) {
      if (batch.baseOffset >= stable) kept.push(batch);
      else if (batch.control) {
        if (!(options.dropMarkers ?? false)) kept.push(batch);
      } else {
        const left = retain(
          batch.bytes,
          ({ offset, key, tombstone }) =>
            newest.get(key) === offset && !(tombstone && options.dropTombstones),
        );
        if (left.count > 0 || lastOf.get(batch.producerId) === batch) {
          kept.push({ ...batch, bytes: left.bytes });
        }
      }
    }
    this.#batches = kept;
    if (options.dropMarkers ?? false) {
      // Nothing is left of these to hide, and without their markers they would hide later records.
      this.#aborted = this.#aborted.filter((transaction) => transaction.lastOffset >= stable);
    }
    this.#changed();
  }

  /** Offset of the newest committed record of each key below the stable offset. */
  #newestByKey(): Map<string, number> {
    const newest = new Map<string, number>();
    const { bytes, aborted } = this.read(this.#start, {
      isolation: "committed",
      bytesMax: Infinity,
    });
    const { records } = decodeRecordBatches(bytes, {
      fetchOffset: this.#start,
      isolation: "committed",
      aborted,
    });
    for (let i = 0; i < records.count; i++) {
      newest.set(
        keyText(records.bytes, records.keyStart[i]!, records.keyEnd[i]!),
        records.offsets[i]!,
      );
    }
    return newest;
  }
}

function keyText(bytes: Uint8Array, start: number, end: number): string {
  return start < 0 ? "null" : `=${bytes.subarray(start, end).join()}`;
}

interface RecordSeen {
  offset: number;
  key: string;
  tombstone: boolean;
}

/** Rewrites a batch with some of its records gone; offsets and header stay (MemoryRecords.filterTo). */
function retain(
  batch: Uint8Array,
  keep: (record: RecordSeen) => boolean,
): { bytes: Uint8Array; count: number } {
  const { records } = decodeRecordBatches(batch, {
    fetchOffset: 0,
    isolation: "uncommitted",
    aborted: [],
  });
  const parts: Uint8Array[] = [batch.subarray(0, BATCH_HEADER_BYTES)];
  let at = BATCH_HEADER_BYTES;
  for (let i = 0; i < records.count; i++) {
    const { size, lengthBytes } = recordLength(batch, at);
    const whole = batch.subarray(at, at + lengthBytes + size);
    at += whole.length;
    const key = keyText(records.bytes, records.keyStart[i]!, records.keyEnd[i]!);
    const tombstone = records.valueStart[i]! < 0;
    if (keep({ offset: records.offsets[i]!, key, tombstone })) parts.push(whole);
  }
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let to = 0;
  for (const part of parts) {
    bytes.set(part, to);
    to += part.length;
  }
  const view = new DataView(bytes.buffer);
  view.setInt32(8, bytes.length - 12);
  view.setInt32(57, parts.length - 1);
  view.setUint32(17, crc32c(bytes, 21));
  return { bytes, count: parts.length - 1 };
}

function recordLength(bytes: Uint8Array, at: number): { size: number; lengthBytes: number } {
  let value = 0;
  for (let i = 0; i < 5; i++) {
    const byte = bytes[at + i]!;
    value |= (byte & 0x7f) << (7 * i);
    if (byte < 0x80) return { size: value >>> 1, lengthBytes: i + 1 };
  }
  throw new RangeError("Cannot read a record length: longer than 5 bytes");
}
