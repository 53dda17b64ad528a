/** Cells as bytes in the changelog: a version, then zigzag varints, trailing zeros left out. */
import { NotReadyError } from "../contracts/errors.ts";

/** First byte of an encoded cell. */
export const CELL_VERSION = 1;

/** Most bytes that one varint takes. */
const VARINT_BYTES_MAX = 8;

/** Below this, integer arithmetic does. */
const SMALL = 2 ** 30;

function assertSafe(value: number): void {
  if (!Number.isSafeInteger(value)) {
    throw new RangeError(`Cannot store "${value}" in a cell: expected a safe integer`);
  }
}

/** Writes a safe integer at `at`; returns where it ends. Negative ones as -2n - 1. */
function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  if (!(value >= 0 && value < SMALL)) return writeLargeVarint(bytes, at, value);
  const small = value | 0;
  if (small !== value) assertSafe(value);
  let low = (small & 0x3f) << 1;
  let high = small >>> 6;
  while (high > 0) {
    bytes[at++] = low | 0x80;
    low = high & 0x7f;
    high >>>= 7;
  }
  bytes[at++] = low;
  return at;
}

function writeLargeVarint(bytes: Uint8Array, at: number, value: number): number {
  assertSafe(value);
  // One bit more than a safe integer has is needed for the sign, so the low bits go first.
  let high = value < 0 ? -value - 1 : value;
  const low = (high % 64) * 2 + (value < 0 ? 1 : 0);
  high = Math.floor(high / 64);
  bytes[at++] = high > 0 ? low | 0x80 : low;
  while (high > 0) {
    const next = high % 128;
    high = Math.floor(high / 128);
    bytes[at++] = high > 0 ? next | 0x80 : next;
  }
  return at;
}

/** Reads varints one after the other. */
class VarintReader {
  at = 0;
  constructor(readonly bytes: Uint8Array) {}

  next(): number {
    const first = this.#byte();
    let size = (first & 0x7e) / 2;
    let weight = 64;
    for (let byte = first; byte >= 0x80; weight *= 128) {
      byte = this.#byte();
      size += (byte & 0x7f) * weight;
    }
    const value = (first & 1) === 1 ? -size - 1 : size;
    assertSafe(value);
    return value;
  }

  #byte(): number {
    const byte = this.bytes[this.at++];
    if (byte === undefined) throw new Error("Cannot read a cell: it ends too early");
    return byte;
  }
}

/** Most bytes of an encoded cell of `length` words. */
export function cellBytesMax(length: number): number {
  return 1 + (length + 3) * VARINT_BYTES_MAX;
}

/**
 * Encodes the cell whose `length` words begin at `base` to the start of `into`, which has room for
 * {@linkcode cellBytesMax}; returns where it ends.
 */
export function encodeCell(
  key: number,
  touched: number,
  words: Float64Array,
  base: number,
  length: number,
  into: Uint8Array,
): number {
  let used = length;
  while (used > 0 && words[base + used - 1] === 0) used--;
  into[0] = CELL_VERSION;
  let at = writeVarint(into, 1, length);
  at = writeVarint(into, at, key);
  at = writeVarint(into, at, touched);
  for (let i = 0; i < used; i++) at = writeVarint(into, at, words[base + i]!);
  return at;
}

/** Number of words that an encoded cell has room for. */
export function cellWordsOf(value: Uint8Array): number {
  return header(value).next();
}

function header(value: Uint8Array): VarintReader {
  if (value[0] !== CELL_VERSION) {
    throw new NotReadyError(
      `Cannot read a cell of version "${value[0]}": expected ${CELL_VERSION}`,
    );
  }
  const reader = new VarintReader(value);
  reader.at = 1;
  return reader;
}

/** Decodes a cell into `words`, which must have as many words as it was encoded from. */
export function decodeCell(
  value: Uint8Array,
  words: Float64Array,
): { key: number; touched: number } {
  const reader = header(value);
  const length = reader.next();
  if (length !== words.length) {
    throw new Error(`Cannot read a cell of ${length} words: expected ${words.length}`);
  }
  const key = reader.next();
  const touched = reader.next();
  words.fill(0);
  for (let i = 0; reader.at < value.length; i++) {
    if (i >= length) throw new Error(`Cannot read a cell: more than its ${length} words follow`);
    words[i] = reader.next();
  }
  return { key, touched };
}
