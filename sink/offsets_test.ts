import { assertEquals, assertThrows } from "@std/assert";
import { type ConsumedOffsets, OFFSETS_PROPERTY } from "../contracts/tables.ts";
import { newTableMetadata } from "../iceberg/new_table.ts";
import type { Snapshot, TableMetadata } from "../iceberg/types.ts";
import {
  advance,
  type BatchOffsets,
  checkBase,
  identityProblem,
  nextOffset,
  parseOffsets,
  standingOf,
  tableOffsets,
} from "./offsets.ts";

function offsets(next: Record<string, string>, topic = "transactions", id = "T1"): ConsumedOffsets {
  return { cluster: "C", topics: { [topic]: { id, from: { ...next }, next } } };
}

/** `0:5-9 1:0-3!`: partition 0 from 5 to 9; partition 1 from 0 to 3, first time. */
function batch(text: string): BatchOffsets {
  const partitions = new Map(
    text.split(" ").filter((part) => part !== "").map((part) => {
      const [, partition, from, next, mark] = /^(\d+):(\d+)-(\d+)(!?)$/.exec(part)!;
      return [Number(partition), {
        from: Number(from),
        next: Number(next),
        first: mark === "!",
      }];
    }),
  );
  return { cluster: "C", topic: "transactions", topicId: "T1", partitions };
}

/** A table whose snapshots 1, 2, 3… follow each other; an entry is that snapshot's offsets, if it has them. */
function table(
  summaries: (ConsumedOffsets | undefined)[],
  options: { property?: ConsumedOffsets; current?: number; expired?: number } = {},
): TableMetadata {
  const { property, current = summaries.length, expired = 0 } = options;
  const empty = newTableMetadata({
    uuid: "00000000-0000-4000-8000-000000000000",
    location: "file:///t",
    schema: { type: "struct", "schema-id": 0, fields: [] },
    properties: property === undefined ? {} : { [OFFSETS_PROPERTY]: JSON.stringify(property) },
    nowMs: 0,
  });
  const snapshots = summaries.map((summary, index): Snapshot => ({
    "snapshot-id": BigInt(index + 1),
    ...(index === 0 ? {} : { "parent-snapshot-id": BigInt(index) }),
    "sequence-number": BigInt(index + 1),
    "timestamp-ms": index,
    "manifest-list": "m",
    summary: {
      operation: "append",
      ...(summary === undefined ? {} : { [OFFSETS_PROPERTY]: JSON.stringify(summary) }),
    } as Snapshot["summary"],
  }));
  return {
    ...empty,
    snapshots: snapshots.slice(expired),
    "current-snapshot-id": current === 0 ? null : BigInt(current),
  };
}

Deno.test("standingOf() tells start, end and neither apart", () => {
  const rows: [base: Record<string, string> | undefined, batch: string, standing: string][] = [
    [undefined, "0:0-5!", "start"],
    [{}, "0:0-5!", "start"],
    [{ 0: "5" }, "0:5-9", "start"],
    [{ 0: "9" }, "0:5-9", "end"],
    [{ 0: "7" }, "0:5-9", "neither"],
    [{ 0: "12" }, "0:5-9", "neither"],
    // Somebody consumed a partition that was new to us.
    [{ 0: "5" }, "0:0-5!", "end"],
    [{ 0: "3" }, "0:0-5!", "neither"],
    // Offsets that were there are gone.
    [undefined, "0:5-9", "neither"],
    // Two partitions move together or not at all.
    [{ 0: "5", 1: "0" }, "0:5-9 1:0-3", "start"],
    [{ 0: "9", 1: "3" }, "0:5-9 1:0-3", "end"],
    [{ 0: "9", 1: "0" }, "0:5-9 1:0-3", "neither"],
    // Other partitions are other sinks' matter.
    [{ 0: "5", 7: "99" }, "0:5-9", "start"],
  ];
  for (const [base, text, standing] of rows) {
    const known = base === undefined ? undefined : offsets(base);
    assertEquals(standingOf(known, batch(text)), standing, `${JSON.stringify(base)} ${text}`);
  }
  assertEquals(standingOf(offsets({ 0: "5" }, "transactions", "T2"), batch("0:5-9")), "neither");
});

