/**
 * Kafka's primitive types over bytes: what its protocol guide calls INT8…INT64, STRING, ARRAY,
 * UNSIGNED_VARINT, COMPACT_STRING and UUID (https://kafka.apache.org/protocol#protocol_types).
 *
 * 64-bit integers become JavaScript numbers and are asserted to be safe (below 2^53 in size):
 * offsets, producer ids and times in ms all are.
 */

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const TWO_32 = 4294967296;

/** Reads the 64-bit integer at `position`. Throws RangeError beyond 2^53. */
export function readInt64(view: DataView, position: number): number {
  const value = view.getInt32(position) * TWO_32 + view.getUint32(position + 4);
  if (!Number.isSafeInteger(value)) {
    throw new RangeError(`Cannot read a 64-bit integer "${view.getBigInt64(position)}": over 2^53`);
  }
  return value;
}

/** Writes a safe integer as 64 bits. Throws RangeError for any other number. */
export function writeInt64(view: DataView, position: number, value: number): void {
  if (!Number.isSafeInteger(value)) {
    throw new RangeError(`Cannot write a 64-bit integer "${value}": not a safe integer`);
  }
  view.setInt32(position, Math.floor(value / TWO_32));
  view.setUint32(position + 4, value >>> 0);
}

/** A growing buffer for one request. Methods return nothing: calls read as the schema does. */
export class ByteWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;
  /** What was written before `#bytes`. */
  readonly #pieces: Uint8Array[] = [];

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** What was written so far, in one piece; shares memory with the writer. */
  get written(): Uint8Array {
    if (this.#pieces.length > 0) throw new Error("Cannot give what was written in one piece");
    return this.#bytes.subarray(0, this.#length);
  }

  /** What was written so far; shares memory with the writer and with what {@linkcode shared} was given. */
  get pieces(): Uint8Array[] {
    return [...this.#pieces, this.#bytes.subarray(0, this.#length)];
  }

  #room(size: number): number {
    const start = this.#length;
    this.#length += size;
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return start;
  }

  int8(value: number): void {
    const at = this.#room(1);
    this.#view.setInt8(at, value);
  }

  int16(value: number): void {
    const at = this.#room(2);
    this.#view.setInt16(at, value);
  }

  int32(value: number): void {
    const at = this.#room(4);
    this.#view.setInt32(at, value);
  }

  int64(value: number): void {
    const at = this.#room(8);
    writeInt64(this.#view, at, value);
  }

  bool(value: boolean): void {
    this.int8(value ? 1 : 0);
  }

  raw(value: Uint8Array): void {
    const at = this.#room(value.length);
    this.#bytes.set(value, at);
  }

  /** STRING or NULLABLE_STRING. */
  string(value: string | null): void {
    if (value === null) return this.int16(-1);
    const bytes = encoder.encode(value);
    this.int16(bytes.length);
    this.raw(bytes);
  }

  /** BYTES or NULLABLE_BYTES. */
  bytes(value: Uint8Array | null): void {
    if (value === null) return this.int32(-1);
    this.int32(value.length);
    this.raw(value);
  }

  /** BYTES without a copy: they must stay as they are until the answer has come. */
  shared(value: Uint8Array): void {
    this.int32(value.length);
    this.#pieces.push(this.#bytes.subarray(0, this.#length), value);
    this.#bytes = new Uint8Array(256);
    this.#view = new DataView(this.#bytes.buffer);
    this.#length = 0;
  }

  /** ARRAY of `items`, each written by `write`. */
  array<T>(items: readonly T[], write: (item: T) => void): void {
    this.int32(items.length);
    for (const item of items) write(item);
  }

  unsignedVarint(value: number): void {
    while (value > 0x7f) {
      this.int8((value & 0x7f) | 0x80);
      value >>>= 7;
    }
    this.int8(value);
  }

  compactString(value: string | null): void {
    if (value === null) return this.unsignedVarint(0);
    const bytes = encoder.encode(value);
    this.unsignedVarint(bytes.length + 1);
    this.raw(bytes);
  }

  compactArray<T>(items: readonly T[], write: (item: T) => void): void {
    this.unsignedVarint(items.length + 1);
    for (const item of items) write(item);
  }

  /** An empty set of tagged fields, which ends every structure of a flexible version. */
  tags(): void {
    this.unsignedVarint(0);
  }
}

/** Reads one response. Every method throws RangeError beyond the end. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  #take(size: number): number {
    const start = this.#position;
    if (size < 0 || start + size > this.#bytes.length) {
      throw new RangeError(
        `Cannot read ${size} bytes at ${start}: the answer has ${this.#bytes.length}`,
      );
    }
    this.#position += size;
    return start;
  }

  int8(): number {
    return this.#view.getInt8(this.#take(1));
  }

  int16(): number {
    return this.#view.getInt16(this.#take(2));
  }

  int32(): number {
    return this.#view.getInt32(this.#take(4));
  }

  int64(): number {
    return readInt64(this.#view, this.#take(8));
  }

  bool(): boolean {
    return this.int8() !== 0;
  }

  /** The next `size` bytes, sharing memory with the answer. */
  raw(size: number): Uint8Array {
    const at = this.#take(size);
    return this.#bytes.subarray(at, at + size);
  }

  /** NULLABLE_STRING. */
  nullableString(): string | null {
    const size = this.int16();
    return size < 0 ? null : decoder.decode(this.raw(size));
  }

  /** STRING; "" for null. */
  string(): string {
    return this.nullableString() ?? "";
  }

  /** BYTES; empty for null. */
  bytes(): Uint8Array {
    const size = this.int32();
    return this.raw(size < 0 ? 0 : size);
  }

  /** ARRAY; empty for null. */
  array<T>(read: () => T): T[] {
    const count = this.int32();
    const items: T[] = [];
    for (let i = 0; i < count; i++) items.push(read());
    return items;
  }

  unsignedVarint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.int8();
      value |= (byte & 0x7f) << shift;
      if ((byte & 0x80) === 0) return value >>> 0;
    }
    throw new RangeError("Cannot read a varint: longer than 5 bytes");
  }

  /** COMPACT_NULLABLE_STRING. */
  compactString(): string | null {
    const size = this.unsignedVarint();
    return size === 0 ? null : decoder.decode(this.raw(size - 1));
  }

  compactArray<T>(read: () => T): T[] {
    const count = this.unsignedVarint() - 1;
    const items: T[] = [];
    for (let i = 0; i < count; i++) items.push(read());
    return items;
  }

  /** A UUID as Kafka prints it: base64url without padding. */
  uuid(): string {
    return uuidText(this.raw(16));
  }

  /** Skips tagged fields. */
  tags(): void {
    const count = this.unsignedVarint();
    for (let i = 0; i < count; i++) {
      this.unsignedVarint();
      this.raw(this.unsignedVarint());
    }
  }
}

/** Sixteen bytes as Kafka prints a topic id: base64url without padding. */
export function uuidText(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_")
    .replace(/=+$/, "");
}
