/**
 * CRC-32C (Castagnoli, polynomial 0x1EDC6F41 reflected), the checksum of Kafka's record batches.
 * Sixteen bytes a step by tables ("slicing"), since neither Deno nor node:zlib has this polynomial;
 * long inputs by the processor's own instruction once crc32c_addon.ts has brought it.
 */

const POLYNOMIAL = 0x82f63b78;
const SLICES = 16;

/** SLICES tables of 256 in one: table k maps a byte to its share k bytes further on. */
const TABLE = buildTable();

function buildTable(): Int32Array {
  const table = new Int32Array(SLICES * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    table[byte] = crc;
  }
  for (let slice = 1; slice < SLICES; slice++) {
    for (let byte = 0; byte < 256; byte++) {
      const previous = table[(slice - 1) * 256 + byte]!;
      table[slice * 256 + byte] = (previous >>> 8) ^ table[previous & 0xff]!;
    }
  }
  return table;
}

/** CRC-32C of some bytes, as an unsigned 32-bit number. */
export type Crc32c = (bytes: Uint8Array) => number;

/** A call into an addon takes as long as the tables do for so many bytes. */
const ADDON_BYTES_MIN = 512;

let addon: Crc32c | undefined;

/** Has long inputs summed by `sum` from here on; undefined: by the tables again. */
export function useCrc32cAddon(sum: Crc32c | undefined): void {
  addon = sum;
}

/** CRC-32C of `bytes` from `start` to `end`, as an unsigned 32-bit number. */
export function crc32c(bytes: Uint8Array, start = 0, end: number = bytes.length): number {
  return addon !== undefined && end - start >= ADDON_BYTES_MIN
    ? addon(bytes.subarray(start, end))
    : crc32cByTables(bytes, start, end);
}

/**
 * {@linkcode crc32c} without an addon. Four aligned words a step: a third quicker than sixteen single
 * bytes. Words are little-endian wherever Deno runs.
 */
export function crc32cByTables(bytes: Uint8Array, start = 0, end: number = bytes.length): number {
  const misaligned = (bytes.byteOffset + start) & 3;
  const aligned = Math.min(end, misaligned === 0 ? start : start + 4 - misaligned);
  const words = (end - aligned) >>> 4 << 2;
  let crc = byBytes(-1, bytes, { start, end: aligned });
  crc = byWords(
    crc,
    new Int32Array(bytes.buffer, words === 0 ? 0 : bytes.byteOffset + aligned, words),
  );
  crc = byBytes(crc, bytes, { start: aligned + words * 4, end });
  return (crc ^ -1) >>> 0;
}

function byBytes(
  crc: number,
  bytes: Uint8Array,
  { start, end }: { start: number; end: number },
): number {
  for (let i = start; i < end; i++) crc = (crc >>> 8) ^ TABLE[(crc ^ bytes[i]!) & 0xff]!;
  return crc;
}

function byWords(crc: number, words: Int32Array): number {
  const t = TABLE;
  for (let i = 0; i < words.length; i += 4) {
    const a = words[i]! ^ crc;
    const b = words[i + 1]!;
    const c = words[i + 2]!;
    const d = words[i + 3]!;
    crc = t[3840 + (a & 0xff)]! ^ t[3584 + ((a >>> 8) & 0xff)]! ^
      t[3328 + ((a >>> 16) & 0xff)]! ^ t[3072 + (a >>> 24)]! ^
      t[2816 + (b & 0xff)]! ^ t[2560 + ((b >>> 8) & 0xff)]! ^
      t[2304 + ((b >>> 16) & 0xff)]! ^ t[2048 + (b >>> 24)]! ^
      t[1792 + (c & 0xff)]! ^ t[1536 + ((c >>> 8) & 0xff)]! ^
      t[1280 + ((c >>> 16) & 0xff)]! ^ t[1024 + (c >>> 24)]! ^
      t[768 + (d & 0xff)]! ^ t[512 + ((d >>> 8) & 0xff)]! ^
      t[256 + ((d >>> 16) & 0xff)]! ^ t[d >>> 24]!;
  }
  return crc;
}
