/** Bytes that are appended one after the other, in memory that is used again. */

/** A buffer that grows. */
export class Arena {
  /** The buffer; read it after an append, which may replace it. */
  bytes: Uint8Array = new Uint8Array(0);
  /** Bytes in use. */
  length = 0;

  /** The bytes in use, until the next append. */
  get written(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  /** Makes room for `size` more bytes. */
  reserve(size: number): void {
    const needed = this.length + size;
    if (needed <= this.bytes.length) return;
    // What is not written to takes no memory yet, so room is cheap.
    const larger = new Uint8Array(Math.max(needed, 2 * this.bytes.length));
    larger.set(this.written);
    this.bytes = larger;
  }

  /** Appends bytes; returns where they begin. */
  append(bytes: Uint8Array): number {
    const start = this.length;
    this.reserve(bytes.length);
    this.bytes.set(bytes, start);
    this.length += bytes.length;
    return start;
  }
}
