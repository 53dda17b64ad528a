/**
 * CRC-32C (Castagnoli, polynomial 0x1EDC6F41 reflected), the checksum of Kafka's record batches.
 * Sixteen bytes a step by tables ("slicing"), since neither Deno nor node:zlib has this polynomial.
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

/** CRC-32C of `bytes` from `start` to `end`, as an unsigned 32-bit number. */
export function crc32c(bytes: Uint8Array, start = 0, end: number = bytes.length): number {
  const t = TABLE;
  const b = bytes;
  let crc = -1;
  let i = start;
  for (const stop = end - 15; i < stop; i += 16) {
    crc = t[3840 + ((b[i]! ^ crc) & 0xff)]! ^ t[3584 + ((b[i + 1]! ^ (crc >>> 8)) & 0xff)]! ^
      t[3328 + ((b[i + 2]! ^ (crc >>> 16)) & 0xff)]! ^ t[3072 + (b[i + 3]! ^ (crc >>> 24))]! ^
      t[2816 + b[i + 4]!]! ^ t[2560 + b[i + 5]!]! ^ t[2304 + b[i + 6]!]! ^
      t[2048 + b[i + 7]!]! ^ t[1792 + b[i + 8]!]! ^ t[1536 + b[i + 9]!]! ^
      t[1280 + b[i + 10]!]! ^ t[1024 + b[i + 11]!]! ^ t[768 + b[i + 12]!]! ^
      t[512 + b[i + 13]!]! ^ t[256 + b[i + 14]!]! ^ t[b[i + 15]!]!;
  }
  for (; i < end; i++) crc = (crc >>> 8) ^ t[(crc ^ b[i]!) & 0xff]!;
  return (crc ^ -1) >>> 0;
}
