import { assertEquals, assertStringIncludes } from "@std/assert";
import { findGap } from "./gaps.ts";

const stored = (next: number, clusterId = "c", topicId = "t") => ({
  next,
  clusterId,
  topicId,
  sessionId: "s",
  rulesVersion: "v",
});

const facts = (start: number, stable: number, outputEnd: number) => ({
  topic: "raw",
  partition: 3,
  clusterId: "c",
  topicId: "t",
  raw: { start, stable },
  outputEnds: new Map([["transactions", outputEnd], ["alerts", 0]]),
});

Deno.test("findGap() tells when position and log do not fit together", () => {
  // position | log start, stable end, output end | kind, lost from, lost to, said
  const table: [
    ReturnType<typeof stored> | undefined,
    [number, number, number],
    [string, number, number, string] | undefined,
  ][] = [
    [undefined, [0, 0, 0], undefined],
    [undefined, [50, 90, 0], undefined],
    [undefined, [0, 0, 1], ["changelog_lost", 0, 0, "transactions hold records"]],
    [stored(0), [0, 0, 0], undefined],
    [stored(50), [50, 90, 7], undefined],
    [stored(90), [50, 90, 7], undefined],
    [stored(49), [50, 90, 7], ["expired", 49, 50, "offsets 49 to 49 are gone"]],
    [stored(0), [50, 90, 7], ["expired", 0, 50, "offsets 0 to 49 are gone"]],
    [stored(91), [50, 90, 7], ["truncated", 90, 91, "the log ends at 90"]],
    [stored(60, "other"), [50, 90, 7], ["identity", 60, 60, "cluster other"]],
    [stored(60, "c", "other"), [50, 90, 7], ["identity", 60, 60, "topic id other"]],
    [stored(10, "c", "other"), [50, 90, 7], ["identity", 10, 10, "topic id other"]],
  ];
  for (const [position, [start, stable, outputEnd], expected] of table) {
    const gap = findGap(position, facts(start, stable, outputEnd));
    assertEquals(
      gap && [gap.kind, gap.from, gap.to],
      expected?.slice(0, 3) as unknown[] | undefined,
      JSON.stringify([position?.next, start, stable]),
    );
    if (gap === undefined) continue;
    assertStringIncludes(gap.reason, expected![3]);
    assertStringIncludes(gap.reason, "raw/3");
    assertStringIncludes(gap.reason, "deno task resume --accept-gap");
  }
});
