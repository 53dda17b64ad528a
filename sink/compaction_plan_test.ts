import { assert, assertEquals } from "@std/assert";
import type { PlannedFile } from "../iceberg/scan/plan.ts";
import { COMPACT_ALL, planCompaction } from "./compaction_plan.ts";

/** `1:300` = a file of 300 bytes in day 1; `x` at the end: it has deletes. */
function files(text: string): PlannedFile[] {
  return text.split(" ").map((part, index) => {
    const [, day, size, deletes] = /^(\d+):(\d+)(x?)$/.exec(part)!;
    return {
      path: `f${index}`,
      record_count: 1n,
      file_size_in_bytes: BigInt(size!),
      file: { spec_id: 0, partition: [Number(day)] },
      sequenceNumber: 1n,
      deletes: deletes === "" ? [] : [{}],
    } as unknown as PlannedFile;
  });
}

function planned(text: string, filesMin: number, targetBytes = 1000): string[] {
  return planCompaction(files(text), { targetBytes, filesMin })
    .map((group) =>
      `${group.partition[0]}: ${group.files.map((file) => file.file_size_in_bytes).join("+")}`
    );
}

Deno.test("planCompaction() joins small files of a day up to the target", () => {
  const rows: [files: string, filesMin: number, groups: string[]][] = [
    ["1:10 1:20 2:30", 2, ["1: 10+20"]],
    ["1:10 1:20 2:30 2:40", 2, ["1: 10+20", "2: 30+40"]],
    // Too few, deletes, large enough.
    ["1:10 1:20 2:30 2:40", 3, []],
    ["1:10x 1:20", 2, []],
    ["1:10 1:20 1:750", 2, ["1: 10+20"]],
    // A file more would pass the target.
    ["1:400 1:500 1:600 1:300", 2, ["1: 300+400"]],
    // A large one waits until the others together reach its size.
    ["1:10 1:20 1:30 1:500", 3, ["1: 10+20+30"]],
    ["1:10 1:20 1:500", 3, []],
    ["1:100 1:200 1:290 1:300", 3, ["1: 100+200+290+300"]],
  ];
  for (const [text, filesMin, groups] of rows) {
    assertEquals(planned(text, filesMin), groups, `${text} with ${filesMin}`);
  }
});

Deno.test("planCompaction() takes fewer files of the days before the newest", () => {
  const groups = planCompaction(
    files("1:10 1:11 1:12 2:10 2:11 2:12 3:10 3:11 3:12 3:13"),
    { targetBytes: 1000, filesMin: 4, filesMinClosed: 3 },
  );
  assertEquals(groups.map(({ partition, files }) => [partition[0], files.length]), [
    [1, 3],
    [2, 3],
    [
      3,
      4,
    ],
  ]);
  const open = planCompaction(files("1:10 1:11 2:10 2:11 2:12"), {
    targetBytes: 1000,
    filesMin: 4,
    filesMinClosed: 2,
  });
  assertEquals(open.map(({ partition, files }) => [partition[0], files.length]), [[1, 2]]);
});

Deno.test("planCompaction() ends: what it made is not made again", () => {
  let sizes = Array.from({ length: 500 }, (_, index) => 5 + index % 7);
  let rounds = 0;
  for (; rounds < 20; rounds++) {
    const text = sizes.map((size) => `1:${size}`).join(" ");
    const groups = planCompaction(files(text), { ...COMPACT_ALL, targetBytes: 1000 });
    if (groups.length === 0) break;
    const gone = groups.flatMap((group) => group.files.map((file) => Number(file.path.slice(1))));
    sizes = [
      ...sizes.filter((_, index) => !gone.includes(index)),
      ...groups.map((group) => group.bytes),
    ];
  }
  assertEquals(sizes.reduce((sum, size) => sum + size, 0), 3994);
  assert(rounds < 5, `${rounds} rounds`);
  // Four would hold them all; one more is what filling in order costs.
  assert(sizes.length <= 5, `${sizes.length} files`);
});
