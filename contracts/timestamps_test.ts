import { assertEquals } from "@std/assert";
import { dayOf, parseTimestamp, printDate, printTimestamp } from "./timestamps.ts";

// Expected values: `date -u -d TEXT +%s`, times 1,000,000, plus the fraction by hand.
const VALID: readonly [string, number][] = [
  ["1970-01-01T00:00:00Z", 0],
  ["2000-01-01T00:00:00Z", 946_684_800_000_000],
  ["2024-02-29T12:00:00.5Z", 1_709_208_000_500_000],
  ["2024-02-29T12:00:00.123456789Z", 1_709_208_000_123_456],
  ["2024-02-29T14:00:00+02:00", 1_709_208_000_000_000],
  ["2024-02-29T06:30:00-05:30", 1_709_208_000_000_000],
  ["1969-12-31T23:59:59.9999999Z", -1],
];

const INVALID = [
  "2023-02-29T00:00:00Z",
  "2024-13-01T00:00:00Z",
  "2024-00-10T00:00:00Z",
  "2024-04-31T00:00:00Z",
  "2024-01-01T24:00:00Z",
  "2024-01-01T23:60:00Z",
  "2024-01-01T23:59:60Z",
  "2024-01-01T00:00:00",
  "2024-01-01 00:00:00Z",
  "2024-01-01T00:00Z",
  "2024-01-01T00:00:00.Z",
  "2024-01-01T00:00:00.1234567890Z",
  "2024-01-01T00:00:00+0200",
  "2024-01-01T00:00:00+24:00",
  "2024-01-01t00:00:00z",
  " 2024-01-01T00:00:00Z",
  "1704067200",
  "",
];

Deno.test("parseTimestamp() reads ISO 8601 with an offset, floored to µs", () => {
  for (const [text, us] of VALID) assertEquals(parseTimestamp(text), us, text);
});

Deno.test("parseTimestamp() refuses what is not one", () => {
  for (const text of INVALID) assertEquals(parseTimestamp(text), undefined, text);
});

Deno.test("printTimestamp() and printDate() print UTC with six digits", () => {
  assertEquals(printTimestamp(1_709_208_000_123_456), "2024-02-29T12:00:00.123456Z");
  assertEquals(printTimestamp(-1), "1969-12-31T23:59:59.999999Z");
  assertEquals(printDate(1_709_251_199_999_999), "2024-02-29");
  assertEquals(printDate(-1), "1969-12-31");
});

Deno.test("dayOf() floors before the epoch too", () => {
  assertEquals(dayOf(0), 0);
  assertEquals(dayOf(-1), -1);
  assertEquals(dayOf(1_709_208_000_000_000), 19_782);
});
