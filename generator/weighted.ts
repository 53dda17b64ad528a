/** Choosing by weight. */
import type { Prng } from "./prng.ts";

/** Draws keys of `weights` in proportion to their values (not negative, not all 0). */
export function createWeighted<K extends string>(
  weights: Readonly<Record<K, number>>,
): (prng: Prng) => K {
  const entries = Object.entries(weights) as [K, number][];
  const total = entries.reduce((sum, [, weight]) => sum + weight, 0);
  if (!(total > 0)) throw new RangeError(`Cannot draw by weight: the sum is ${total}`);
  const last = entries.findLast(([, weight]) => weight > 0)![0];
  return (prng) => {
    let at = prng.next() * total;
    for (const [key, weight] of entries) {
      at -= weight;
      if (at < 0) return key;
    }
    return last;
  };
}
