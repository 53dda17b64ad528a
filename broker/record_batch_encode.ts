/**
 * Writes Kafka's record batches, format v2 (https://kafka.apache.org/documentation/#recordbatch),
 * from columns. Uncompressed; one exact allocation per batch.
 */
import { crc32c } from "./crc32c.ts";
import type { OutBatch } from "./port.ts";
import { copyBytes, fieldSize, varintSize, writeField, writeVarint } from "./varint.ts";
import { writeInt64 } from "./wire.ts";

/** Bytes before the first record. */
export const BATCH_HEADER_BYTES = 61;
/** Where the checksummed part (the attributes) begins. */
const CRC_START = 21;

/** What a batch says about its producer. */
export interface BatchOptions {
  /** CreateTime of all records, ms. */
  timestamp: number;
  /** @default {-1}: none */
  producerId?: number;
  /** @default {-1} */
  producerEpoch?: number;
  /** Sequence number of the first record. @default {-1} */
  baseSequence?: number;
  /** @default {false} */
  transactional?: boolean;
  /** The broker sets it on append; only the in-process log needs it here. @default {0} */
  baseOffset?: number;
}

/** Records `from` (inclusive) to `to` (exclusive) of a batch, and their encoded size in bytes. */
export interface Chunk {
  from: number;
  to: number;
  bytes: number;
}

/** Headers of one record: bytes that are the same for all of them, then a value of its own, and so on. */
interface HeaderSegment {
  /** The count, names, and the values that all records share, up to the next value of its own. */
  shared: Uint8Array;
  values: readonly Uint8Array[] | undefined;
}

const encoder = new TextEncoder();

function prepareHeaders(batch: OutBatch): HeaderSegment[] {
  const columns = batch.headers ?? [];
  const segments: HeaderSegment[] = [];
  let shared: Uint8Array[] = [varint(columns.length)];
  for (const { name, values } of columns) {
    shared.push(field(encoder.encode(name)));
    if (values instanceof Uint8Array) {
      shared.push(field(values));
      continue;
    }
    if (values.length !== batch.values.length) {
      throw new RangeError(
        `Cannot encode header "${name}": ${values.length} values for ${batch.values.length} records`,
      );
    }
    segments.push({ shared: concat(shared), values });
    shared = [];
  }
  if (shared.length > 0) segments.push({ shared: concat(shared), values: undefined });
  return segments;
}

function varint(value: number): Uint8Array {
  const bytes = new Uint8Array(varintSize(value));
  writeVarint(bytes, 0, value);
  return bytes;
}

function field(value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(fieldSize(value));
  writeField(bytes, 0, value);
  return bytes;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) at = copyBytes(joined, at, part);
  return joined;
}

function headersSize(segments: readonly HeaderSegment[], index: number): number {
  let size = 0;
  for (const { shared, values } of segments) {
    size += shared.length;
    if (values !== undefined) size += fieldSize(values[index]!);
  }
  return size;
}

function writeHeaders(
  target: Uint8Array,
  at: number,
  options: { segments: readonly HeaderSegment[]; index: number },
): number {
  for (const { shared, values } of options.segments) {
    at = copyBytes(target, at, shared);
    if (values !== undefined) at = writeField(target, at, values[options.index]!);
  }
  return at;
}

/** Encodes the records of one batch for one partition, in chunks that are planned first. */
export class BatchEncoder {
  readonly #batch: OutBatch;
  readonly #headers: readonly HeaderSegment[];
  /** Size of each record's body without the offset delta, whose size depends on the chunk. */
  readonly #sizes: Int32Array;

