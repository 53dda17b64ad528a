import { Arena } from "./arena.ts";

/** Output of a codec that copies from what it has written: grows up to a limit. */
export class DecompressedBytes {
  readonly #output = new Arena();
  readonly #bytesMax: number;

  constructor(expected: number, bytesMax: number) {
    this.#bytesMax = bytesMax;
    this.#reserve(expected);
  }

  /** What was written. */
  get written(): Uint8Array {
    return this.#output.written;
  }

  #reserve(size: number): void {
    if (this.#output.length + size > this.#bytesMax) {
      throw new RangeError(`over ${this.#bytesMax} bytes`);
    }
    this.#output.reserve(size);
  }

  /** Appends `input` from `start` to `end`. Throws RangeError beyond its end. */
  literal(input: Uint8Array, start: number, end: number): void {
    if (end > input.length) throw new RangeError("a literal is cut off");
    this.#reserve(end - start);
    this.#output.append(input.subarray(start, end));
  }

  /** Appends `length` bytes from `distance` back, which may overlap what is being written. */
  copy(distance: number, length: number): void {
    const output = this.#output;
    if (distance < 1 || distance > output.length) {
      throw new RangeError(`a copy from ${distance} bytes back at ${output.length}`);
    }
    this.#reserve(length);
    const { bytes, length: at } = output;
    const from = at - distance;
    if (distance >= length) bytes.copyWithin(at, from, from + length);
    else for (let i = 0; i < length; i++) bytes[at + i] = bytes[from + i]!;
    output.length += length;
  }
}
