/** Bytes of outgoing records, written one after the other into large chunks. */

const CHUNK_BYTES = 1024 * 1024;

const encoder = new TextEncoder();

/**
 * A writer of byte slices. Slices stay valid for ever: a full chunk is left to its readers and a new
 * one begun, nothing is overwritten.
 */
export class OutBuffer {
  /** The chunk being filled. Read it after `reserve`. */
  bytes: Uint8Array = new Uint8Array(CHUNK_BYTES);
  /** Where the next byte goes. */
  at = 0;

  /** Makes room for `length` bytes in a row; returns where they begin. */
  reserve(length: number): number {
    if (this.at + length > this.bytes.length) {
      this.bytes = new Uint8Array(Math.max(CHUNK_BYTES, length));
      this.at = 0;
    }
    return this.at;
  }

  /** Writes a text; returns its bytes. */
  text(text: string): Uint8Array {
    const start = this.reserve(3 * text.length);
    const { written } = encoder.encodeInto(text, this.bytes.subarray(start));
    this.at = start + written;
    return this.bytes.subarray(start, this.at);
  }

  /** Copies bytes; returns the copy. */
  copy(source: Uint8Array, from: number, to: number): Uint8Array {
    const start = this.reserve(to - from);
    this.bytes.set(source.subarray(from, to), start);
    this.at = start + to - from;
    return this.bytes.subarray(start, this.at);
  }
}
