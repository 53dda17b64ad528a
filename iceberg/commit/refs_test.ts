import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { CommitStateUnknownError } from "../catalog/errors.ts";
import { IcebergError } from "../errors.ts";
import { currentSchema } from "../metadata.ts";
import { commitAppend } from "./append.ts";
import { newSnapshotId } from "./environment.ts";
import { commitProperties, commitSchema } from "./metadata_changes.ts";
import { createBranch, dropRef, fastForward, rollback, setTag, tagUpdate } from "./refs.ts";
import { reloadTable, type Table } from "./table.ts";
import { TestWorld } from "./testing.ts";

async function append(world: TestWorld, table: Table, branch = "main"): Promise<Table> {
  world.nowMs += 1000;
  const outcome = await commitAppend(table, {
    ...world.env,
    files: [await world.file()],
    snapshotId: newSnapshotId(world.env.random),
    branch,
  });
  return outcome.table;
}

async function threeSnapshots() {
  const world = new TestWorld();
  let table = await world.table();
  for (let at = 0; at < 3; at++) table = await append(world, table);
  const ids = table.metadata.snapshots.map((snapshot) => snapshot["snapshot-id"]);
  return { world, table, ids: ids as [bigint, bigint, bigint] };
}

Deno.test("setTag() makes and moves a tag, and twice is nothing", async () => {
  const { world, table, ids } = await threeSnapshots();
  const request = { ...world.env, name: "h-1", snapshotId: ids[0], maxRefAgeMs: 5 };
  const first = await setTag(table, request);
  assertEquals(first.table.metadata.refs["h-1"], {
    type: "tag",
    "snapshot-id": ids[0],
    "max-ref-age-ms": 5,
  });
  assertEquals((await setTag(first.table, request)).status, "nothing");
  const moved = await setTag(first.table, { ...world.env, name: "h-1" });
  assertEquals(moved.table.metadata.refs["h-1"]?.["snapshot-id"], ids[2]);
  await assertRejects(() => setTag(table, { ...request, snapshotId: 5n }), IcebergError);
  await assertRejects(() => setTag(table, { ...request, name: "main" }), IcebergError);
});

Deno.test("a tag can be set in the commit of its snapshot", async () => {
  const world = new TestWorld();
  const snapshotId = newSnapshotId(world.env.random);
  const { table } = await commitAppend(await world.table(), {
    ...world.env,
    files: [],
    snapshotId,
    updates: (_, id) => [tagUpdate({ name: "h-2", snapshotId: id })],
  });
  assertEquals(table.metadata.refs["h-2"], { type: "tag", "snapshot-id": snapshotId });
});

Deno.test("createBranch(), an append to it, fastForward() of main", async () => {
  const { world, table, ids } = await threeSnapshots();
  const branched = await createBranch(table, {
    ...world.env,
    name: "audit",
    minSnapshotsToKeep: 2,
    maxSnapshotAgeMs: 60_000,
  });
  const written = await append(world, branched.table, "audit");
  assertEquals(written.metadata["current-snapshot-id"], ids[2]);
  const head = written.metadata.refs["audit"]!;
  assertEquals(head["min-snapshots-to-keep"], 2);
  assertEquals(head["max-snapshot-age-ms"], 60_000);
  const forwarded = await fastForward(written, { ...world.env, name: "main", to: "audit" });
  assertEquals(forwarded.table.metadata["current-snapshot-id"], head["snapshot-id"]);
  assertEquals((await world.paths(forwarded.table.metadata)).length, 4);
  const diverged = await append(world, forwarded.table);
  const aside = await append(world, diverged, "audit");
  await assertRejects(
    () => fastForward(aside, { ...world.env, name: "main", to: "audit" }),
    IcebergError,
    "is no ancestor of",
  );
});

Deno.test("dropRef() drops, twice is nothing, never main", async () => {
  const { world, table } = await threeSnapshots();
  const tagged = await setTag(table, { ...world.env, name: "x" });
  const dropped = await dropRef(tagged.table, { ...world.env, name: "x" });
  assertEquals(Object.keys(dropped.table.metadata.refs), ["main"]);
  assertEquals((await dropRef(dropped.table, { ...world.env, name: "x" })).status, "nothing");
  assertThrows(() => dropRef(table, { ...world.env, name: "main" }), IcebergError);
});

Deno.test("rollback() makes an ancestor current and leaves the later snapshots", async () => {
  const { world, table, ids } = await threeSnapshots();
  world.nowMs += 5000;
  const { table: { metadata } } = await rollback(table, { ...world.env, snapshotId: ids[0] });
  assertEquals(metadata["current-snapshot-id"], ids[0]);
  assertEquals(metadata.snapshots.length, 3);
  assertEquals(metadata["snapshot-log"].at(-1), {
    "timestamp-ms": world.nowMs,
    "snapshot-id": ids[0],
  });
  await assertRejects(
    async () => await rollback(await reloadTable(table), { ...world.env, snapshotId: ids[2] }),
    IcebergError,
    "is no ancestor of",
  );
});

Deno.test("rollback() under an append that lands first is checked against the new head", async () => {
  const { world, table, ids } = await threeSnapshots();
  world.catalog.failNext({ operation: "commitTable", run: () => append(world, table) });
  const outcome = await rollback(table, { ...world.env, snapshotId: ids[1] });
  assertEquals(outcome.attempts, 2);
  assertEquals(outcome.table.metadata["current-snapshot-id"], ids[1]);
  assertEquals(outcome.table.metadata.snapshots.length, 4);
});

Deno.test("commitSchema() adds a column, and finds it again after a lost answer", async () => {
  const { world, table } = await threeSnapshots();
  world.catalog.failNext({
    operation: "commitTable",
    error: new CommitStateUnknownError("500"),
    afterEffect: true,
  });
  const outcome = await commitSchema(table, {
    ...world.env,
    changes: [{ action: "add-column", name: "device_id", type: "string" }],
  });
  assertEquals(outcome.status, "already");
  const schema = currentSchema(outcome.table.metadata);
  assertEquals(schema.fields.at(-1), {
    id: 4,
    name: "device_id",
    required: false,
    type: "string",
  });
  assertEquals(outcome.table.metadata.schemas.length, 2);
  assertEquals(outcome.table.metadata["last-column-id"], 4);
});

Deno.test("commitSchema() beside another schema change gives the column a fresh id", async () => {
  const { world, table } = await threeSnapshots();
  const add = (name: string) => ({
    ...world.env,
    changes: [{ action: "add-column" as const, name, type: "int" as const }],
  });
  world.catalog.failNext({
    operation: "commitTable",
    run: () => commitSchema(table, add("theirs")),
  });
  const { table: { metadata } } = await commitSchema(table, add("ours"));
  assertEquals(
    currentSchema(metadata).fields.slice(3).map(({ id, name }) => [id, name]),
    [[4, "theirs"], [5, "ours"]],
  );
});

Deno.test("commitProperties() sets and removes what differs", async () => {
  const { world, table } = await threeSnapshots();
  const set = await commitProperties(table, { ...world.env, set: { a: "1", b: "2" } });
  assertEquals(set.table.metadata.properties, { a: "1", b: "2" });
  const change = { ...world.env, set: { a: "1" }, remove: ["b", "c"] };
  const removed = await commitProperties(set.table, change);
  assertEquals(removed.table.metadata.properties, { a: "1" });
  assertEquals((await commitProperties(removed.table, change)).status, "nothing");
});
