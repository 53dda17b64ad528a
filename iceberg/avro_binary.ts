/** Avro's binary encoding of primitives (Avro specification 1.11, "Binary Encoding"). */
import { Buffer } from "node:buffer";
import { IcebergError } from "./errors.ts";

const BITS_28 = 2 ** 28;

/** Reads primitives from bytes, front to back. Throws IcebergError past the end. */
export class AvroReader {
  readonly #bytes: Uint8Array;
  readonly #buffer: Buffer;
  readonly #view: DataView;
  #at: number;

  constructor(bytes: Uint8Array, at = 0) {
    // A plain view: the slice of a Buffer (zlib returns one) is not a copy.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = at;
  }

  /** Position of the next byte. */
  get at(): number {
    return this.#at;
  }

  /** Whether all bytes are read. */
  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** A zigzag varint that fits a number: `int`, lengths, counts, branch numbers. */
  readInt(): number {
    const bytes = this.#bytes;
    let byte = bytes[this.#at++];
    if (byte === undefined) throw pastEnd();
    let low = byte & 0x7f;
    if (byte < 0x80) return (low >>> 1) ^ -(low & 1);
    for (let shift = 7; shift < 28; shift += 7) {
      byte = bytes[this.#at++];
      if (byte === undefined) throw pastEnd();
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (low >>> 1) ^ -(low & 1);
    }
    const value = this.#rest(low);
    if (typeof value === "number") return value;
    throw new IcebergError(`Cannot read Avro int: ${value} is too large`);
  }

  /** A `long`. */
  readLong(): bigint {
    const bytes = this.#bytes;
    let low = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = bytes[this.#at++];
      if (byte === undefined) throw pastEnd();
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt((low >>> 1) ^ -(low & 1));
    }
    return BigInt(this.#rest(low));
  }

  /** What follows the low 28 bits; a number where it is exact. */
  #rest(low: number): number | bigint {
    let middle = 0;
    let high = 0;
    for (let shift = 28; shift < 70; shift += 7) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw pastEnd();
      if (shift < 56) middle |= (byte & 0x7f) << (shift - 28);
      else high |= (byte & 0x7f) << (shift - 56);
      if (byte < 0x80) return zigzag(low, middle, high);
    }
    throw new IcebergError("Cannot read Avro long: more than 10 bytes");
  }

  /** Skips a varint. */
  skipLong(): void {
    const bytes = this.#bytes;
    while (((bytes[this.#at++] ?? this.#end()) & 0x80) !== 0);
  }

  #end(): never {
    throw pastEnd();
  }

  /** A `boolean`. */
  readBoolean(): boolean {
    const at = this.#advance(1);
    return this.#bytes[at] !== 0;
  }

  /** A `float`. */
  readFloat(): number {
    return this.#view.getFloat32(this.#advance(4), true);
  }

  /** A `double`. */
  readDouble(): number {
    return this.#view.getFloat64(this.#advance(8), true);
  }

  /** `length` bytes, copied, so that a small bound does not keep the whole block alive. */
  readFixed(length: number): Uint8Array {
    const at = this.#advance(length);
    return this.#bytes.slice(at, at + length);
  }

  /** `bytes`, copied. */
  readBytes(): Uint8Array {
    return this.readFixed(this.#length());
  }

  /** A view of the next `length` bytes, not copied. */
  readView(length: number): Uint8Array {
    const at = this.#advance(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** A `string`. */
  readString(): string {
    const length = this.#length();
    const at = this.#advance(length);
    return this.#buffer.toString("utf8", at, at + length);
  }

  /** Skips `length` bytes. */
  skip(length: number): void {
    this.#advance(length);
  }

  /** Skips `bytes` or a `string`. */
  skipBytes(): void {
    this.#advance(this.#length());
  }

  #length(): number {
    const length = this.readInt();
    if (length < 0) throw new IcebergError(`Cannot read Avro bytes: length ${length}`);
    return length;
  }

  #advance(length: number): number {
    const at = this.#at;
    if (at + length > this.#bytes.length) throw pastEnd();
    this.#at = at + length;
    return at;
  }
}

function zigzag(low: number, middle: number, high: number): number | bigint {
  if (high === 0 && middle < 2 ** 24) {
    const value = low + middle * BITS_28;
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
  const value = BigInt(low) | (BigInt(middle) << 28n) | (BigInt(high) << 56n);
  return BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n));
}

function pastEnd(): IcebergError {
  return new IcebergError("Cannot read Avro data: it ends too early");
}

/** Writes primitives into a growing buffer. */
export class AvroWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #at = 0;

  constructor(capacity = 4096) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#at;
  }

  /** What is written so far, as a view that the next write may overwrite after {@linkcode clear}. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }

  /** Starts over, keeping the buffer. */
  clear(): void {
    this.#at = 0;
  }

  #reserve(length: number): void {
    if (this.#at + length <= this.#bytes.length) return;
    const bytes = new Uint8Array(Math.max(this.#bytes.length * 2, this.#at + length));
    bytes.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }

  /** An `int`, a length, a count or a branch number. */
  writeInt(value: number): void {
    if ((value | 0) !== value) {
      throw new IcebergError(`Cannot write Avro int "${value}": not a 32-bit integer`);
    }
    this.#reserve(5);
    let rest = ((value << 1) ^ (value >> 31)) >>> 0;
    while (rest >= 0x80) {
      this.#bytes[this.#at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#at++] = rest;
  }

  /** A `long`. */
  writeLong(value: bigint): void {
    if (value >= -0x40000000n && value < 0x40000000n) return this.writeInt(Number(value));
    if (BigInt.asIntN(64, value) !== value) {
      throw new IcebergError(`Cannot write Avro long "${value}": not a 64-bit integer`);
    }
    this.#reserve(10);
    let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
    while (rest >= 0x80n) {
      this.#bytes[this.#at++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#bytes[this.#at++] = Number(rest);
  }

  /** A `boolean`. */
  writeBoolean(value: boolean): void {
    this.#reserve(1);
    this.#bytes[this.#at++] = value ? 1 : 0;
  }

  /** A `float`. */
  writeFloat(value: number): void {
    this.#reserve(4);
    this.#view.setFloat32(this.#at, value, true);
    this.#at += 4;
  }

  /** A `double`. */
  writeDouble(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.#at, value, true);
    this.#at += 8;
  }

  /** Bytes without a length. */
  writeFixed(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** `bytes`. */
  writeBytes(bytes: Uint8Array): void {
    this.writeInt(bytes.length);
    this.writeFixed(bytes);
  }

  /** A `string`. */
  writeString(text: string): void {
    this.writeBytes(Buffer.from(text, "utf8"));
  }
}
