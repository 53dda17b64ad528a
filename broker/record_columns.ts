/** Records as columns over one buffer, in memory that the next fetch may use again. */
import { Arena } from "./arena.ts";
import type { RecordBatch, Span } from "./port.ts";

const TEXT = new TextDecoder();

/** Reads zig-zag varints; records need six each, so most being one byte is the fast path. */
export class Cursor {
  position = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  varint(): number {
    const byte = this.#bytes[this.position++]!;
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1);
    return this.#longer(byte);
  }

  #longer(byte: number): number {
    let value = byte & 0x7f;
    for (let shift = 7; byte > 0x7f && shift < 35; shift += 7) {
      byte = this.#bytes[this.position++]!;
      value |= (byte & 0x7f) << shift;
    }
    return (value >>> 1) ^ -(value & 1);
  }

  /** As a number: the deltas of times in ms are far below 2^53. */
  varlong(): number {
    const byte = this.#bytes[this.position++]!;
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1);
    let value = BigInt(byte & 0x7f);
    let last = byte;
    for (let shift = 7n; last > 0x7f && shift < 70n; shift += 7n) {
      last = this.#bytes[this.position++]!;
      value |= BigInt(last & 0x7f) << shift;
    }
    return Number((value >> 1n) ^ -(value & 1n));
  }
}

/** Memory for the columns of a batch, used again by the next one: what a reader keeps per partition. */
export class ColumnMemory {
  #room = 0;
  offsets = new Float64Array(0);
  timestamps = new Float64Array(0);
  /** Starts and ends of keys and values, and where headers begin: five columns one after the other. */
  #places = new Int32Array(0);
  /** Records of batches that were compressed. */
  readonly unpacked = new Arena();

  /** Makes room for at least `room` records. */
  reserve(room: number): void {
    if (room <= this.#room) return;
    this.#room = room + (room >>> 3);
    this.offsets = new Float64Array(this.#room);
    this.timestamps = new Float64Array(this.#room);
    this.#places = new Int32Array(5 * this.#room);
  }

  /** Column `number` of the places, from 0. */
  places(number: number): Int32Array {
    return this.#places.subarray(number * this.#room, (number + 1) * this.#room);
  }
}

/** A {@linkcode RecordBatch} while and after it is filled. */
export class Columns implements RecordBatch {
  count = 0;
  readonly bytes: Uint8Array;
  offsets: Float64Array;
  timestamps: Float64Array;
  keyStart: Int32Array;
  keyEnd: Int32Array;
  valueStart: Int32Array;
  valueEnd: Int32Array;
  /** Where each record's headers begin, to be read on demand. */
  #headerStart: Int32Array;
  readonly #headers: Cursor;

  constructor(bytes: Uint8Array, room: number, memory: ColumnMemory) {
    memory.reserve(room);
    this.bytes = bytes;
    this.offsets = memory.offsets;
    this.timestamps = memory.timestamps;
    this.keyStart = memory.places(0);
    this.keyEnd = memory.places(1);
    this.valueStart = memory.places(2);
    this.valueEnd = memory.places(3);
    this.#headerStart = memory.places(4);
    this.#headers = new Cursor(bytes);
  }

  add(cursor: Cursor, offset: number, timestamp: number): void {
    const index = this.count++;
    this.offsets[index] = offset;
    this.timestamps[index] = timestamp;
    const keyLength = cursor.varint();
    this.keyStart[index] = keyLength < 0 ? -1 : cursor.position;
    if (keyLength > 0) cursor.position += keyLength;
    this.keyEnd[index] = keyLength < 0 ? -1 : cursor.position;
    const valueLength = cursor.varint();
    this.valueStart[index] = valueLength < 0 ? -1 : cursor.position;
    if (valueLength > 0) cursor.position += valueLength;
    this.valueEnd[index] = valueLength < 0 ? -1 : cursor.position;
    this.#headerStart[index] = cursor.position;
  }

  /** Cuts the columns to the records that are there: the memory may hold more, and a batch may begin below the fetch offset. */
  trim(): void {
    this.offsets = this.offsets.subarray(0, this.count);
    this.timestamps = this.timestamps.subarray(0, this.count);
    this.keyStart = this.keyStart.subarray(0, this.count);
    this.keyEnd = this.keyEnd.subarray(0, this.count);
    this.valueStart = this.valueStart.subarray(0, this.count);
    this.valueEnd = this.valueEnd.subarray(0, this.count);
  }

  header(index: number, name: string): Uint8Array | undefined {
    const span = { start: 0, end: 0 };
    return this.findHeader(index, name, span)
      ? this.bytes.subarray(span.start, span.end)
      : undefined;
  }

  findHeader(index: number, name: string, span: Span): boolean {
    if (index < 0 || index >= this.count) return false;
    const cursor = this.#headers;
    cursor.position = this.#headerStart[index]!;
    for (let left = cursor.varint(); left > 0 && cursor.position < this.bytes.length; left--) {
      const nameLength = cursor.varint();
      const nameStart = cursor.position;
      cursor.position += nameLength;
      const valueLength = cursor.varint();
      const valueStart = cursor.position;
      if (valueLength > 0) cursor.position += valueLength;
      if (this.#equals(nameStart, nameLength, name)) {
        span.start = valueStart;
        span.end = cursor.position;
        return true;
      }
    }
    return false;
  }

  #equals(start: number, length: number, name: string): boolean {
    // Byte by byte while all is ASCII, as our names are: a decoder per header costs more than the record.
    for (let i = 0; i < length; i++) {
      const byte = this.bytes[start + i]!;
      if (byte > 0x7f) return TEXT.decode(this.bytes.subarray(start, start + length)) === name;
      if (byte !== name.charCodeAt(i)) return false;
    }
    return length === name.length;
  }
}
