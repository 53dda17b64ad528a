/**
 * The contract: however often and however badly an append is tried, its files are in the table once or
 * not at all, nothing that the table refers to is ever deleted, and nothing else stays behind a refusal.
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  CatalogRequestError,
  CatalogUnreachableError,
  CommitConflictError,
  CommitStateUnknownError,
} from "../catalog/errors.ts";
import { readManifests } from "./drafts.ts";
import { snapshotOfRef } from "../metadata.ts";
import { commitAppend } from "./append.ts";
import { newSnapshotId } from "./environment.ts";
import type { Verdict } from "./loop.ts";
import { reloadTable, type Table } from "./table.ts";
import { TEST_START_MS, TestWorld } from "./testing.ts";

/** A foreign writer's append between ours. */
async function foreignAppend(world: TestWorld, table: Table): Promise<void> {
  await commitAppend(await reloadTable(table), {
    ...world.env,
    files: [await world.file()],
    snapshotId: newSnapshotId(world.env.random),
  });
}

/** Every file below the table that no snapshot refers to. */
async function unreferenced(world: TestWorld, table: Table): Promise<string[]> {
  const { metadata, metadataLocation } = await reloadTable(table);
  const used = new Set([
    metadataLocation,
    ...metadata["metadata-log"].map((entry) => entry["metadata-file"]),
  ]);
  for (const snapshot of metadata.snapshots) {
    used.add(snapshot["manifest-list"]);
    for (const manifest of await readManifests(world.storage, snapshot)) {
      used.add(manifest.manifest_path);
    }
  }
  for (const ref of Object.keys(metadata.refs)) {
    for (const path of await world.paths(metadata, ref)) used.add(path);
  }
  return world.storage.keys().filter((key) => !used.has(key));
}

async function start(properties: Record<string, string> = {}) {
  const world = new TestWorld();
  const table = await world.table(properties);
  const files = [await world.file(), await world.file({ day: 20_779, records: 5n, size: 500n })];
  const options = { ...world.env, files, snapshotId: newSnapshotId(world.env.random) };
  return { world, table, files, options };
}

Deno.test("commitAppend() adds files in one snapshot with totals", async () => {
  const { world, table, files, options } = await start();
  const outcome = await commitAppend(table, {
    ...options,
    summary: () => ({ "pipeline.note": "first" }),
    properties: (base) => ({ seen: String(base.snapshots.length) }),
  });
  assertEquals(outcome.status, "committed");
  assertEquals(outcome.attempts, 1);
  const { metadata } = outcome.table;
  assertEquals(metadata["current-snapshot-id"], options.snapshotId);
  assertEquals(metadata.properties["seen"], "0");
  assertEquals(metadata.snapshots[0]?.summary, {
    operation: "append",
    "pipeline.note": "first",
    "added-data-files": "2",
    "added-records": "15",
    "added-files-size": "1500",
    "changed-partition-count": "2",
    "total-records": "15",
    "total-files-size": "1500",
    "total-data-files": "2",
    "total-delete-files": "0",
    "total-position-deletes": "0",
    "total-equality-deletes": "0",
  });
  const live = await world.live(metadata);
  assertEquals(live.map((entry) => entry.data_file.file_path), files.map((one) => one.file_path));
  assertEquals(live.map((entry) => entry.sequence_number), [1n, 1n]);
  assertEquals(live.map((entry) => entry.snapshot_id), [options.snapshotId, options.snapshotId]);
});

Deno.test("commitAppend() goes on from the parent: totals, sequence, order of time", async () => {
  const { world, table, options } = await start();
  const first = await commitAppend(table, options);
  world.nowMs -= 3_600_000; // a clock set back
  const { table: { metadata } } = await commitAppend(first.table, {
    ...world.env,
    files: [await world.file({ records: 7n, size: 70n })],
    snapshotId: newSnapshotId(world.env.random),
  });
  const [one, two] = metadata.snapshots;
  assertEquals(two?.["parent-snapshot-id"], one?.["snapshot-id"]);
  assertEquals(two?.["sequence-number"], 2n);
  assertEquals(two?.["timestamp-ms"], TEST_START_MS);
  assertEquals(two?.summary["total-records"], "22");
  assertEquals(two?.summary["total-data-files"], "3");
  assertEquals(two?.summary["total-files-size"], "1570");
});

