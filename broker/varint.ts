/** Zig-zag varints of Kafka's record format (https://kafka.apache.org/documentation/#record). */

/** Bytes of `value` (at least -1, below 2^31) as a zig-zag varint. */
export function varintSize(value: number): number {
  const zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
  if (zigzag < 0x80) return 1;
  if (zigzag < 0x4000) return 2;
  if (zigzag < 0x200000) return 3;
  return zigzag < 0x10000000 ? 4 : 5;
}

/** Writes `value` at `at`; returns where it ends. */
export function writeVarint(target: Uint8Array, at: number, value: number): number {
  let zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
  while (zigzag > 0x7f) {
    target[at++] = (zigzag & 0x7f) | 0x80;
    zigzag >>>= 7;
  }
  target[at++] = zigzag;
  return at;
}

/** A call of `set` costs more than a few bytes one by one. */
const SMALL_BYTES = 24;

/** Copies bytes to `at`; returns where they end. */
export function copyBytes(target: Uint8Array, at: number, bytes: Uint8Array): number {
  const { length } = bytes;
  if (length > SMALL_BYTES) target.set(bytes, at);
  else for (let i = 0; i < length; i++) target[at + i] = bytes[i]!;
  return at + length;
}

/** Bytes of a field with its length in front; null is a length of -1. */
export function fieldSize(value: Uint8Array | null): number {
  return value === null ? 1 : varintSize(value.length) + value.length;
}

/** Writes a field with its length in front; returns where it ends. */
export function writeField(target: Uint8Array, at: number, value: Uint8Array | null): number {
  if (value === null) return writeVarint(target, at, -1);
  return copyBytes(target, writeVarint(target, at, value.length), value);
}
