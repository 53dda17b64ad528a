/** Decompression of record batches. We write none; other producers may use any of Kafka's codecs. */
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { Buffer } from "node:buffer";

/** Kafka's codec numbers, by attribute bits 0-2 of a batch. */
const CODECS = ["none", "gzip", "snappy", "lz4", "zstd"] as const;

/**
 * The records of a batch, uncompressed.
 *
 * @throws {Error} for a codec this build does not read.
 */
export function decompress(codec: number, bytes: Uint8Array): Uint8Array {
  const input = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (CODECS[codec]) {
    case "gzip":
      return gunzipSync(input);
    case "zstd":
      return zstdDecompressSync(input);
    default:
      throw new Error(
        `Cannot decompress a record batch: codec ${CODECS[codec] ?? codec}, expected gzip or zstd`,
      );
  }
}
