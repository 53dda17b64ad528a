import { assertEquals } from "@std/assert";
import { parseAmount, printAmount } from "./money.ts";

const TABLE: readonly [token: string, units: bigint | string][] = [
  ["1", 10_000n],
  ["-12.5", -125_000n],
  ["0.0001", 1n],
  ["1e3", 10_000_000n],
  ["1.5E-3", 15n],
  ["12500e-3", 125_000n],
  ["1.50000000", 15_000n],
  ["99999999999.9999", 999_999_999_999_999n],
  ["-99999999999.9999", -999_999_999_999_999n],
  ["0.00010000000000000000000000", 1n],
  ["100000000000", "size"],
  ["1e11", "size"],
  ["1e400", "size"],
  ["0.00001", "decimals"],
  // A double cannot tell this from 1: the token can.
  ["1.00000000000000000001", "decimals"],
  ["1e-400", "decimals"],
  ["0", "zero"],
  ["-0.0000", "zero"],
  ["0e5", "zero"],
  ["NaN", "not_a_number"],
  ["1,5", "not_a_number"],
  ["", "not_a_number"],
];

Deno.test("parseAmount() reads a JSON number token exactly", () => {
  for (const [token, expected] of TABLE) {
    const verdict = parseAmount(token);
    assertEquals(verdict.ok ? verdict.units : verdict.reason, expected, token);
  }
});

Deno.test("printAmount() prints without needless zeros", () => {
  assertEquals(printAmount(125_000n), "12.5");
  assertEquals(printAmount(-1n), "-0.0001");
  assertEquals(printAmount(10_000_000n), "1000");
});