  /** Throws RangeError where the columns differ in length. */
  constructor(batch: OutBatch) {
    const count = batch.values.length;
    if (batch.keys.length !== count) {
      throw new RangeError(`Cannot encode a batch: ${batch.keys.length} keys for ${count} values`);
    }
    this.#batch = batch;
    this.#headers = prepareHeaders(batch);
    this.#sizes = new Int32Array(count);
    for (let i = 0; i < count; i++) {
      // attributes (1) and timestamp delta (always 0, so 1), then key, value, headers
      this.#sizes[i] = 2 + fieldSize(batch.keys[i]!) + fieldSize(batch.values[i]!) +
        headersSize(this.#headers, i);
    }
  }

  /** Cuts the batch so that each chunk stays within `bytesMax`; a larger record goes alone. */
  plan(bytesMax: number): Chunk[] {
    const chunks: Chunk[] = [];
    let from = 0;
    let bytes = BATCH_HEADER_BYTES;
    for (let i = 0; i < this.#sizes.length; i++) {
      let size = this.#recordSize(i, i - from);
      if (bytes + size > bytesMax && i > from) {
        chunks.push({ from, to: i, bytes });
        from = i;
        bytes = BATCH_HEADER_BYTES;
        size = this.#recordSize(i, 0);
      }
      bytes += size;
    }
    if (this.#sizes.length > from) chunks.push({ from, to: this.#sizes.length, bytes });
    return chunks;
  }

  #recordSize(index: number, offsetDelta: number): number {
    const body = this.#sizes[index]! + varintSize(offsetDelta);
    return varintSize(body) + body;
  }

  /** The chunk as one record batch, checksum included. */
  encode(chunk: Chunk, options: BatchOptions): Uint8Array {
    const target = new Uint8Array(chunk.bytes);
    const { keys, values } = this.#batch;
    let at = BATCH_HEADER_BYTES;
    for (let i = chunk.from; i < chunk.to; i++) {
      const delta = i - chunk.from;
      at = writeVarint(target, at, this.#sizes[i]! + varintSize(delta));
      target[at++] = 0; // attributes, unused by the format
      target[at++] = 0; // timestamp delta
      at = writeVarint(target, at, delta);
      at = writeField(target, at, keys[i]!);
      at = writeField(target, at, values[i]!);
      at = writeHeaders(target, at, { segments: this.#headers, index: i });
    }
    if (at !== chunk.bytes) {
      throw new Error(`Cannot encode a batch: ${at} bytes written, ${chunk.bytes} planned`);
    }
    writeBatchHeader(target, chunk.to - chunk.from, options);
    return target;
  }
}

/** Writes the 61 bytes before the records of `target`, whose records are in place: the checksum covers them. */
export function writeBatchHeader(
  target: Uint8Array,
  count: number,
  options: BatchOptions & { control?: boolean; codec?: number },
): void {
  const view = new DataView(target.buffer, target.byteOffset, target.byteLength);
  writeInt64(view, 0, options.baseOffset ?? 0);
  view.setInt32(8, target.length - 12);
  view.setInt32(12, -1); // partition leader epoch: the broker's to set
  view.setInt8(16, 2); // magic
  const flags = (options.transactional ? 0x10 : 0) | (options.control ? 0x20 : 0);
  view.setInt16(CRC_START, flags | (options.codec ?? 0));
  view.setInt32(23, count - 1);
  writeInt64(view, 27, options.timestamp);
  writeInt64(view, 35, options.timestamp);
  writeInt64(view, 43, options.producerId ?? -1);
  view.setInt16(51, options.producerEpoch ?? -1);
  view.setInt32(53, options.baseSequence ?? -1);
  view.setInt32(57, count);
  view.setUint32(17, crc32c(target, CRC_START));
}

/** The record types of a control batch that ends a transaction (key: version int16, type int16). */
export const ABORT_MARKER = 0;
/** See {@linkcode ABORT_MARKER}. */
export const COMMIT_MARKER = 1;

/** The control batch by which a coordinator ends a transaction; for the in-process log. */
export function encodeMarker(
  type: typeof ABORT_MARKER | typeof COMMIT_MARKER,
  options: BatchOptions,
): Uint8Array {
  const record = [0, 0, 0, 8, 0, 0, 0, type, 12, 0, 0, 0, 0, 0, 0, 0];
  const target = new Uint8Array(BATCH_HEADER_BYTES + 1 + record.length);
  target[BATCH_HEADER_BYTES] = record.length * 2; // zig-zag of a small length
  target.set(record, BATCH_HEADER_BYTES + 1);
  writeBatchHeader(target, 1, { ...options, transactional: true, control: true });
  return target;
}

/**
 * Gives a batch its place, as a broker does on append: base offset and, on LogAppendTime topics,
 * the broker's own time for all records.
 */
export function placeBatch(batch: Uint8Array, baseOffset: number, logAppendTime?: number): void {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength);
  writeInt64(view, 0, baseOffset);
  if (logAppendTime === undefined) return;
  view.setInt16(CRC_START, view.getInt16(CRC_START) | 0x08);
  writeInt64(view, 35, logAppendTime);
  view.setUint32(17, crc32c(batch, CRC_START));
}
