/**
 * Where Java's default partitioner puts a key: murmur2 of its bytes, sign bit off, modulo the number of
 * partitions (org.apache.kafka.common.utils.Utils.murmur2 and toPositive; `murmur2_random` in librdkafka).
 */

const SEED = 0x9747b28c;
const M = 0x5bd1e995;

/** murmur2 of `data` as a signed 32-bit number, as Java prints it. */
export function murmur2(data: Uint8Array): number {
  const length = data.length;
  let h = SEED ^ length;
  const whole = length & ~3;
  for (let i = 0; i < whole; i += 4) {
    let k = data[i]! | (data[i + 1]! << 8) | (data[i + 2]! << 16) | (data[i + 3]! << 24);
    k = Math.imul(k, M);
    k ^= k >>> 24;
    k = Math.imul(k, M);
    h = Math.imul(h, M) ^ k;
  }
  // The rest of fewer than four bytes, last first.
  if (length - whole >= 3) h ^= data[whole + 2]! << 16;
  if (length - whole >= 2) h ^= data[whole + 1]! << 8;
  if (length - whole >= 1) {
    h ^= data[whole]!;
    h = Math.imul(h, M);
  }
  h ^= h >>> 13;
  h = Math.imul(h, M);
  h ^= h >>> 15;
  return h | 0;
}

/** The partition of a key among `partitions`. */
export function partitionOf(key: Uint8Array, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions;
}
