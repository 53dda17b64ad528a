import { assertEquals } from "@std/assert";
import { compareBytes, encodeUtf8 } from "./bytes.ts";
import { compareCodePoints, compareValues } from "./compare.ts";
import type { PrimitiveType, Value } from "./types.ts";

Deno.test("compareCodePoints() orders by code points where UTF-16 units do not", () => {
  const fullWidthTilde = "\uff5e";
  const grin = "\u{1f600}";
  // The reason for this function: JavaScript's own order is the other way round.
  assertEquals(fullWidthTilde < grin, false);
  assertEquals(compareCodePoints(fullWidthTilde, grin) < 0, true);
});

Deno.test("compareCodePoints() gives the order of the UTF-8 bytes", () => {
  const points = [0x00, 0x41, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff];
  const words = points.flatMap((point) => {
    const char = String.fromCodePoint(point);
    return [char, `a${char}`, `${char}a`, char + char];
  });
  for (const a of ["", ...words]) {
    for (const b of words) {
      assertEquals(
        Math.sign(compareCodePoints(a, b)),
        Math.sign(compareBytes(encodeUtf8(a), encodeUtf8(b))),
        `${JSON.stringify(a)} and ${JSON.stringify(b)}`,
      );
    }
  }
});

// Each row ascends strictly.
const ASCENDING: [PrimitiveType, Value[]][] = [
  ["boolean", [false, true]],
  ["int", [-5, 0, 7]],
  ["long", [-(2n ** 63n), -1n, 0n, 2n ** 63n - 1n]],
  // Spec "Sorting": -Infinity < -value < -0 < 0 < value < Infinity < NaN.
  ["double", [-Infinity, -1, -0, 0, 1, Infinity, NaN]],
  ["decimal(9, 2)", [-100n, -99n, 0n, 3n]],
  ["string", ["", "a", "aa", "b", "é", "\uff5e", "\u{1f600}"]],
  ["binary", [Uint8Array.of(), Uint8Array.of(0), Uint8Array.of(0x7f), Uint8Array.of(0x80)]],
  ["uuid", ["00000000-0000-4000-8000-000000000000", "f0000000-0000-4000-8000-000000000000"]],
];

for (const [type, values] of ASCENDING) {
  Deno.test(`compareValues() orders ${type}`, () => {
    values.forEach((a, i) =>
      values.forEach((b, j) =>
        assertEquals(Math.sign(compareValues(type, a, b)), Math.sign(i - j), `${a} and ${b}`)
      )
    );
  });
}
