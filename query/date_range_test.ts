import { assertEquals, assertThrows } from "@std/assert";
import { MisuseError } from "../contracts/errors.ts";
import { isDatePoint, parseDateRange } from "./date_range.ts";

// 2026-03-10T12:34:56Z
const NOW = Date.UTC(2026, 2, 10, 12, 34, 56) * 1000;
const us = (iso: string): number => Date.parse(iso) * 1000;

const TABLE: readonly [text: string, from: string, to: string | undefined][] = [
  ["2026-03-01", "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"],
  ["2026-03-01..2026-03-07", "2026-03-01T00:00:00Z", "2026-03-08T00:00:00Z"],
  ["2026-03-01..2026-03-01", "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"],
  ["today", "2026-03-10T00:00:00Z", "2026-03-11T00:00:00Z"],
  ["yesterday..today", "2026-03-09T00:00:00Z", "2026-03-11T00:00:00Z"],
  ["-24h", "2026-03-09T12:34:56Z", undefined],
  ["-7d..-24h", "2026-03-03T12:34:56Z", "2026-03-09T12:34:56Z"],
  [
    "2026-03-01T10:00:00Z..2026-03-01T12:00:00+01:00",
    "2026-03-01T10:00:00Z",
    "2026-03-01T11:00:00Z",
  ],
  ["2026-03-01T10:00Z..now", "2026-03-01T10:00:00Z", "2026-03-10T12:34:56Z"],
];

Deno.test("parseDateRange() takes days as inclusive and times as half-open", () => {
  for (const [text, from, to] of TABLE) {
    const expected = to === undefined ? { fromUs: us(from) } : { fromUs: us(from), toUs: us(to) };
    assertEquals(parseDateRange(text, NOW), expected, text);
  }
});

Deno.test("parseDateRange() refuses what is no range, and says why", () => {
  const refused: readonly [string, string][] = [
    ["2026-02-30", "is not a day"],
    ["last week", "is not a day"],
    ["2026-03-01..-24h", "do not mix"],
    ["2026-03-07..2026-03-01", "before the beginning"],
    ["a..b..c", "expected A or A..B"],
    ["", "is not a day"],
  ];
  for (const [text, why] of refused) {
    assertThrows(() => parseDateRange(text, NOW), MisuseError, why);
  }
});

Deno.test("isDatePoint() tells a second date from another word", () => {
  assertEquals(["2026-03-01", "-24h", "today", "2026-03-01T10:00:00Z"].map(isDatePoint), [
    true,
    true,
    true,
    true,
  ]);
  assertEquals(["--limit", "alerts", "q.sql"].map(isDatePoint), [false, false, false]);
});