Deno.test("commitAppend() does not make up totals that the parent does not tell", async () => {
  const { world, table, options } = await start();
  const { table: committed } = await commitAppend(table, options);
  const summary = committed.metadata.snapshots[0]!.summary;
  const told = { ...summary };
  delete told["total-records"];
  committed.metadata.snapshots[0]!.summary = told;
  const next = await commitAppend(committed, {
    ...world.env,
    files: [await world.file()],
    snapshotId: newSnapshotId(world.env.random),
  });
  assertEquals(next.table.metadata.snapshots[1]?.summary["total-records"], undefined);
  assertEquals(next.table.metadata.snapshots[1]?.summary["total-data-files"], "3");
});

Deno.test("commitAppend() after two conflicts keeps its id and the other writer's files", async () => {
  const { world, table, files, options } = await start();
  const run = () => foreignAppend(world, table);
  // Each conflict is a real one: another writer's commit lands between our base and our request. The
  // foreign writer's own requests pass the fault because it has struck by then.
  world.catalog.failNext({ operation: "commitTable", run });
  world.catalog.failNext({ operation: "commitTable", run, skip: 1 });
  const bases: number[] = [];
  const outcome = await commitAppend(table, {
    ...options,
    summary: (base) => ({ "base.snapshots": String(base.snapshots.length) }),
    beforeAttempt: (base) => {
      bases.push(base.snapshots.length);
      return "go";
    },
  });
  assertEquals(world.catalog.faultsPending, []);
  assertEquals(outcome.status, "committed");
  assertEquals(outcome.attempts, 3);
  assertEquals(bases, [0, 1, 2]);
  const { metadata } = outcome.table;
  assertEquals(metadata["current-snapshot-id"], options.snapshotId);
  assertEquals(metadata.snapshots.at(-1)?.summary["base.snapshots"], "2");
  assertEquals(metadata.snapshots.at(-1)?.summary["total-data-files"], "4");
  assertEquals((await world.paths(metadata)).length, 4);
  const paths = new Set(await world.paths(metadata));
  assert(files.every((file) => paths.has(file.file_path)));
  // The manifest lists of the refused attempts are gone, nothing else is.
  assertEquals(await unreferenced(world, table), []);
  assertEquals(world.sleeps.length, 2);
  assert(world.sleeps[0]! >= 50 && world.sleeps[0]! <= 100, String(world.sleeps[0]));
  assert(world.sleeps[1]! >= 100 && world.sleeps[1]! <= 200, String(world.sleeps[1]));
});

const UNKNOWN = new CommitStateUnknownError("Cannot tell: 500", { status: 500 });

Deno.test("commitAppend() finds a commit that was applied and answered with 500", async () => {
  const { world, table, options } = await start();
  world.catalog.failNext({ operation: "commitTable", error: UNKNOWN, afterEffect: true });
  const outcome = await commitAppend(table, options);
  assertEquals(world.catalog.faultsPending, []);
  assertEquals(outcome.status, "already");
  assertEquals(outcome.table.metadata.snapshots.length, 1);
  assertEquals((await world.paths(outcome.table.metadata)).length, 2);
  assertEquals(await unreferenced(world, table), []);
});

Deno.test("commitAppend() finds it under another writer's later commit", async () => {
  const { world, table, options } = await start();
  world.catalog.failNext({ operation: "commitTable", error: UNKNOWN, afterEffect: true });
  world.catalog.failNext({ operation: "loadTable", run: () => foreignAppend(world, table) });
  const outcome = await commitAppend(table, options);
  assertEquals(world.catalog.faultsPending, []);
  assertEquals(outcome.status, "already");
  assertEquals(outcome.table.metadata.snapshots.length, 2);
  assertEquals((await world.paths(outcome.table.metadata)).length, 3);
});

Deno.test("commitAppend() commits again, same id, if a timeout lost the request", async () => {
  const { world, table, options } = await start();
  world.catalog.failNext({ operation: "commitTable", error: UNKNOWN });
  const outcome = await commitAppend(table, options);
  assertEquals(outcome.status, "committed");
  assertEquals(outcome.table.metadata["current-snapshot-id"], options.snapshotId);
  assertEquals((await world.paths(outcome.table.metadata)).length, 2);
  // The list of the lost attempt stays: it might still have been applied.
  const left = await unreferenced(world, table);
  assertEquals(left.length, 1);
  assert(left[0]?.includes(`snap-${options.snapshotId}-0-`), left[0]);
});

