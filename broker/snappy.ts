/**
 * Snappy blocks (google/snappy:format_description.txt), plain as librdkafka writes them or in the framing
 * of xerial's snappy-java as Kafka's Java client does: a magic, two versions, then length and block.
 */
import { DecompressedBytes } from "./decompressed_bytes.ts";

const XERIAL_MAGIC = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00];
/** Magic and two 32-bit versions. */
const XERIAL_HEADER_BYTES = 16;

/** Throws RangeError for damaged bytes or more than `bytesMax` of output. */
export function decompressSnappy(bytes: Uint8Array, bytesMax: number): Uint8Array {
  const framed = XERIAL_MAGIC.every((byte, i) => bytes[i] === byte);
  if (!framed) {
    const output = new DecompressedBytes(blockLength(bytes, 0).length, bytesMax);
    decompressBlock(bytes, { start: 0, end: bytes.length }, output);
    return output.written;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const output = new DecompressedBytes(0, bytesMax);
  let at = XERIAL_HEADER_BYTES;
  while (at < bytes.length) {
    const end = at + 4 + view.getInt32(at);
    if (end > bytes.length || end < at + 4) throw new RangeError("a block is cut off");
    decompressBlock(bytes, { start: at + 4, end }, output);
    at = end;
  }
  return output.written;
}

/** The varint before a block: its uncompressed length, and where its elements begin. */
function blockLength(bytes: Uint8Array, start: number): { length: number; next: number } {
  let length = 0;
  for (let i = 0; i < 5; i++) {
    const byte = bytes[start + i] ?? 0;
    length += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return { length, next: start + i + 1 };
  }
  throw new RangeError("a block's length is longer than 5 bytes");
}

function decompressBlock(
  bytes: Uint8Array,
  { start, end }: { start: number; end: number },
  output: DecompressedBytes,
): void {
  const { length, next } = blockLength(bytes, start);
  const before = output.written.length;
  let at = next;
  while (at < end) {
    const tag = bytes[at++]!;
    const kind = tag & 3;
    if (kind === 0) {
      const extra = Math.max((tag >>> 2) - 59, 0); // 60 to 63: the length in 1 to 4 bytes
      const size = (extra === 0 ? tag >>> 2 : littleEndian(bytes, at, extra)) + 1;
      at += extra;
      output.literal(bytes, at, at + size);
      at += size;
    } else if (kind === 1) {
      output.copy(((tag >>> 5) << 8) | (bytes[at++] ?? 0), ((tag >>> 2) & 7) + 4);
    } else {
      const size = kind === 2 ? 2 : 4;
      output.copy(littleEndian(bytes, at, size), (tag >>> 2) + 1);
      at += size;
    }
  }
  if (output.written.length - before !== length) {
    throw new RangeError(`a block of ${output.written.length - before} bytes, expected ${length}`);
  }
}

function littleEndian(bytes: Uint8Array, at: number, size: number): number {
  let value = 0;
  for (let i = size - 1; i >= 0; i--) value = value * 256 + (bytes[at + i] ?? 0);
  return value;
}
