import { assert, assertEquals, assertRejects } from "@std/assert";
import { CommitStateUnknownError } from "../catalog/errors.ts";
import { planScan } from "../scan/plan.ts";
import { commitAppend } from "./append.ts";
import { newSnapshotId } from "./environment.ts";
import { expireSnapshots } from "./expire.ts";
import { planExpiry } from "./expiry_plan.ts";
import { commitOverwrite } from "./overwrite.ts";
import { createBranch, setTag } from "./refs.ts";
import { reloadTable, type Table } from "./table.ts";
import { danglingLocations, TEST_START_MS, TestWorld } from "./testing.ts";

const MINUTE_MS = 60_000;

/** One append a minute. */
async function minutes(count: number, properties: Record<string, string> = {}) {
  const world = new TestWorld();
  let table = await world.table(properties);
  for (let at = 0; at < count; at++) table = await append(world, table);
  return { world, table };
}

async function append(world: TestWorld, table: Table, branch = "main"): Promise<Table> {
  world.nowMs += MINUTE_MS;
  const files = [await world.file()];
  const snapshotId = newSnapshotId(world.env.random);
  return (await commitAppend(table, { ...world.env, files, snapshotId, branch })).table;
}

const numbers = (table: Table) =>
  table.metadata.snapshots.map((snapshot) => Number(snapshot["sequence-number"]));

Deno.test("planExpiry() keeps the young, at least the newest, and what refs hold", async () => {
  const { world, table } = await minutes(10);
  const id = (number: number) => table.metadata.snapshots[number - 1]!["snapshot-id"];
  const ref = (type: "tag" | "branch", number: number, more = {}) => ({
    type,
    "snapshot-id": id(number),
    ...more,
  });
  const nowMs = world.nowMs; // snapshot n is 10 - n minutes old
  // refs besides main                                age   least  kept numbers                refs dropped
  const cases = [
    [{}, 3, 1, [7, 8, 9, 10], []],
    [{}, 0, 1, [10], []],
    [{}, 0, 4, [7, 8, 9, 10], []],
    [{}, 99, 1, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], []],
    [{ t: ref("tag", 2) }, 1, 1, [2, 9, 10], []],
    [{ t: ref("tag", 2, { "max-ref-age-ms": 8 * MINUTE_MS }) }, 1, 1, [2, 9, 10], []],
    [{ t: ref("tag", 2, { "max-ref-age-ms": 8 * MINUTE_MS - 1 }) }, 1, 1, [9, 10], ["t"]],
    [{ b: ref("branch", 5) }, 1, 1, [5, 9, 10], []],
    [{ b: ref("branch", 5, { "min-snapshots-to-keep": 2 }) }, 1, 1, [4, 5, 9, 10], []],
    [{ b: ref("branch", 5, { "max-snapshot-age-ms": 7 * MINUTE_MS }) }, 1, 1, [3, 4, 5, 9, 10], []],
    [{ b: ref("branch", 5, { "max-ref-age-ms": 1 }) }, 1, 1, [9, 10], ["b"]],
  ] as const;
  for (const [refs, age, least, kept, dropped] of cases) {
    const metadata = { ...table.metadata, refs: { ...table.metadata.refs, ...refs } };
    const plan = planExpiry(metadata, {
      nowMs,
      maxSnapshotAgeMs: age * MINUTE_MS,
      minSnapshotsToKeep: least,
    });
    const gone = new Set(plan.snapshotIds);
    const left = table.metadata.snapshots
      .filter((snapshot) => !gone.has(snapshot["snapshot-id"]))
      .map((snapshot) => Number(snapshot["sequence-number"]));
    assertEquals(left, [...kept], JSON.stringify({ kept, age, least }));
    assertEquals(plan.refs, [...dropped]);
  }
});

Deno.test("planExpiry() keeps a young snapshot that no ref reaches, and drops an old one", async () => {
  const { world, table } = await minutes(2);
  const lone = { ...table.metadata.snapshots[0]!, "snapshot-id": 7n };
  delete (lone as { "parent-snapshot-id"?: bigint })["parent-snapshot-id"];
  for (const [ageMs, gone] of [[MINUTE_MS - 1, [7n]], [MINUTE_MS, []]] as const) {
    const snapshot = { ...lone, "timestamp-ms": world.nowMs - MINUTE_MS };
    const metadata = { ...table.metadata, snapshots: [...table.metadata.snapshots, snapshot] };
    const plan = planExpiry(metadata, {
      nowMs: world.nowMs,
      maxSnapshotAgeMs: ageMs,
      minSnapshotsToKeep: 5,
    });
    assertEquals([...plan.snapshotIds], [...gone]);
  }
});

Deno.test("planExpiry() reads the table's own properties", async () => {
  const { world, table } = await minutes(5, {
    "history.expire.max-snapshot-age-ms": "0",
    "history.expire.min-snapshots-to-keep": "2",
  });
  assertEquals(planExpiry(table.metadata, { nowMs: world.nowMs }).snapshotIds.length, 3);
});

