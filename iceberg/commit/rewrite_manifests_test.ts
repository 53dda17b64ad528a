import { assert, assertEquals } from "@std/assert";
import { snapshotOfRef } from "../metadata.ts";
import { planScan } from "../scan/plan.ts";
import { commitAppend } from "./append.ts";
import { readManifests } from "./drafts.ts";
import { newSnapshotId } from "./environment.ts";
import { commitRewriteManifests } from "./rewrite_manifests.ts";
import { reloadTable, type Table } from "./table.ts";
import { danglingLocations, TestWorld } from "./testing.ts";
import { TEST_DAY } from "./testing_files.ts";

async function appends(count: number, properties: Record<string, string> = {}) {
  const world = new TestWorld();
  let table: Table = await world.table(properties);
  for (let at = 0; at < count; at++) {
    table = (await commitAppend(table, {
      ...world.env,
      // Days go round, so time order is not partition order.
      files: [await world.file({ day: TEST_DAY + at % 3 })],
      snapshotId: newSnapshotId(world.env.random),
    })).table;
  }
  return { world, table };
}

const key = (entries: Awaited<ReturnType<TestWorld["live"]>>) =>
  entries.map((entry) =>
    [
      entry.data_file.file_path,
      entry.sequence_number,
      entry.file_sequence_number,
      entry.snapshot_id,
    ]
      .join()
  ).sort();

Deno.test("commitRewriteManifests() keeps every entry and sorts by partition", async () => {
  const { world, table } = await appends(9);
  const before = key(await world.live(table.metadata));
  const outcome = await commitRewriteManifests(table, {
    ...world.env,
    snapshotId: newSnapshotId(world.env.random),
  });
  assertEquals(outcome.status, "committed");
  const { metadata } = outcome.table;
  assertEquals((await readManifests(world.storage, snapshotOfRef(metadata, "main"))).length, 1);
  const live = await world.live(metadata);
  assertEquals(key(live), before);
  assertEquals(
    live.map((entry) => Number(entry.data_file.partition[0]) - TEST_DAY),
    [0, 0, 0, 1, 1, 1, 2, 2, 2],
  );
  const { summary } = metadata.snapshots.at(-1)!;
  assertEquals(summary["operation"], "replace");
  assertEquals(summary["manifests-replaced"], "9");
  assertEquals(summary["total-records"], "90");
  assertEquals(summary["added-data-files"], undefined);
  assertEquals(await danglingLocations(world, outcome.table), []);
  const again = await commitRewriteManifests(outcome.table, {
    ...world.env,
    snapshotId: newSnapshotId(world.env.random),
  });
  assertEquals(again.status, "nothing");
});

Deno.test("commitRewriteManifests() cuts at the target size, so that a day's scan skips the others", async () => {
  const properties = { "commit.manifest.target-size-bytes": "12000" };
  const { world, table } = await appends(12, {
    ...properties,
    "commit.manifest-merge.enabled": "false",
  });
  const { table: { metadata } } = await commitRewriteManifests(table, {
    ...world.env,
    snapshotId: newSnapshotId(world.env.random),
  });
  const plan = await planScan(metadata, world.storage, {
    filter: { op: "lt", column: "at", value: BigInt(TEST_DAY + 1) * 86_400_000_000n },
  });
  assertEquals(plan.files.length, 4);
  assert(plan.manifests.total > 1);
  assert(plan.manifests.read < plan.manifests.total);
});

Deno.test("commitRewriteManifests() beside an append loses neither", async () => {
  const { world, table } = await appends(4);
  const run = async () =>
    await commitAppend(await reloadTable(table), {
      ...world.env,
      files: [await world.file()],
      snapshotId: newSnapshotId(world.env.random),
    });
  world.catalog.failNext({ operation: "commitTable", run });
  const outcome = await commitRewriteManifests(table, {
    ...world.env,
    snapshotId: newSnapshotId(world.env.random),
  });
  assertEquals(outcome.attempts, 2);
  assertEquals((await world.paths(outcome.table.metadata)).length, 5);
});
