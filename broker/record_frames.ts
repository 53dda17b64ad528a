/**
 * Records that are framed as Kafka's record batches (format v2) while they are made: a value is written
 * once, to the place from which it is sent. The hot path's alternative to columns ({@linkcode OutBatch}):
 * no object per record, no second copy, and the buffer is used again.
 */
import { BATCH_BYTES_MAX } from "./limits.ts";
import { type Compression, PACKED_BYTES_MIN, packZstd, ZSTD } from "./packing.ts";
import {
  BATCH_HEADER_BYTES,
  type BatchOptions,
  type Chunk,
  writeBatchHeader,
} from "./record_batch_encode.ts";
import { copyBytes, fieldSize, varintSize, writeField, writeVarint } from "./varint.ts";

const CAPACITY_MIN = 64 * 1024;
/** A buffer that one huge unit has made larger than this is not kept. */
const CAPACITY_KEPT_MAX = 16 * 1024 * 1024;
const NO_BYTES = new Uint8Array(0);

const encoder = new TextEncoder();

/** Headers of the records: values that all share, and the name of one whose value is each record's own. */
export interface FrameHeaders {
  shared: readonly { name: string; value: Uint8Array }[];
  own?: string;
}

/** Settings of {@linkcode RecordFrames}. */
export interface FrameOptions {
  /** Most bytes of one record batch, before it is packed; a larger record goes alone. @default {900000} */
  bytesMax?: number;
  /** What is done with each batch as soon as it is full. @default {"none"} */
  compression?: Compression;
}

/** A record batch: in the buffer, or packed and out of it. */
interface FramedChunk extends Chunk {
  start: number;
  /** Packed records behind room for the header. */
  packed: Uint8Array | undefined;
}

function headerBytes({ shared, own }: FrameHeaders): Uint8Array {
  const fields = shared.flatMap(({ name, value }) => [encoder.encode(name), value]);
  if (own !== undefined) fields.push(encoder.encode(own));
  const count = shared.length + (own === undefined ? 0 : 1);
  const size = varintSize(count) + fields.reduce((sum, field) => sum + fieldSize(field), 0);
  const bytes = new Uint8Array(size);
  let at = writeVarint(bytes, 0, count);
  for (const field of fields) at = writeField(bytes, at, field);
  return bytes;
}

/**
 * Framed records for one partition. What is sent stays in the buffer: it must not be {@linkcode reset}
 * before the send has been acknowledged.
 */
export class RecordFrames {
  /** The buffer; read it after `open`, which may replace it. Holds what is not packed. */
  bytes: Uint8Array = new Uint8Array(CAPACITY_MIN);
  /** Where the own header's value of the record opened last begins. */
  ownAt = 0;
  /** Whether a record has no key. */
  hasNullKey = false;
  readonly #headers: Uint8Array;
  readonly #hasOwn: boolean;
  readonly #bytesMax: number;
  readonly #compression: Compression;
  #chunks: FramedChunk[] = [];
  /** Of the chunk being filled. */
  #start = 0;
  #from = 0;
  #count = 0;
  #end = 0;
  #packedBytes = 0;

  constructor(headers: FrameHeaders, options: FrameOptions = {}) {
    const { bytesMax = BATCH_BYTES_MAX, compression = "none" } = options;
    this.#headers = headerBytes(headers);
    this.#hasOwn = headers.own !== undefined;
    this.#bytesMax = bytesMax;
    this.#compression = compression;
  }

  /** Records so far. */
  get count(): number {
    return this.#count;
  }

  /** Bytes of memory that the records so far take: less than they are where they are packed. */
  get bytesHeld(): number {
    return this.#packedBytes + this.#end;
  }

  /** Forgets all records; keeps the buffer. */
  reset(): void {
    if (this.bytes.length > CAPACITY_KEPT_MAX) this.bytes = new Uint8Array(CAPACITY_MIN);
    this.#chunks = [];
    this.#start =
      this.#from =
      this.#count =
      this.#end =
      this.#packedBytes =
        0;
    this.hasNullKey = false;
  }

