import { assertEquals } from "@std/assert";
import { SLICE_OFFSETS_MAX, slicesOf } from "./slices.ts";

Deno.test("slices follow one another, the first and the last open to what lies outside", () => {
  const start = 1000;
  for (const length of [0, 1, SLICE_OFFSETS_MAX, SLICE_OFFSETS_MAX + 1, 5 * SLICE_OFFSETS_MAX]) {
    const slices = slicesOf({ partition: 3, start, end: start + length });
    assertEquals(slices.length, Math.max(1, Math.ceil(length / SLICE_OFFSETS_MAX)));
    assertEquals([slices[0]!.from, slices.at(-1)!.to], [undefined, undefined]);
    slices.slice(1).forEach(({ from }, index) => assertEquals(from, slices[index]!.to));
  }
});