Deno.test("advance() moves the batch's partitions and carries all others", () => {
  const base: ConsumedOffsets = {
    cluster: "C",
    topics: {
      transactions: { id: "T1", from: { 0: "1", 1: "2" }, next: { 0: "5", 1: "3" } },
      other: { id: "T9", from: { 0: "7" }, next: { 0: "8" } },
    },
  };
  assertEquals(advance(base, batch("0:5-9 2:0-4!")), {
    cluster: "C",
    topics: {
      transactions: {
        id: "T1",
        from: { 0: "5", 1: "2", 2: "0" },
        next: { 0: "9", 1: "3", 2: "4" },
      },
      other: { id: "T9", from: { 0: "7" }, next: { 0: "8" } },
    },
  });
  assertEquals(advance(undefined, batch("0:0-4!")).topics.transactions!.next, { 0: "4" });
});

Deno.test("tableOffsets() takes the newest ancestor that has them, through commits of others", () => {
  const first = offsets({ 0: "5" });
  const second = offsets({ 0: "9" });
  assertEquals(tableOffsets(table([])), { state: "empty" });
  assertEquals(tableOffsets(table([undefined])), { state: "empty" });
  assertEquals(
    tableOffsets(table([first, second, undefined, undefined], { property: second })),
    { state: "known", offsets: second },
  );
});

Deno.test("tableOffsets() takes the property where every commit of ours has expired", () => {
  const known = offsets({ 0: "9" });
  assertEquals(
    tableOffsets(table([known, undefined, undefined], { property: known, expired: 1 })),
    { state: "known", offsets: known },
  );
});

Deno.test("tableOffsets() sees a rollback", () => {
  const first = offsets({ 0: "5" });
  const second = offsets({ 0: "9" });
  assertEquals(
    tableOffsets(table([first, second], { property: second, current: 1 })),
    { state: "rolled_back", summary: first, property: second },
  );
  assertEquals(
    tableOffsets(table([undefined, first], { property: first, current: 1 })),
    { state: "rolled_back", summary: undefined, property: first },
  );
  assertEquals(
    tableOffsets(table([first], { property: first, current: 0 })),
    { state: "rolled_back", summary: undefined, property: first },
  );
});

Deno.test("checkBase() lets a batch in once", () => {
  const first = offsets({ 0: "5" });
  const second = offsets({ 0: "9" });
  const rows: [metadata: TableMetadata, snapshotId: bigint, check: string][] = [
    [table([first], { property: first }), 99n, "go"],
    // It landed, and somebody committed after it.
    [table([first, second, undefined], { property: second }), 2n, "done"],
    // A twin of ours committed the same records.
    [table([first, second], { property: second }), 99n, "done"],
    [table([first, offsets({ 0: "8" })]), 99n, "zombie"],
    // It landed and was rolled back since.
    [table([first, second], { current: 1 }), 2n, "zombie"],
    [table([first, second], { property: second, current: 1 }), 99n, "zombie"],
    [table([]), 99n, "zombie"],
  ];
  for (const [metadata, snapshotId, check] of rows) {
    assertEquals(checkBase(metadata, batch("0:5-9"), snapshotId), check);
  }
  assertEquals(checkBase(table([]), batch("0:0-9!"), 99n), "go");
});

Deno.test("identityProblem() refuses another cluster and a topic made anew", () => {
  const log = { cluster: "C", topic: "transactions", topicId: "T1" };
  assertEquals(identityProblem(offsets({}), log), undefined);
  assertEquals(identityProblem(offsets({}, "other"), log), undefined);
  assertEquals(
    identityProblem(offsets({}), { ...log, cluster: "D" }),
    `the table was filled from Kafka cluster "C", this is "D"`,
  );
  assertEquals(
    identityProblem(offsets({}, "transactions", "T0"), log),
    `the table was filled from topic "transactions" with id T0; it was deleted and made anew, now its id is T1`,
  );
});

Deno.test("parseOffsets() reads what the contract prints and nothing else", () => {
  const text =
    `{"cluster":"C","topics":{"t":{"id":"T","from":{"0":"1"},"next":{"0":"9007199254740991"}}}}`;
  const parsed = parseOffsets(text, "x");
  assertEquals(JSON.stringify(parsed), text);
  assertEquals(nextOffset(parsed, "t", 0), 9007199254740991);
  assertEquals(nextOffset(parsed, "t", 1), undefined);
  for (
    const broken of [
      "",
      "{}",
      `{"cluster":"C"}`,
      `{"cluster":"C","topics":{"t":{"id":"T","from":{},"next":{"0":1}}}}`,
      `{"cluster":"C","topics":{"t":{"id":"T","from":{},"next":{"x":"1"}}}}`,
      `{"cluster":"C","topics":{"t":{"id":"T","from":{},"next":{"0":"9007199254740993"}}}}`,
      `{"cluster":"C","topics":{"t":{"from":{},"next":{}}}}`,
    ]
  ) assertThrows(() => parseOffsets(broken, "x"), Error, "Cannot use pipeline.offsets of x");
});