Deno.test("commitAppend() finds a commit that landed late, after the next look", async () => {
  const { world, table, options } = await start();
  let late: (() => Promise<unknown>) | undefined;
  const commitTable = world.catalog.commitTable.bind(world.catalog);
  world.catalog.commitTable = (ident, request) => {
    if (late === undefined) {
      late = () => commitTable(ident, request);
      return Promise.reject(UNKNOWN);
    }
    // The lost request arrives just before the second one.
    const run = late;
    late = () => Promise.resolve();
    return run().then(() => commitTable(ident, request));
  };
  const outcome = await commitAppend(table, options);
  assertEquals(outcome.status, "already");
  assertEquals(outcome.attempts, 2);
  assertEquals((await world.paths(outcome.table.metadata)).length, 2);
});

Deno.test("commitAppend() deletes nothing when a 409 answers its own first copy", async () => {
  const { world, table, options } = await start({ "commit.retry.num-retries": "0" });
  world.catalog.failNext({
    operation: "commitTable",
    error: new CommitConflictError("a proxy sent it twice"),
    afterEffect: true,
  });
  const outcome = await commitAppend(table, options);
  assertEquals(outcome.status, "already");
  assertEquals((await world.paths(outcome.table.metadata)).length, 2);
});

Deno.test("commitAppend() gives up after the retries: unknown stays unknown, nothing deleted", async () => {
  const { world, table, options } = await start();
  const before = world.storage.keys();
  for (let at = 0; at < 5; at++) {
    world.catalog.failNext({ operation: "commitTable", error: UNKNOWN });
  }
  await assertRejects(() => commitAppend(table, options), CommitStateUnknownError);
  assertEquals(world.catalog.faultsPending, []);
  assertEquals(world.sleeps.length, 4);
  // One manifest, five manifest lists.
  assertEquals(world.storage.keys().length, before.length + 6);
  // Later, same id: it works.
  const outcome = await commitAppend(await reloadTable(table), options);
  assertEquals(outcome.status, "committed");
});

Deno.test("commitAppend() refused for good removes what it wrote, not the data files", async () => {
  const { world, table, options } = await start();
  const before = world.storage.keys();
  world.catalog.failNext({ operation: "commitTable", error: new CatalogRequestError("no") });
  await assertRejects(() => commitAppend(table, options), CatalogRequestError);
  assertEquals(world.storage.keys(), before);
});

Deno.test("commitAppend() that always conflicts is CommitConflictError and removes what it wrote", async () => {
  const { world, table, options } = await start({ "commit.retry.num-retries": "2" });
  const before = world.storage.keys();
  for (let at = 0; at < 3; at++) {
    world.catalog.failNext({ operation: "commitTable", error: new CommitConflictError("409") });
  }
  await assertRejects(() => commitAppend(table, options), CommitConflictError);
  assertEquals(world.storage.keys(), before);
});

Deno.test("commitAppend(): one unknown attempt makes the whole unknown, whatever follows", async () => {
  const { world, table, options } = await start({ "commit.retry.num-retries": "1" });
  world.catalog.failNext({ operation: "commitTable", error: UNKNOWN });
  world.catalog.failNext({ operation: "commitTable", error: new CatalogRequestError("no") });
  const error = await assertRejects(() => commitAppend(table, options), CommitStateUnknownError);
  assert(error.cause instanceof CatalogRequestError);
});

Deno.test("commitAppend() waits for a catalog that was not reached", async () => {
  const { world, table, options } = await start();
  const down = new CatalogUnreachableError("down");
  world.catalog.failNext({ operation: "commitTable", error: down });
  world.catalog.failNext({ operation: "loadTable", error: down });
  const outcome = await commitAppend(table, options);
  assertEquals(outcome.status, "committed");
  assertEquals(outcome.attempts, 2);
  assertEquals(await unreferenced(world, table), []);
});

Deno.test("commitAppend() stops for beforeAttempt, the first attempt included, and deletes nothing", async () => {
  for (const verdict of ["zombie", "done"] as const) {
    const { world, table, options } = await start();
    const before = world.storage.keys();
    const outcome = await commitAppend(table, { ...options, beforeAttempt: () => verdict });
    assertEquals(outcome.status, verdict === "done" ? "already" : "zombie");
    assertEquals(outcome.attempts, 0);
    assertEquals(world.storage.keys(), before);
    assertEquals(world.catalog.calls.commitTable, undefined);
  }
});