  /**
   * Frames a record, all but its value and its own header's value, whose places the caller fills: `valueLength`
   * bytes (-1: null) from the position that is returned, `ownLength` bytes from `ownAt`. The key is
   * `key[keyStart, keyEnd)`; `keyStart` -1 is none.
   */
  open(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueLength: number,
    ownLength = 0,
  ): number {
    const keyLength = keyStart < 0 ? -1 : keyEnd - keyStart;
    const headers = this.#headers;
    // attributes (1) and timestamp delta (always 0, so 1), then key, value, headers
    const body = 2 + varintSize(keyLength) + Math.max(0, keyLength) + varintSize(valueLength) +
      Math.max(0, valueLength) + headers.length +
      (this.#hasOwn ? varintSize(ownLength) + ownLength : 0);
    let delta = this.#count - this.#from;
    let size = body + varintSize(delta);
    size += varintSize(size);
    if (delta > 0 && this.#end - this.#start + size > this.#bytesMax) {
      this.#cut();
      delta = 0;
      size = body + 1;
      size += varintSize(size);
    }
    if (delta === 0) this.#end = this.#start + BATCH_HEADER_BYTES;
    this.#room(size);
    const { bytes } = this;
    let at = writeVarint(bytes, this.#end, body + varintSize(delta));
    bytes[at++] = 0; // attributes, unused by the format
    bytes[at++] = 0; // timestamp delta
    at = writeVarint(bytes, at, delta);
    at = writeVarint(bytes, at, keyLength);
    for (let i = 0; i < keyLength; i++) bytes[at++] = key[keyStart + i]!;
    const valueAt = writeVarint(bytes, at, valueLength);
    at = copyBytes(bytes, valueAt + Math.max(0, valueLength), headers);
    if (this.#hasOwn) {
      this.ownAt = writeVarint(bytes, at, ownLength);
      at = this.ownAt + ownLength;
    }
    this.#end = at;
    this.#count++;
    if (keyLength < 0) this.hasNullKey = true;
    return valueAt;
  }

  /** Adds a whole record; `own` where the headers name one. */
  add(key: Uint8Array | null, value: Uint8Array | null, own: Uint8Array = NO_BYTES): void {
    const keyBytes = key ?? NO_BYTES;
    const valueLength = value?.length ?? -1;
    const at = this.open(keyBytes, key === null ? -1 : 0, keyBytes.length, valueLength, own.length);
    if (value !== null) copyBytes(this.bytes, at, value);
    if (this.#hasOwn) copyBytes(this.bytes, this.ownAt, own);
  }

  #room(size: number): void {
    const needed = this.#end + size;
    if (needed <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, 2 * this.bytes.length));
    larger.set(this.bytes.subarray(0, this.#end));
    this.bytes = larger;
  }

  #cut(): void {
    const [start, from] = [this.#start, this.#from];
    const packed = this.#pack();
    this.#chunks.push({ start, from, to: this.#count, bytes: this.#end - start, packed });
    // The next batch may have the place of one that is packed.
    if (packed === undefined) this.#start = this.#end;
    else {
      this.#end = this.#start;
      this.#packedBytes += packed.length;
    }
    this.#from = this.#count;
  }

  #pack(): Uint8Array | undefined {
    const records = this.bytes.subarray(this.#start + BATCH_HEADER_BYTES, this.#end);
    if (this.#compression === "none" || records.length < PACKED_BYTES_MIN) return undefined;
    const packed = packZstd(records);
    if (packed === undefined) return undefined;
    const batch = new Uint8Array(BATCH_HEADER_BYTES + packed.length);
    batch.set(packed, BATCH_HEADER_BYTES);
    return batch;
  }

  /** The record batches so far; the records that follow begin another one. */
  plan(): Chunk[] {
    if (this.#count > this.#from) this.#cut();
    return [...this.#chunks];
  }

  /** One of the planned chunks as a record batch, checksum included: packed, or a slice of the buffer. */
  encode(chunk: Chunk, options: BatchOptions): Uint8Array {
    const { start, from, to, bytes, packed } = chunk as FramedChunk;
    const batch = packed ?? this.bytes.subarray(start, start + bytes);
    const codec = packed === undefined ? 0 : ZSTD;
    writeBatchHeader(batch, to - from, { ...options, codec });
    return batch;
  }
}
