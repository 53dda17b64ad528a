import { assertEquals, assertThrows } from "@std/assert";
import { type DayFile, originOf, runsOf } from "./spool.ts";

// Partition 0 from offset 10, three lines; partition 2 from 5, one; partition 0 from 20, two.
const FILE: DayFile = {
  day: "2026-11-21",
  path: "x",
  rows: 6,
  runs: [0, 10, 3, 2, 5, 1, 0, 20, 2],
};

Deno.test("originOf() finds the record that a line was", () => {
  const origins = [0, 1, 2, 3, 4, 5].map((line) => {
    const { partition, offset } = originOf(FILE, line);
    return `${partition}/${offset}`;
  });
  assertEquals(origins, ["0/10", "0/11", "0/12", "2/5", "0/20", "0/21"]);
  assertThrows(() => originOf(FILE, 6), RangeError, "it has 6");
});

Deno.test("runsOf() cuts runs as lines are cut", () => {
  for (let from = 0; from <= 6; from++) {
    for (let to = from; to <= 6; to++) {
      const part = { ...FILE, runs: runsOf(FILE, from, to) };
      for (let line = from; line < to; line++) {
        assertEquals(originOf(part, line - from), originOf(FILE, line), `${from}-${to} ${line}`);
      }
    }
  }
});
