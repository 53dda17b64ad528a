/** Decompression of record batches. We write zstd only (packing.ts); other producers may use any of Kafka's codecs. */
import { Buffer } from "node:buffer";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { DECOMPRESSED_BYTES_MAX } from "./limits.ts";
import { decompressLz4Frames } from "./lz4.ts";
import { decompressSnappy } from "./snappy.ts";

/** Kafka's codec numbers, by attribute bits 0-2 of a batch. */
const CODECS = ["none", "gzip", "snappy", "lz4", "zstd"] as const;

/**
 * The records of a batch, uncompressed.
 *
 * @throws {Error} for a codec that Kafka does not have, damaged bytes, or more than
 * {@linkcode DECOMPRESSED_BYTES_MAX}.
 */
export function decompress(codec: number, bytes: Uint8Array): Uint8Array {
  const name = CODECS[codec];
  const maxOutputLength = DECOMPRESSED_BYTES_MAX;
  try {
    switch (name) {
      case "gzip":
        return gunzipSync(asBuffer(bytes), { maxOutputLength });
      case "zstd":
        return zstdDecompressSync(asBuffer(bytes), {
          maxOutputLength,
          chunkSize: pieceSize(bytes),
        });
      case "snappy":
        return decompressSnappy(bytes, maxOutputLength);
      case "lz4":
        return decompressLz4Frames(bytes, maxOutputLength);
      default:
        throw new RangeError("expected gzip, snappy, lz4 or zstd");
    }
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    const codecName = name ?? `codec ${codec}`;
    throw new Error(`Cannot decompress a record batch of ${codecName}: ${text}`, { cause });
  }
}

/** Output in one piece, most of the time: joining pieces takes as long as decompressing. */
function pieceSize({ length }: Uint8Array): number {
  return length < 16 * 1024 ? 64 * 1024 : 1024 * 1024;
}

/** The same memory, as zlib wants it. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
