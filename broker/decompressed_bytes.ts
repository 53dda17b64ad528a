/** Output of a codec that copies from what it has written: grows up to a limit. */
export class DecompressedBytes {
  #bytes: Uint8Array;
  #length = 0;
  readonly #bytesMax: number;

  constructor(expected: number, bytesMax: number) {
    this.#bytesMax = bytesMax;
    this.#check(expected);
    this.#bytes = new Uint8Array(expected);
  }

  /** What was written. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #check(length: number): void {
    if (length > this.#bytesMax) throw new RangeError(`over ${this.#bytesMax} bytes`);
  }

  #grow(size: number): void {
    const length = this.#length + size;
    if (length <= this.#bytes.length) return;
    this.#check(length);
    const grown = new Uint8Array(
      Math.min(Math.max(length, this.#bytes.length * 2), this.#bytesMax),
    );
    grown.set(this.#bytes);
    this.#bytes = grown;
  }

  /** Appends `input` from `start` to `end`. Throws RangeError beyond its end. */
  literal(input: Uint8Array, start: number, end: number): void {
    if (end > input.length) throw new RangeError("a literal is cut off");
    this.#grow(end - start);
    this.#bytes.set(input.subarray(start, end), this.#length);
    this.#length += end - start;
  }

  /** Appends `length` bytes from `distance` back, which may overlap what is being written. */
  copy(distance: number, length: number): void {
    if (distance < 1 || distance > this.#length) {
      throw new RangeError(`a copy from ${distance} bytes back at ${this.#length}`);
    }
    this.#grow(length);
    const from = this.#length - distance;
    if (distance >= length) this.#bytes.copyWithin(this.#length, from, from + length);
    else for (let i = 0; i < length; i++) this.#bytes[this.#length + i] = this.#bytes[from + i]!;
    this.#length += length;
  }
}