Deno.test("commitAppend() sees the zombie in the base that the conflict showed", async () => {
  const { world, table, options } = await start();
  world.catalog.failNext({ operation: "commitTable", run: () => foreignAppend(world, table) });
  const outcome = await commitAppend(table, {
    ...options,
    beforeAttempt: (base): Verdict => base.snapshots.length === 0 ? "go" : "zombie",
  });
  assertEquals(outcome.status, "zombie");
  assertEquals(outcome.attempts, 1);
  assertEquals((await world.paths(outcome.table.metadata)).length, 1);
});

Deno.test("commitAppend() merges manifests at the count, and the merged one keeps every number", async () => {
  const { world, table } = await start({ "commit.manifest.min-count-to-merge": "4" });
  let current = table;
  const counts: number[] = [];
  for (let at = 0; at < 9; at++) {
    current = (await commitAppend(current, {
      ...world.env,
      files: [await world.file({ day: 20_778 + at })],
      snapshotId: newSnapshotId(world.env.random),
    })).table;
    const head = snapshotOfRef(current.metadata, "main");
    counts.push((await readManifests(world.storage, head)).length);
  }
  assertEquals(counts, [1, 2, 3, 1, 2, 3, 1, 2, 3]);
  const live = await world.live(current.metadata);
  const byDay = new Map(live.map((entry) => [entry.data_file.partition[0], entry]));
  assertEquals(byDay.size, 9);
  current.metadata.snapshots.forEach((snapshot, at) => {
    const entry = byDay.get(20_778 + at);
    assertEquals(entry?.sequence_number, BigInt(at + 1));
    assertEquals(entry?.file_sequence_number, BigInt(at + 1));
    assertEquals(entry?.snapshot_id, snapshot["snapshot-id"]);
  });
  assertEquals(current.metadata.snapshots.at(-1)?.summary["total-data-files"], "9");
});

Deno.test("commitAppend() merges anew when a conflict changed what there is to merge", async () => {
  const { world, table } = await start({ "commit.manifest.min-count-to-merge": "2" });
  await foreignAppend(world, table);
  const files = [await world.file()];
  world.catalog.failNext({ operation: "commitTable", run: () => foreignAppend(world, table) });
  const outcome = await commitAppend(await reloadTable(table), {
    ...world.env,
    files,
    snapshotId: newSnapshotId(world.env.random),
  });
  assertEquals(outcome.status, "committed");
  assertEquals((await world.paths(outcome.table.metadata)).length, 3);
  const head = snapshotOfRef(outcome.table.metadata, "main");
  assertEquals((await readManifests(world.storage, head)).length, 1);
  // The draft that the merge took in was never stored, and the first merge's output is gone; the data
  // files of `start` were never committed.
  const left = (await unreferenced(world, table)).filter((key) => !key.includes("/data/"));
  assertEquals(left, []);
});

Deno.test("commitAppend() refuses bad files and bad properties before it writes anything", async () => {
  const { world, table, options, files } = await start();
  const before = world.storage.keys();
  const attempt = (bad: typeof files) => async () =>
    await commitAppend(table, { ...options, files: bad });
  await assertRejects(attempt([{ ...files[0]!, partition: [] }]), Error, "has 0 values");
  await assertRejects(attempt([files[0]!, files[0]!]), Error, "given twice");
  const odd = await new TestWorld().table({ "commit.retry.num-retries": "many" });
  await assertRejects(
    async () => await commitAppend(odd, options),
    Error,
    'Cannot use table property "commit.retry.num-retries"',
  );
  assertEquals(world.storage.keys(), before);
});

Deno.test("commitAppend() forks a branch off main and leaves main alone", async () => {
  const { world, table, options } = await start();
  const { table: main } = await commitAppend(table, options);
  const outcome = await commitAppend(main, {
    ...world.env,
    files: [await world.file()],
    snapshotId: newSnapshotId(world.env.random),
    branch: "audit",
  });
  assertEquals(outcome.table.metadata["current-snapshot-id"], options.snapshotId);
  assertEquals((await world.paths(outcome.table.metadata, "audit")).length, 3);
});
