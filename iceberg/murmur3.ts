/** 32-bit Murmur3, x86 variant, seed 0 (spec Appendix B). */

const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;

/** The hash as a signed 32-bit integer, as the spec's test values give it. */
export function murmur3(bytes: Uint8Array): number {
  const blocks = bytes.length & ~3;
  let hash = 0;
  for (let at = 0; at < blocks; at += 4) {
    const block = (bytes[at] as number) | ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24);
    hash ^= mix(block);
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  let tail = 0;
  for (let at = bytes.length - 1; at >= blocks; at--) tail = (tail << 8) | (bytes[at] as number);
  if (bytes.length > blocks) hash ^= mix(tail);
  return finish(hash ^ bytes.length);
}

function mix(block: number): number {
  const scaled = Math.imul(block, C1);
  return Math.imul((scaled << 15) | (scaled >>> 17), C2);
}

function finish(value: number): number {
  let hash = value;
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) | 0;
}