Deno.test("expireSnapshots() deletes what only expired snapshots referred to, and no more", async () => {
  const { world, table } = await minutes(4, { "commit.manifest.min-count-to-merge": "3" });
  const [removed] = await world.live(table.metadata);
  world.nowMs += MINUTE_MS;
  const { table: deleted } = await commitOverwrite(table, {
    ...world.env,
    remove: [removed!.data_file],
    snapshotId: newSnapshotId(world.env.random),
  });
  const after = await append(world, deleted);
  const outcome = await expireSnapshots(after, { ...world.env, maxSnapshotAgeMs: 0 });
  assertEquals(outcome.status, "committed");
  assertEquals(outcome.snapshotIds.length, 5);
  assertEquals(numbers(outcome.table), [6]);
  assertEquals(outcome.deleted?.dataFiles, [removed!.data_file.file_path]);
  assertEquals(outcome.deleted?.manifestLists.length, 5);
  assert(outcome.deleted!.manifests.length >= 3);
  assertEquals(await danglingLocations(world, outcome.table), []);
  assertEquals((await world.paths(outcome.table.metadata)).length, 4);
  // Everything that is left is referenced, metadata files apart.
  const left = world.storage.keys().filter((key) => !key.endsWith(".metadata.json"));
  const plan = await planScan(outcome.table.metadata, world.storage);
  const manifests = left.filter((key) => key.endsWith(".avro")).length;
  assertEquals(left.length, plan.files.length + manifests);
  assertEquals(manifests, 1 + plan.manifests.total);
});

Deno.test("expireSnapshots() keeps what a tag and a branch hold", async () => {
  const { world, table } = await minutes(3);
  const [first, second] = table.metadata.snapshots.map((snapshot) => snapshot["snapshot-id"]);
  const tagged = await setTag(table, { ...world.env, name: "t", snapshotId: first! });
  const branch = await createBranch(tagged.table, {
    ...world.env,
    name: "b",
    snapshotId: second!,
  });
  // The oldest file: both refs have it.
  const file = (await world.live(branch.table.metadata)).at(-1);
  world.nowMs += MINUTE_MS;
  const { table: deleted } = await commitOverwrite(branch.table, {
    ...world.env,
    remove: [file!.data_file],
    snapshotId: newSnapshotId(world.env.random),
  });
  const outcome = await expireSnapshots(deleted, { ...world.env, maxSnapshotAgeMs: 0 });
  assertEquals(outcome.snapshotIds.length, 1);
  assertEquals(outcome.deleted?.dataFiles, []);
  assertEquals(await danglingLocations(world, outcome.table), []);
  for (const [ref, count] of [["t", 1], ["b", 2], ["main", 2]] as const) {
    const plan = await planScan(outcome.table.metadata, world.storage, { snapshot: { ref } });
    assertEquals(plan.files.length, count, ref);
  }
});

Deno.test("expireSnapshots() beside an append plans anew and loses nothing", async () => {
  const { world, table } = await minutes(3);
  world.catalog.failNext({ operation: "commitTable", run: () => append(world, table) });
  const outcome = await expireSnapshots(table, { ...world.env, maxSnapshotAgeMs: 0 });
  assertEquals(outcome.attempts, 2);
  assertEquals(numbers(outcome.table), [4]);
  assertEquals((await world.paths(outcome.table.metadata)).length, 4);
  assertEquals(await danglingLocations(world, outcome.table), []);
});

Deno.test("expireSnapshots() deletes after a lost answer that it finds, nothing while unknown", async () => {
  const { world, table } = await minutes(3, { "commit.retry.num-retries": "1" });
  const before = world.storage.keys();
  const lost = new CommitStateUnknownError("500");
  world.catalog.failNext({ operation: "commitTable", error: lost });
  world.catalog.failNext({ operation: "commitTable", error: lost });
  const options = { ...world.env, maxSnapshotAgeMs: 0 };
  await assertRejects(() => expireSnapshots(table, options), CommitStateUnknownError);
  assertEquals(world.storage.keys(), before);
  world.catalog.failNext({ operation: "commitTable", error: lost, afterEffect: true });
  const outcome = await expireSnapshots(await reloadTable(table), options);
  assertEquals(outcome.status, "already");
  assertEquals(outcome.deleted?.manifestLists.length, 2);
  assertEquals(await danglingLocations(world, outcome.table), []);
});

Deno.test("expireSnapshots() with nothing old is nothing", async () => {
  const { world, table } = await minutes(3);
  const outcome = await expireSnapshots(table, { ...world.env, maxSnapshotAgeMs: 9e9 });
  assertEquals([outcome.status, outcome.attempts, outcome.deleted], ["nothing", 0, undefined]);
  assert(world.nowMs > TEST_START_MS);
});

Deno.test("an append whose base was expired under it reloads and goes on", async () => {
  const { world, table } = await minutes(3, { "commit.manifest.min-count-to-merge": "2" });
  const newer = await append(world, table);
  await expireSnapshots(newer, { ...world.env, maxSnapshotAgeMs: 0 });
  // `table` is old by now: its manifest list is gone.
  const outcome = await commitAppend(table, {
    ...world.env,
    files: [await world.file()],
    snapshotId: newSnapshotId(world.env.random),
  });
  assertEquals(outcome.status, "committed");
  assertEquals((await world.paths(outcome.table.metadata)).length, 5);
});
