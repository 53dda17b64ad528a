import { assertEquals } from "@std/assert";
import { truncateLower, truncateUpper } from "./bounds.ts";
import { compareValues } from "./compare.ts";

// The vectors of apache/iceberg core/src/test/java/org/apache/iceberg/TestMetricsTruncation.java.
const STRINGS: [text: string, width: number, lower: string, upper: string | undefined][] = [
  ["イロハニホヘト", 2, "イロ", "イヮ"],
  ["イロハニホヘト", 3, "イロハ", "イロバ"],
  ["イロハニホヘト", 7, "イロハニホヘト", "イロハニホヘト"],
  ["イロハニホヘト", 8, "イロハニホヘト", "イロハニホヘト"],
  ["щщаεはчωいにπάほхεろへσκζ", 7, "щщаεはчω", "щщаεはчϊ"],
  ["aनि\uffff\uffff", 3, "aनि", "aनी"],
  ["\uffff\uffff", 1, "\uffff", "\u{10000}"],
  ["\u{10ffff}\u{10ffff}", 1, "\u{10ffff}", undefined],
  ["\ud800\udfff\ud800\udfff", 1, "\ud800\udfff", "\ud801\udc00"],
  ["\u{1f602}\u{1f602}\u{1f602}", 2, "\u{1f602}\u{1f602}", "\u{1f602}\u{1f603}"],
  ["\u{1f602}\u{1f602}\u{1f602}", 1, "\u{1f602}", "\u{1f603}"],
  ["a\u{10ffff}c", 2, "a\u{10ffff}", "b"],
  ["a\ud7ffb", 2, "a\ud7ff", "a\ue000"],
];

for (const [text, width, lower, upper] of STRINGS) {
  Deno.test(`truncate… cut ${JSON.stringify(text)} to ${width} code points as Java does`, () => {
    assertEquals(truncateLower("string", text, width), lower);
    assertEquals(truncateUpper("string", text, width), upper);
    assertEquals(compareValues("string", lower, text) <= 0, true);
    if (upper !== undefined) assertEquals(compareValues("string", upper, text) >= 0, true);
  });
}

const BYTES: [hex: string, width: number, lower: string, upper: string | undefined][] = [
  ["010102", 2, "0101", "0102"],
  ["0101ff02", 2, "0101", "0102"],
  ["0101ff02", 3, "0101ff", "0102"],
  ["ffffff02", 5, "ffffff02", "ffffff02"],
  ["ffffff02", 2, "ffff", undefined],
  ["010100", 2, "0101", "0102"],
];

for (const [hex, width, lower, upper] of BYTES) {
  Deno.test(`truncate… cut bytes ${hex} to ${width} as Java does`, () => {
    const bytes = Uint8Array.fromHex(hex);
    assertEquals(truncateLower("binary", bytes, width), Uint8Array.fromHex(lower));
    const expected = upper === undefined ? undefined : Uint8Array.fromHex(upper);
    assertEquals(truncateUpper("binary", bytes, width), expected);
    assertEquals(bytes.toHex(), hex, "the input is left alone");
  });
}

Deno.test("truncate… leave other types alone", () => {
  assertEquals(truncateLower("long", 12345678901234567890n, 2), 12345678901234567890n);
  assertEquals(truncateUpper("int", 123, 1), 123);
});
