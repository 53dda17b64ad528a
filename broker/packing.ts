/**
 * Packs the records of a batch with zstd, whose bytes are then a seventh: most of what a broker does with a
 * produced batch is to copy it, out of a socket and into the page cache (docs/decisions/0016).
 */
import { ZstdPacker } from "./zstd.ts";

/** How the batches of a writer are packed. */
export type Compression = "none" | "zstd";

/** Kafka's number of zstd, attribute bits 0-2 of a batch (KIP-110; readers since 2.1 know it). */
export const ZSTD = 4;

/** Batches of fewer bytes go as they are: a page of the log is as little as the broker writes. */
export const PACKED_BYTES_MIN = 4096;

/** The fast levels of zstd are the negative ones. */
const LEVEL = -7;

/** 128 KiB: records repeat each other at once, and a larger window is more memory to touch for each batch. */
const WINDOW_LOG = 17;

let packer: ZstdPacker | undefined;

/** The records packed, until the next call; undefined where that would not make them smaller. */
export function packZstd(records: Uint8Array): Uint8Array | undefined {
  packer ??= new ZstdPacker({ level: LEVEL, windowLog: WINDOW_LOG });
  const packed = packer.pack(records);
  return packed.length < records.length ? packed : undefined;
}
