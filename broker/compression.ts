/** Decompression of record batches. We write zstd only (packing.ts); other producers may use any of Kafka's codecs. */
import { gunzipSync } from "node:zlib";
import type { Arena } from "./arena.ts";
import { DECOMPRESSED_BYTES_MAX } from "./limits.ts";
import { decompressLz4Frames } from "./lz4.ts";
import { decompressSnappy } from "./snappy.ts";
import { ZstdUnpacker } from "./zstd.ts";

/** Kafka's codec numbers, by attribute bits 0-2 of a batch. */
const CODECS = ["none", "gzip", "snappy", "lz4", "zstd"] as const;

let zstd: ZstdUnpacker | undefined;

/**
 * Appends the records of a batch, uncompressed, to `into`.
 *
 * @throws {Error} for a codec that Kafka does not have, damaged bytes, or more than
 * {@linkcode DECOMPRESSED_BYTES_MAX}.
 */
export function decompress(codec: number, bytes: Uint8Array, into: Arena): void {
  const name = CODECS[codec];
  const maxOutputLength = DECOMPRESSED_BYTES_MAX;
  try {
    switch (name) {
      case "gzip":
        return void into.append(gunzipSync(bytes, { maxOutputLength }));
      case "zstd":
        zstd ??= new ZstdUnpacker();
        return zstd.unpack(bytes, into, maxOutputLength);
      case "snappy":
        return void into.append(decompressSnappy(bytes, maxOutputLength));
      case "lz4":
        return void into.append(decompressLz4Frames(bytes, maxOutputLength));
      default:
        throw new RangeError("expected gzip, snappy, lz4 or zstd");
    }
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    const codecName = name ?? `codec ${codec}`;
    throw new Error(`Cannot decompress a record batch of ${codecName}: ${text}`, { cause });
  }
}
