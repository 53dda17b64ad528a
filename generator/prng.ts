/** Seeded randomness: the same seed and label give the same numbers on every machine. Not for secrets. */

/** A sequence of pseudo-random numbers. */
export interface Prng {
  /** In [0, 2^32). */
  uint32(): number;
  /** In [0, 1), 32 bits. */
  next(): number;
  /** Whole, in [0, n). */
  int(n: number): number;
  /** True with probability `p`. */
  chance(p: number): boolean;
  /** One of `items`, which must not be empty. */
  pick<T>(items: readonly T[]): T;
  /** Standard normal. */
  normal(): number;
  /** A UUID of version 4's shape. */
  uuid(): string;
}

/** Chris Doty-Humphrey's sfc32 (PractRand): 128 bits of state, passes BigCrush. */
function sfc32(a: number, b: number, c: number, d: number): () => number {
  return () => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return t >>> 0;
  };
}

/** FNV-1a over UTF-16 units; spreads the label over the seed. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  }
  return h >>> 0;
}

const HEX = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0"));

function hex4(word: number): string {
  return HEX[word >>> 24]! + HEX[(word >>> 16) & 255]! + HEX[(word >>> 8) & 255]! +
    HEX[word & 255]!;
}

/** A sequence of its own for each `seed` (whole, up to 2^53) and `label`. */
export function createPrng(seed: number, label: string): Prng {
  const uint32 = sfc32(seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0, hash(label), 1);
  // Neighbouring seeds differ in a few bits only; the author's 12 rounds mix them through the state.
  for (let i = 0; i < 15; i++) uint32();
  let spare: number | undefined;
  const prng: Prng = {
    uint32,
    next: () => uint32() / 2 ** 32,
    int: (n) => Math.floor(uint32() / 2 ** 32 * n),
    chance: (p) => uint32() < p * 2 ** 32,
    pick: (items) => items[prng.int(items.length)]!,
    normal() {
      if (spare !== undefined) {
        const value = spare;
        spare = undefined;
        return value;
      }
      // Box-Muller; 1 - u keeps the logarithm finite.
      const radius = Math.sqrt(-2 * Math.log(1 - prng.next()));
      const angle = 2 * Math.PI * prng.next();
      spare = radius * Math.sin(angle);
      return radius * Math.cos(angle);
    },
    uuid() {
      const a = hex4(uint32());
      const b = hex4((uint32() & 0xffff0fff) | 0x4000);
      const c = hex4((uint32() & 0x3fffffff) | 0x80000000);
      const d = hex4(uint32());
      return `${a}-${b.slice(0, 4)}-${b.slice(4)}-${c.slice(0, 4)}-${c.slice(4)}${d}`;
    },
  };
  return prng;
}
