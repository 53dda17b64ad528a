/** Histories by hand: a row is a snapshot, oldest first. */
import { assertEquals } from "@std/assert";
import { OFFSETS_PROPERTY } from "../contracts/tables.ts";
import type { TableMetadata } from "../iceberg/types.ts";
import { TABLE_GAPS_PROPERTY, tableHistory } from "./table_history.ts";

const LOG = { cluster: "c", topic: "transactions", topicId: "t1" };

interface Row {
  operation?: string;
  from?: Record<string, string>;
  next?: Record<string, string>;
  id?: string;
  gaps?: unknown[];
}

function offsetsText({ from = {}, next, id = "t1" }: Row): string | undefined {
  if (next === undefined) return undefined;
  return JSON.stringify({ cluster: "c", topics: { transactions: { id, from, next } } });
}

function metadata(rows: readonly Row[], property?: Row): TableMetadata {
  const snapshots = rows.map((row, index) => ({
    "snapshot-id": BigInt(index + 1),
    ...(index === 0 ? {} : { "parent-snapshot-id": BigInt(index) }),
    "sequence-number": BigInt(index + 1),
    "timestamp-ms": index,
    "manifest-list": "",
    summary: {
      operation: row.operation ?? "append",
      ...(row.next === undefined ? {} : { [OFFSETS_PROPERTY]: offsetsText(row)! }),
      ...(row.gaps === undefined ? {} : { [TABLE_GAPS_PROPERTY]: JSON.stringify(row.gaps) }),
    },
  }));
  const newest = property ?? rows.findLast(({ next }) => next !== undefined);
  const text = newest && offsetsText(newest);
  return {
    snapshots,
    "current-snapshot-id": snapshots.length === 0 ? null : BigInt(snapshots.length),
    properties: text === undefined ? {} : { [OFFSETS_PROPERTY]: text },
  } as unknown as TableMetadata;
}

function problems(rows: readonly Row[], property?: Row): string[] {
  return tableHistory(metadata(rows, property), LOG).problems.map(
    ({ snapshotId, partition, detail }) => `${snapshotId}/${partition}: ${detail}`,
  );
}

const RIGHT: readonly Row[] = [
  { from: { 0: "0" }, next: { 0: "10" } },
  { from: { 0: "10", 1: "0" }, next: { 0: "20", 1: "5" } },
  { operation: "replace", from: { 0: "10", 1: "0" }, next: { 0: "20", 1: "5" } },
  { from: { 0: "10", 1: "5" }, next: { 0: "20", 1: "9" } },
];

Deno.test("a history in which each from is the previous next is right", () => {
  const history = tableHistory(metadata(RIGHT), LOG);
  assertEquals(history.problems, []);
  assertEquals(Object.fromEntries(history.next), { 0: 20, 1: 9 });
  assertEquals(
    history.ranges.map(({ snapshotId, partition, from, next }) =>
      `${snapshotId}/${partition} ${from}-${next}`
    ),
    ["1/0 0-10", "2/0 10-20", "2/1 0-5", "4/1 5-9"],
  );
});

Deno.test("what does not follow is said, with snapshot and partition", () => {
  assertEquals(problems([...RIGHT, { from: { 0: "21", 1: "9" }, next: { 0: "30", 1: "9" } }]), [
    "5/0: it begins at offset 21 and ends at 30, the one before ended at 20",
  ]);
  assertEquals(problems([...RIGHT, { from: { 0: "20", 1: "9" }, next: { 0: "19", 1: "9" } }]), [
    "5/0: its next offset 19 lies before its from offset 20",
  ]);
  assertEquals(problems([...RIGHT, { from: { 0: "10" }, next: { 0: "20" } }]), [
    "5/1: its offset is gone from the summary",
  ]);
  assertEquals(problems(RIGHT, { next: { 0: "30", 1: "9" } }), [
    "undefined/0: the table property says 30 is next, the newest snapshot 20",
  ]);
  assertEquals(problems([{ id: "t0", from: { 0: "0" }, next: { 0: "10" } }]), [
    "1/undefined: its offsets are of topic id t0, now it is t1",
    "undefined/undefined: its offsets are of topic id t0, now it is t1",
  ]);
});

Deno.test("snapshots without our offsets are others'", () => {
  const { foreign, problems } = tableHistory(metadata([...RIGHT, { operation: "delete" }]), LOG);
  assertEquals([foreign.map((one) => one["snapshot-id"]), problems], [[5n], []]);
});

const GAP = {
  topic: "transactions",
  partition: 0,
  stored: "20",
  next: "40",
  reason: "records 20 to 39 are gone",
  acceptedAt: "2026-01-10T12:00:00Z",
};

Deno.test("an accepted gap is on record, and its jump is no offence", () => {
  const jump = { from: { 0: "40", 1: "5" }, next: { 0: "40", 1: "9" } };
  const after = { from: { 0: "40", 1: "5" }, next: { 0: "50", 1: "9" } };
  const history = tableHistory(metadata([...RIGHT, { ...jump, gaps: [GAP] }, after]), LOG);
  assertEquals(history.problems, []);
  assertEquals(history.gaps, [{ ...GAP, stored: 20, next: 40, anew: false }]);
  assertEquals(problems([...RIGHT, jump]).length, 1);
});

Deno.test("a topic made anew: what snapshots before say of the old one is no offence once it was accepted", () => {
  const gap = { ...GAP, next: "0", reason: "the log was made anew" };
  const rows = [
    { id: "t0", from: { 0: "0" }, next: { 0: "20" } },
    { from: { 0: "0" }, next: { 0: "0" }, gaps: [gap] },
    { from: { 0: "0" }, next: { 0: "7" } },
  ];
  const { problems, next, gaps } = tableHistory(metadata(rows), LOG);
  assertEquals(problems, []);
  assertEquals([Object.fromEntries(next), gaps.map(({ anew }) => anew)], [{ 0: 7 }, [true]]);
});
