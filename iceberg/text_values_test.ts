import { assertEquals } from "@std/assert";
import { dateToText, textToDate, timestampToText } from "./text_values.ts";

// Days of java.time.LocalDate.ofEpochDay, from its documentation of the proleptic calendar.
const DATES: [days: number, text: string][] = [
  [0, "1970-01-01"],
  [-1, "1969-12-31"],
  [11016, "2000-02-29"],
  [19782, "2024-02-29"],
  [47540, "2100-02-28"],
  [47541, "2100-03-01"],
  [-719528, "0000-01-01"],
  [-719529, "-0001-12-31"],
  [2932896, "9999-12-31"],
  [2932897, "+10000-01-01"],
];

for (const [days, text] of DATES) {
  Deno.test(`dateToText() and textToDate() agree on ${text}`, () => {
    assertEquals(dateToText(days), text);
    assertEquals(textToDate(text), days);
  });
}

Deno.test("dateToText() agrees with Date over 800 years, day by day", () => {
  for (let days = -146_097; days <= 146_097; days++) {
    assertEquals(dateToText(days), new Date(days * 86_400_000).toISOString().slice(0, 10));
  }
});

Deno.test("dateToText() reaches the ends of int32, far beyond Date's range", () => {
  assertEquals(textToDate(dateToText(2 ** 31 - 1)), 2 ** 31 - 1);
  assertEquals(textToDate(dateToText(-(2 ** 31))), -(2 ** 31));
});

Deno.test("timestampToText() rounds down before the epoch", () => {
  assertEquals(timestampToText(-86_400_000_001n), "1969-12-30T23:59:59.999999");
});
