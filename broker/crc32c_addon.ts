/**
 * The processor's own CRC-32C instruction, by the addon @node-rs/crc32: six times as fast as the tables.
 * To load it takes some 30 ms, so it is loaded beside the work once a good deal of bytes has come in. Where
 * there is none (another platform, no permission for FFI) the tables stay.
 */
import { type Crc32c, crc32cByTables, useCrc32cAddon } from "./crc32c.ts";

/** Bytes that the tables sum before the addon is worth its loading. */
const WORTH_BYTES = 8 * 1024 * 1024;

let bytesLeft = WORTH_BYTES;

/** Counts fetched bytes, and loads the addon when there were enough. */
export function countFetched(bytes: number): void {
  if (bytesLeft <= 0) return;
  bytesLeft -= bytes;
  if (bytesLeft <= 0) void loadCrc32cAddon();
}

/** Whether a sum is CRC-32C: as the tables say, at any alignment and length. */
export function isCrc32c(sum: Crc32c): boolean {
  const sample = Uint8Array.from({ length: 4096 }, (_, i) => (i * 37 + (i >>> 8)) & 0xff);
  return [[0, 0], [0, 1], [1, 64], [3, 1000], [0, 4096], [5, 4091]].every(([start, end]) =>
    sum(sample.subarray(start, end)) === crc32cByTables(sample, start, end)
  );
}

/** Loads the addon and has it used, if it sums right. Resolves to whether it does; never rejects. */
export async function loadCrc32cAddon(): Promise<boolean> {
  try {
    const { crc32c } = await import("@node-rs/crc32");
    const sum: Crc32c = (bytes) => crc32c(bytes);
    if (!isCrc32c(sum)) return false;
    useCrc32cAddon(sum);
    return true;
  } catch {
    return false;
  }
}
