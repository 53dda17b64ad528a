import { assert, assertEquals, assertThrows } from "@std/assert";
import { createPrng } from "./prng.ts";
import { createWeighted } from "./weighted.ts";

Deno.test("uuid() has version 4's shape and does not repeat", () => {
  const prng = createPrng(42, "x");
  const ids = Array.from({ length: 10_000 }, () => prng.uuid());
  for (const id of ids) {
    assert(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id), id);
  }
  assertEquals(new Set(ids).size, ids.length);
});

Deno.test("seeds above 2^32 and labels give sequences of their own", () => {
  const first = (seed: number, label: string) => createPrng(seed, label).uuid();
  const all = [
    first(1, "a"),
    first(2, "a"),
    first(1, "b"),
    first(2 ** 32 + 1, "a"),
    first(Number.MAX_SAFE_INTEGER, "a"),
  ];
  assertEquals(new Set(all).size, all.length);
  assertEquals(first(1, "a"), all[0]);
});

Deno.test("normal() has mean 0 and variance 1; int() reaches both ends", () => {
  const prng = createPrng(9, "n");
  const n = 100_000;
  let sum = 0, squares = 0;
  for (let i = 0; i < n; i++) {
    const x = prng.normal();
    sum += x;
    squares += x * x;
  }
  assert(Math.abs(sum / n) < 5 / Math.sqrt(n), `${sum / n}`);
  assert(Math.abs(squares / n - 1) < 5 * Math.sqrt(2 / n), `${squares / n}`);
  const seen = new Set(Array.from({ length: 200 }, () => prng.int(3)));
  assertEquals([...seen].sort(), [0, 1, 2]);
});

Deno.test("createWeighted() draws in proportion, never what weighs nothing", () => {
  const prng = createPrng(3, "w");
  const draw = createWeighted({ a: 3, b: 1, never: 0 });
  const counts = { a: 0, b: 0, never: 0 };
  const n = 40_000;
  for (let i = 0; i < n; i++) counts[draw(prng)]++;
  assertEquals(counts.never, 0);
  assert(Math.abs(counts.a - 0.75 * n) < 5 * Math.sqrt(n * 0.75 * 0.25), `${counts.a}`);
  assertThrows(() => createWeighted({ a: 0 }), RangeError);
});
