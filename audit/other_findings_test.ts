import { assertEquals } from "@std/assert";
import { ChangelogView } from "./changelog_view.ts";
import { fileFindings, historyFindings, partitionFindings } from "./other_findings.ts";
import type { TableHistory } from "./table_history.ts";
import type { AuditView, PartitionView } from "./view.ts";

function view(
  next: number,
  log: { logStart?: number; end?: number; clusterId?: string; rawTopicId?: string } = {},
): AuditView {
  const { logStart = 5, end = 10, clusterId = "c", rawTopicId = "t" } = log;
  const changelog = new ChangelogView();
  changelog.position = { next, clusterId: "c", topicId: "t" };
  const outputs = {} as PartitionView["outputs"];
  const one = { partition: 0, changelog, start: logStart, logStart, position: next, end, outputs };
  return {
    clusterId,
    rawTopicId,
    partitions: [{ ...one, stateEnd: 0 }],
    tables: new Map(),
    histories: new Map(),
  };
}

Deno.test("a position must lie in the log of the same topic", () => {
  const table: [audited: AuditView, detail: string | undefined][] = [
    [view(5), undefined],
    [view(10), undefined],
    [view(4), "offsets 4 to 4 have expired before they were judged"],
    [view(11), "its position is 11, the log ends at 10: it has lost its tail"],
    [view(7, { clusterId: "d" }), "its position is of cluster c, this is d"],
    [view(7, { rawTopicId: "u" }), "its position is of topic id t, now it is u"],
  ];
  for (const [audited, detail] of table) {
    const found = partitionFindings(audited, "raw");
    assertEquals(found.flatMap(({ offenders }) => offenders.map((one) => one.detail)), [
      ...(detail === undefined ? [] : [detail]),
    ]);
    if (detail !== undefined) assertEquals(found[0]!.kind, "position outside of the log");
  }
});

Deno.test("problems of histories and files are named with their table, at most ten of each", () => {
  const problems = Array.from({ length: 12 }, (_, n) => ({
    snapshotId: BigInt(n),
    partition: 1,
    detail: "x",
  }));
  const histories = new Map([["alerts", { problems } as unknown as TableHistory]]);
  const [found] = historyFindings({ ...view(5), histories: histories as never }, "finance");
  assertEquals([found!.kind, found!.count, found!.offenders.length], [
    "offsets in snapshots (alerts)",
    12,
    10,
  ]);
  assertEquals(found!.offenders[0]!.at, "finance.alerts snapshot 0, partition 1");
  const files = { referenced: 1, missing: ["a"], orphans: { count: 0, bytes: 0, first: [] } };
  const loaded = { files: 1, unreadable: [{ location: "b", reason: "no" }], lost: undefined };
  assertEquals(
    fileFindings([{ name: "alerts", files: { ...files, addedBy: new Map() }, loaded }], "finance")
      .map(({ kind, offenders }) => `${kind}: ${offenders[0]!.detail}`),
    [
      "file missing (alerts): a is gone, but the table refers to it",
      "file unreadable (alerts): b cannot be read: no",
    ],
  );
});
