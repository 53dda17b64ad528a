import { assertEquals } from "@std/assert";
import { printUnits } from "./amount.ts";

Deno.test("amounts are printed for people: grouped, with two to four decimals", () => {
  const rows: [number, string][] = [
    [0, "0.00"],
    [5, "0.0005"],
    [10_000, "1.00"],
    [10_500, "1.05"],
    [10_560, "1.056"],
    [10_567, "1.0567"],
    [9_999_999, "999.9999"],
    [10_000_000, "1,000.00"],
    [10_000_100, "1,000.01"],
    [123_455_000, "12,345.50"],
    [10_020_030_000_000, "1,002,003,000.00"],
    [-123_456_789, "-12,345.6789"],
    [999_999_999_999_999, "99,999,999,999.9999"],
  ];
  for (const [units, printed] of rows) assertEquals(printUnits(units), printed);
});
