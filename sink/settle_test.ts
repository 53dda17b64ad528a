import { assert, assertEquals } from "@std/assert";
import { type ConsumedOffsets, OFFSETS_PROPERTY } from "../contracts/tables.ts";
import { commitAppend } from "../iceberg/commit/append.ts";
import { newSnapshotId } from "../iceberg/commit/environment.ts";
import { rollback } from "../iceberg/commit/refs.ts";
import { reloadTable, type Table } from "../iceberg/commit/table.ts";
import { TestWorld } from "../iceberg/commit/testing.ts";
import { tableOffsets } from "./offsets.ts";
import { acceptTableGaps, findTableGaps, GAPS_PROPERTY, settleRollback } from "./settle.ts";

const IDENTITY = { cluster: "C", topic: "transactions", topicId: "T1" };

function offsets(next: Record<string, string>): ConsumedOffsets {
  return { cluster: "C", topics: { transactions: { id: "T1", from: { ...next }, next } } };
}

/** A snapshot that says what was consumed, as the sink's commits do. */
async function consume(world: TestWorld, table: Table, next: Record<string, string>) {
  const text = JSON.stringify(offsets(next));
  const outcome = await commitAppend(table, {
    ...world.env,
    snapshotId: newSnapshotId(world.env.random),
    files: [await world.file()],
    summary: () => ({ [OFFSETS_PROPERTY]: text }),
    properties: () => ({ [OFFSETS_PROPERTY]: text }),
  });
  return outcome.table;
}

function log(partition: number, start: number, stable: number) {
  return { partition, start, stable, end: stable };
}

async function rolledBack(world: TestWorld): Promise<Table> {
  let table = await consume(world, await world.table(), { 0: "5" });
  const first = table.metadata["current-snapshot-id"]!;
  table = await consume(world, table, { 0: "9" });
  await rollback(table, { ...world.env, snapshotId: first });
  return await reloadTable(table);
}

Deno.test("settleRollback() replays or skips, as chosen", async () => {
  for (const [choice, next] of [["replay", "5"], ["skip", "9"]] as const) {
    const world = new TestWorld();
    const table = await rolledBack(world);
    assertEquals(tableOffsets(table.metadata).state, "rolled_back");
    assert(await settleRollback(table, { environment: world.env, choice }));
    const settled = tableOffsets((await reloadTable(table)).metadata);
    assert(settled.state === "known");
    assertEquals(settled.offsets.topics.transactions!.next, { 0: next });
    assertEquals(
      await settleRollback(await reloadTable(table), { environment: world.env, choice }),
      false,
    );
  }
});

Deno.test("findTableGaps() compares what is stored with what the log has", async () => {
  const world = new TestWorld();
  const { metadata } = await consume(world, await world.table(), { 0: "5", 1: "8", 2: "3" });
  const none = findTableGaps(metadata, IDENTITY, [log(0, 0, 9), log(1, 8, 8), log(3, 2, 4)]);
  assertEquals(none.gaps, []);
  const { gaps, offsets: after } = findTableGaps(metadata, IDENTITY, [
    log(0, 7, 9),
    log(1, 0, 6),
    log(2, 0, 3),
  ]);
  assertEquals(gaps.map((gap) => [gap.partition, gap.stored, gap.next, gap.reason]), [
    [0, "5", "7", "records 5 to 6 are gone"],
    [1, "8", "6", "the log ends at 6"],
  ]);
  assertEquals(after!.topics.transactions!.next, { 0: "7", 1: "6", 2: "3" });
});

Deno.test("findTableGaps() begins a log that was made anew at its start", async () => {
  const world = new TestWorld();
  const { metadata } = await consume(world, await world.table(), { 0: "5", 1: "8" });
  for (const identity of [{ ...IDENTITY, topicId: "T2" }, { ...IDENTITY, cluster: "D" }]) {
    const { gaps, offsets: after } = findTableGaps(metadata, identity, [
      log(0, 0, 9),
      log(1, 1, 2),
    ]);
    assertEquals(gaps.map((gap) => gap.next), ["0", "1"]);
    assertEquals(after, {
      cluster: identity.cluster,
      topics: {
        transactions: { id: identity.topicId, from: { 0: "0", 1: "1" }, next: { 0: "0", 1: "1" } },
      },
    });
  }
});

Deno.test("acceptTableGaps() moves the offsets, keeps the rows and puts the gap on record", async () => {
  const world = new TestWorld();
  let table = await consume(world, await world.table(), { 0: "5" });
  for (const start of [7, 20]) {
    const found = findTableGaps(table.metadata, IDENTITY, [log(0, start, 30)]);
    await acceptTableGaps(table, {
      environment: world.env,
      gaps: found.gaps,
      offsets: found.offsets!,
    });
    table = await reloadTable(table);
  }
  const stored = tableOffsets(table.metadata);
  assert(stored.state === "known");
  assertEquals(stored.offsets.topics.transactions!.next, { 0: "20" });
  assertEquals((await world.live(table.metadata)).length, 1);
  const record = JSON.parse(table.metadata.properties[GAPS_PROPERTY]!) as Record<string, string>[];
  assertEquals(record.map((gap) => [gap.stored, gap.next]), [["5", "7"], ["7", "20"]]);
});
