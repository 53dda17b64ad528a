import { assert, assertEquals } from "@std/assert";
import { parseAmount } from "../contracts/money.ts";
import { drawAmountCents, drawHighAmountCents, printCents, toNotesCents } from "./amounts.ts";
import { createPrng } from "./prng.ts";

Deno.test("printCents() prints exactly", () => {
  const cases: [number, string][] = [
    [50, "0.5"],
    [1205, "12.05"],
    [1200, "12"],
    [1210, "12.1"],
    [-14058, "-140.58"],
    [5_000_000, "50000"],
    [-5, "-0.05"],
  ];
  for (const [cents, text] of cases) {
    assertEquals(printCents(cents), text);
    assertEquals(parseAmount(text), { ok: true, units: BigInt(cents) * 100n });
  }
});

Deno.test("amounts stay in their limits at any spending", () => {
  const prng = createPrng(1, "a");
  for (let i = 0; i < 5000; i++) {
    const cents = drawAmountCents(prng, "travel", i % 2 === 0 ? 1000 : 0.0001);
    assert(cents >= 50 && cents <= 5_000_000 && Number.isInteger(cents));
    const high = drawHighAmountCents(prng);
    assert(high > 1_000_000 && high <= 5_000_000 && Number.isInteger(high));
  }
});

Deno.test("cash comes in tens", () => {
  assertEquals([50, 1499, 1500, 5_000_000].map(toNotesCents), [1000, 1000, 2000, 5_000_000]);
});
