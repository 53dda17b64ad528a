/** Bytes written one after the other into large chunks that are never overwritten. */

const CHUNK_BYTES = 1024 * 1024;

/**
 * Slices of it stay valid for ever: a full chunk is left to those who hold slices of it, and a new one
 * is begun. Writers reserve room, write into `bytes` from `at` on, and move `at`.
 */
export class ChunkBuffer {
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
}
