/**
 * LZ4 frames (lz4/lz4:doc/lz4_Frame_format.md, lz4_Block_format.md), blocks independent or linked.
 * Checksums inside are passed over: the record batch around them has its own.
 */
import { DecompressedBytes } from "./decompressed_bytes.ts";

const MAGIC = 0x184d2204;

/** Throws RangeError for damaged bytes or more than `bytesMax` of output. */
export function decompressLz4Frames(bytes: Uint8Array, bytesMax: number): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const output = new DecompressedBytes(Math.min(bytes.length * 3, bytesMax), bytesMax);
  let at = 0;
  while (at < bytes.length) at = decompressFrame(view, bytes, { at, output });
  return output.written;
}

/** Returns where the frame ends. DataView throws RangeError beyond the end. */
function decompressFrame(
  view: DataView,
  bytes: Uint8Array,
  { at, output }: { at: number; output: DecompressedBytes },
): number {
  if (view.getUint32(at, true) !== MAGIC) throw new RangeError("no LZ4 frame");
  const flags = view.getUint8(at + 4);
  if (flags >>> 6 !== 1) throw new RangeError(`LZ4 frame version ${flags >>> 6}, expected 1`);
  const blockChecksum = (flags & 0x10) !== 0 ? 4 : 0;
  const contentChecksum = (flags & 0x04) !== 0 ? 4 : 0;
  const contentSize = (flags & 0x08) !== 0 ? 8 : 0;
  const dictionaryId = (flags & 0x01) !== 0 ? 4 : 0;
  at += 6 + contentSize + dictionaryId + 1; // magic, flags, block descriptor; header checksum
  while (true) {
    const word = view.getUint32(at, true);
    at += 4;
    if (word === 0) return at + contentChecksum;
    const end = at + (word & 0x7fffffff);
    if (end > bytes.length) throw new RangeError("an LZ4 block is cut off");
    if (word >>> 31 === 1) output.literal(bytes, at, end);
    else decompressBlock(bytes, { at, end }, output);
    at = end + blockChecksum;
  }
}

function decompressBlock(
  bytes: Uint8Array,
  { at, end }: { at: number; end: number },
  output: DecompressedBytes,
): void {
  while (at < end) {
    const token = bytes[at++]!;
    let literals = token >>> 4;
    if (literals === 15) {
      let more: number;
      do {
        more = bytes[at++] ?? 0;
        literals += more;
      } while (more === 255);
    }
    output.literal(bytes, at, at + literals);
    at += literals;
    if (at >= end) return; // the last sequence has literals only
    const distance = bytes[at]! | ((bytes[at + 1] ?? 0) << 8);
    at += 2;
    let length = (token & 15) + 4;
    if (length === 19) {
      let more: number;
      do {
        more = bytes[at++] ?? 0;
        length += more;
      } while (more === 255);
    }
    output.copy(distance, length);
  }
}
