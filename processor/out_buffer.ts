/** Bytes of outgoing records. */
import { ChunkBuffer } from "../rules/chunk_buffer.ts";

const encoder = new TextEncoder();

/** A chunk buffer that takes texts and copies. */
export class OutBuffer extends ChunkBuffer {
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
