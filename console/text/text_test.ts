import { assertEquals } from "@std/assert";
import { asciiText } from "./ascii.ts";
import { cellWidth, cleanText, clipText, fitText, wrapText } from "./cells.ts";
import { sparkline } from "./chart.ts";
import { lineDiff } from "./diff.ts";
import { bytes, count, duration, grouped, milliseconds, rate } from "./format.ts";
import { fitLine, plainText, span, spread } from "./span.ts";

Deno.test("asciiText() keeps the width", () => {
  assertEquals(asciiText("gen → alert … Café ↓ 東京 ●"), "gen > alert ~ Cafe v ???? ?");
});

Deno.test("cleanText() lets nothing through that acts on a terminal", () => {
  assertEquals(cleanText("a\x1b[2Jb\x07\x9bc\u202ed"), "a·[2Jb··c·d");
  assertEquals(cleanText("tab\tand\nline"), "tab and line");
  assertEquals(cleanText("Müller 日本"), "Müller 日本");
});

Deno.test("cellWidth() counts wide characters twice and marks not at all", () => {
  assertEquals([cellWidth("abc"), cellWidth("日本"), cellWidth("e\u0301"), cellWidth("ü")], [
    3,
    4,
    1,
    1,
  ]);
});

Deno.test("clipText() and fitText() keep to the cells", () => {
  assertEquals(clipText("abcdef", 4), "abc…");
  assertEquals(clipText("日本語", 4), "日…");
  assertEquals(fitText("ab", 4, "right"), "  ab");
  assertEquals(cellWidth(fitText("日本語", 4)), 4);
  assertEquals(clipText("abc", 0), "");
});

Deno.test("wrapText() breaks at blanks, and longer words anywhere", () => {
  assertEquals(wrapText("one two three", 7), ["one two", "three"]);
  assertEquals(wrapText("abcdefgh", 3), ["abc", "def", "gh"]);
});

Deno.test("figures are short and have a unit", () => {
  assertEquals([0, 9999, 12_345, 4_560_000].map(count), ["0", "9999", "12.3k", "4.56M"]);
  assertEquals([0, 0.31, 49.96, 1250].map(rate), ["0", "0.3", "50.0", "1250"]);
  assertEquals([812, 3482, 125_829_120].map(bytes), ["812 B", "3.4 KiB", "120 MiB"]);
  assertEquals([4, 200, 7500, 273_600].map(duration), ["4s", "3m20s", "2h05m", "3d04h"]);
  assertEquals([8.2, 480, 3940, null].map(milliseconds), ["8ms", "480ms", "3.9s", "-"]);
  assertEquals(grouped(1234567n), "1,234,567");
});

Deno.test("sparkline() draws two samples a cell, newest at the right", () => {
  assertEquals(sparkline([4, 4, 2, 0], 4, { width: 2 }), "⣿⡄");
  assertEquals(sparkline([4], 4, { width: 2 }), "⠀⢸");
  assertEquals(sparkline([0, 0], 4, { width: 2 }), "⠀⠀");
  assertEquals(sparkline([7, 0, 1], 3, { width: 3, ascii: true }), "# .");
});

Deno.test("sparkline() shows little as something", () => {
  assertEquals(sparkline([1000, 1], 2, { width: 1 }), "⣇");
});

Deno.test("lines are cut and filled to their width", () => {
  assertEquals(plainText(fitLine([span("abc"), span("def")], 5)), "abcd…");
  assertEquals(plainText(spread([span("left")], [span("right")], 12)), "left   right");
  assertEquals(plainText(spread([span("left")], [span("right")], 7)), "l…right");
});

Deno.test("lineDiff() shows what changed and a little around it", () => {
  const before = ["a", "b", "c", "d", "e", "f", "g"].join("\n");
  assertEquals(lineDiff(before, before.replace("d", "D")), [
    "  b",
    "  c",
    "- d",
    "+ D",
    "  e",
    "  f",
  ]);
  assertEquals(lineDiff("a\nb", "a\nb\nc"), ["  a", "  b", "+ c"]);
  assertEquals(lineDiff("a", "a"), []);
});
