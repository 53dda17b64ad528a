/**
 * SHA-1 (RFC 3174) of short messages, for UUIDv5 only: names are not secrets. In plain TypeScript since a
 * call of node:crypto costs several times the hash itself, and one is due for each alert.
 */

const words = new Int32Array(80);
let block = new Uint8Array(128);
const encoder = new TextEncoder();

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

/** Adds one block of 64 bytes at `at` to `state`. */
function compress(state: Int32Array, bytes: Uint8Array, at: number): void {
  for (let i = 0; i < 16; i++, at += 4) {
    words[i] = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
  }
  for (let i = 16; i < 80; i++) {
    words[i] = rotate(words[i - 3]! ^ words[i - 8]! ^ words[i - 14]! ^ words[i - 16]!, 1);
  }
  let a = state[0]!, b = state[1]!, c = state[2]!, d = state[3]!, e = state[4]!;
  for (let i = 0; i < 80; i++) {
    let f: number;
    if (i < 20) f = (((b & c) | (~b & d)) + 0x5a827999) | 0;
    else if (i < 40) f = ((b ^ c ^ d) + 0x6ed9eba1) | 0;
    else if (i < 60) f = (((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc) | 0;
    else f = ((b ^ c ^ d) + 0xca62c1d6) | 0;
    const next = (rotate(a, 5) + f + e + words[i]!) | 0;
    e = d;
    d = c;
    c = rotate(b, 30);
    b = a;
    a = next;
  }
  state[0] = state[0]! + a;
  state[1] = state[1]! + b;
  state[2] = state[2]! + c;
  state[3] = state[3]! + d;
  state[4] = state[4]! + e;
}

/** Puts SHA-1 of a message into `state`, as five big-endian words; `padded` is it by {@linkcode pad}. */
export function hashPadded(padded: Uint8Array, end: number, state: Int32Array): void {
  state[0] = 0x67452301;
  state[1] = 0xefcdab89;
  state[2] = 0x98badcfe;
  state[3] = 0x10325476;
  state[4] = 0xc3d2e1f0;
  for (let at = 0; at < end; at += 64) compress(state, padded, at);
}

/**
 * Pads the `length` bytes at the start of `bytes`, which has room for 72 more, to whole blocks (RFC 3174
 * section 4); returns where they end.
 */
export function pad(bytes: Uint8Array, length: number): number {
  const end = (length + 9 + 63) & ~63;
  bytes.fill(0, length, end);
  bytes[length] = 0x80;
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(end - 4, length * 8);
  return end;
}

/**
 * Puts SHA-1 of `prefix` followed by the UTF-8 of `text` into `state`, as five big-endian words. Not
 * reentrant; allocates little.
 */
export function sha1(prefix: Uint8Array, text: string, state: Int32Array): void {
  const sizeMax = prefix.length + 3 * text.length + 72;
  if (block.length < sizeMax) block = new Uint8Array(2 * sizeMax);
  block.set(prefix);
  const { written } = encoder.encodeInto(text, block.subarray(prefix.length));
  hashPadded(block, pad(block, prefix.length + written), state);
}
