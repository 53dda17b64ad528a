/**
 * Cells as bytes in the changelog: records of a fixed number of an account's cells, side by side. A version, then
 * zigzag varints: words of a cell, places for cells; then for each place how many words it has, trailing zeros
 * left out, plus one, or 0 where it holds no cell; key, last touch and those words.
 *
 * Version 1 held a single cell, whose words went on to the end. It is read, and no longer written.
 */
import { NotReadyError } from "../contracts/errors.ts";

/** First byte of a record that is written. */
export const CELLS_VERSION = 2;

/** First byte of a record of a single cell. */
const SINGLE_VERSION = 1;

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

  get isAtEnd(): boolean {
    return this.at === this.bytes.length;
  }

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

/** Most bytes of a record of `cells` places for cells of `cellWords` words. */
export function cellsBytesMax(cellWords: number, cells: number): number {
  return 1 + (2 + cells * (cellWords + 3)) * VARINT_BYTES_MAX;
}

/** Writes the beginning of a record to the start of `into`, which has room for {@linkcode cellsBytesMax}; returns where it ends. */
export function beginCells(into: Uint8Array, cellWords: number, cells: number): number {
  into[0] = CELLS_VERSION;
  return writeVarint(into, writeVarint(into, 1, cellWords), cells);
}

/** Writes a place without a cell at `at`; returns where it ends. */
export function writeNoCell(into: Uint8Array, at: number): number {
  into[at] = 0;
  return at + 1;
}

/** Writes the cell whose words begin at `base` at `at`; returns where it ends. */
export function writeCell(
  into: Uint8Array,
  at: number,
  key: number,
  touched: number,
  words: Float64Array,
  base: number,
  length: number,
): number {
  let used = length;
  while (used > 0 && words[base + used - 1] === 0) used--;
  at = writeVarint(into, at, used + 1);
  at = writeVarint(into, at, key);
  at = writeVarint(into, at, touched);
  for (let i = 0; i < used; i++) at = writeVarint(into, at, words[base + i]!);
  return at;
}

/** A record of cells that is read place by place. */
export class CellsReader {
  readonly cellWords: number;
  /** Places for cells. */
  readonly cells: number;
  /** Of the cell that was read last. */
  key = 0;
  touched = 0;
  readonly #varints: VarintReader;
  readonly #isSingle: boolean;
  #used = 0;

  /** @throws {NotReadyError} for a version that this program does not know. */
  constructor(value: Uint8Array) {
    const version = value[0];
    this.#isSingle = version === SINGLE_VERSION;
    if (!this.#isSingle && version !== CELLS_VERSION) {
      throw new NotReadyError(
        `Cannot read cells of version "${version}": expected at most ${CELLS_VERSION}`,
      );
    }
    this.#varints = new VarintReader(value);
    this.#varints.at = 1;
    this.cellWords = this.#varints.next();
    this.cells = this.#isSingle ? 1 : this.#varints.next();
  }

  /** Goes to the next place; false where it holds no cell, else {@linkcode read} it. */
  next(): boolean {
    this.#used = this.#isSingle ? this.cellWords : this.#varints.next() - 1;
    if (this.#used < -1 || this.#used > this.cellWords) {
      throw new Error(`Cannot read a cell of ${this.#used} words: expected ${this.cellWords}`);
    }
    return this.#used >= 0;
  }

  /** Reads the cell of this place into `words`, as many as it has. */
  read(words: Float64Array): void {
    const varints = this.#varints;
    this.key = varints.next();
    this.touched = varints.next();
    words.fill(0);
    for (let i = 0; i < this.#used && !(this.#isSingle && varints.isAtEnd); i++) {
      words[i] = varints.next();
    }
  }

  /** Ends the record. */
  end(): void {
    if (!this.#varints.isAtEnd) throw new Error("Cannot read cells: more bytes follow");
  }
}
