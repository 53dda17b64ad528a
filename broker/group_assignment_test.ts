import { assertEquals } from "@std/assert";
import { assignmentDelta, assignRanges } from "./group_assignment.ts";

Deno.test("assignRanges() gives every partition once, in ranges that differ by one at most", () => {
  // members            partitions  expected, in order of instance id
  const table: [string[], number, Record<string, number[]>][] = [
    [["a"], /*        */ 4, { a: [0, 1, 2, 3] }],
    [["b", "a"], /*   */ 4, { a: [0, 1], b: [2, 3] }],
    [["c", "b", "a"], 4, { a: [0, 1], b: [2], c: [3] }],
    [["a", "b", "c"], 2, { a: [0], b: [1], c: [] }],
    [["a"], /*        */ 0, { a: [] }],
    [[], /*           */ 3, {}],
  ];
  for (const [members, partitions, expected] of table) {
    assertEquals(Object.fromEntries(assignRanges(members, partitions)), expected);
  }
});

Deno.test("assignmentDelta() names what came and what went", () => {
  assertEquals(assignmentDelta([0, 1, 2], [2, 3]), { gained: [3], lost: [0, 1] });
  assertEquals(assignmentDelta([], []), { gained: [], lost: [] });
});
