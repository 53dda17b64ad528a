/** Replacing files beside other writers: no row lost, none twice, none brought back. */

import { assertEquals, assertRejects } from "@std/assert";
import { CommitStateUnknownError } from "../catalog/errors.ts";
import { IcebergError } from "../errors.ts";
import { planScan } from "../scan/plan.ts";
import { type DataFile, FileContent } from "../types.ts";
import { commitAppend } from "./append.ts";
import { newSnapshotId } from "./environment.ts";
import { commitOverwrite } from "./overwrite.ts";
import { commitRewrite, type RewriteGroup } from "./rewrite.ts";
import { reloadTable, type Table } from "./table.ts";
import { TestWorld } from "./testing.ts";
import { TEST_DAY } from "./testing_files.ts";

async function append(world: TestWorld, table: Table, files: DataFile[]): Promise<Table> {
  const snapshotId = newSnapshotId(world.env.random);
  return (await commitAppend(await reloadTable(table), { ...world.env, files, snapshotId })).table;
}

/** Two days of three files each, one commit per file and day. */
async function start() {
  const world = new TestWorld();
  let table = await world.table();
  const days: DataFile[][] = [[], []];
  for (let at = 0; at < 3; at++) {
    for (const [index, files] of days.entries()) {
      const file = await world.file({ day: TEST_DAY + index });
      files.push(file);
      table = await append(world, table, [file]);
    }
  }
  const groups: RewriteGroup[] = [];
  for (const [index, inputs] of days.entries()) {
    const outputs = [await world.file({ day: TEST_DAY + index, records: 30n, size: 2000n })];
    groups.push({ inputs, outputs });
  }
  const options = {
    ...world.env,
    groups,
    startingSnapshotId: table.metadata["current-snapshot-id"]!,
    snapshotId: newSnapshotId(world.env.random),
  };
  return { world, table, days: days as [DataFile[], DataFile[]], options };
}

const pathsOf = (files: readonly DataFile[]) => files.map((file) => file.file_path).sort();

Deno.test("commitRewrite() replaces files; totals and sequence numbers stay right", async () => {
  const { world, table, options } = await start();
  const outcome = await commitRewrite(table, options);
  assertEquals(outcome.status, "committed");
  assertEquals(outcome.dropped, []);
  const { metadata } = outcome.table;
  const outputs = options.groups.flatMap((group) => group.outputs);
  assertEquals(await world.paths(metadata), pathsOf(outputs));
  const live = await world.live(metadata);
  assertEquals(live.map((entry) => [entry.sequence_number, entry.file_sequence_number]), [
    [6n, 7n],
    [6n, 7n],
  ]);
  const { summary } = metadata.snapshots.at(-1)!;
  assertEquals(summary["operation"], "replace");
  assertEquals(summary["added-data-files"], "2");
  assertEquals(summary["deleted-data-files"], "6");
  assertEquals(summary["total-data-files"], "2");
  assertEquals(summary["total-records"], "60");
  assertEquals(summary["total-files-size"], "4000");
  // An append afterwards drops the manifests that only told of the deletion.
  const after = await append(world, outcome.table, [await world.file()]);
  assertEquals((await world.paths(after.metadata)).length, 3);
});

Deno.test("commitRewrite() beside an append loses neither", async () => {
  const { world, table, options } = await start();
  const added = await world.file();
  world.catalog.failNext({ operation: "commitTable", run: () => append(world, table, [added]) });
  const outcome = await commitRewrite(table, options);
  assertEquals(outcome.attempts, 2);
  const outputs = options.groups.flatMap((group) => group.outputs);
  assertEquals(await world.paths(outcome.table.metadata), pathsOf([...outputs, added]));
  assertEquals(outcome.table.metadata.snapshots.at(-1)?.summary["total-records"], "70");
});

Deno.test("commitRewrite() drops a group whose input was removed meanwhile, and keeps the other", async () => {
  const { world, table, days, options } = await start();
  const run = async () =>
    await commitOverwrite(await reloadTable(table), {
      ...world.env,
      remove: [days[0][1]!],
      snapshotId: newSnapshotId(world.env.random),
    });
  world.catalog.failNext({ operation: "commitTable", run });
  const outcome = await commitRewrite(table, options);
  assertEquals(outcome.status, "committed");
  assertEquals(outcome.dropped.map(({ group }) => group), [options.groups[0]]);
  assertEquals(
    await world.paths(outcome.table.metadata),
    pathsOf([days[0][0]!, days[0][2]!, ...options.groups[1]!.outputs]),
  );
});

Deno.test("commitRewrite() drops a group that a newer delete file applies to", async () => {
  for (const content of [FileContent.positionDeletes, FileContent.equalityDeletes]) {
    const { world, table, days, options } = await start();
    const equalityIds = content === FileContent.equalityDeletes ? { equalityIds: [1] } : {};
    const deletes = await world.file({ content, ...equalityIds });
    world.catalog.failNext({
      operation: "commitTable",
      run: () => append(world, table, [deletes]),
    });
    const outcome = await commitRewrite(table, options);
    assertEquals(outcome.dropped.length, 1);
    const plan = await planScan(outcome.table.metadata, world.storage);
    assertEquals(
      plan.files.map((file) => file.path).sort(),
      pathsOf([...days[0], ...options.groups[1]!.outputs]),
    );
    assertEquals(plan.files.filter((file) => file.deletes.length > 0).length, 3);
  }
});

Deno.test("commitRewrite() leaves files with deletes alone unless they were applied", async () => {
  const { world, table, days, options } = await start();
  const deletes = await world.file({ content: FileContent.equalityDeletes, equalityIds: [1] });
  const deleted = await append(world, table, [deletes]);
  const startingSnapshotId = deleted.metadata["current-snapshot-id"]!;
  const left = await commitRewrite(deleted, { ...options, startingSnapshotId });
  assertEquals(left.dropped.length, 1);
  const group = {
    inputs: days[0],
    outputs: [await world.file({ records: 25n })],
    deletesApplied: true,
  };
  const applied = await commitRewrite(left.table, {
    ...options,
    groups: [group],
    startingSnapshotId,
    snapshotId: newSnapshotId(world.env.random),
  });
  assertEquals(applied.dropped, []);
  const plan = await planScan(applied.table.metadata, world.storage);
  // The outputs are as new as the delete, so it does not touch them again.
  assertEquals(plan.files.flatMap((file) => file.deletes), []);
  assertEquals(plan.files.reduce((sum, file) => sum + file.record_count, 0n), 55n);
});

Deno.test("commitRewrite() is nothing if every group is dropped, and done after a lost answer", async () => {
  const { world, table, options } = await start();
  world.catalog.failNext({
    operation: "commitTable",
    error: new CommitStateUnknownError("500"),
    afterEffect: true,
  });
  const first = await commitRewrite(table, options);
  assertEquals(first.status, "already");
  const again = await commitRewrite(first.table, {
    ...options,
    snapshotId: newSnapshotId(world.env.random),
  });
  assertEquals(again.status, "nothing");
  assertEquals(again.dropped.length, 2);
  assertEquals(again.table.metadata.snapshots.length, 7);
});

Deno.test("commitRewrite() refuses outputs with another number of rows", async () => {
  const { world, table, days, options } = await start();
  const before = world.storage.keys();
  const outputs = [await world.file({ records: 29n })];
  await assertRejects(
    () => commitRewrite(table, { ...options, groups: [{ inputs: days[0], outputs }] }),
    IcebergError,
    "they have 30 rows, the outputs 29",
  );
  assertEquals(world.storage.keys().length, before.length + 1);
});

Deno.test("commitOverwrite() replaces, deletes, and says what it is", async () => {
  const { world, table, days } = await start();
  const add = [await world.file({ records: 1n })];
  const options = () => ({ ...world.env, snapshotId: newSnapshotId(world.env.random) });
  const replaced = await commitOverwrite(table, { ...options(), add, remove: [days[0][0]!] });
  assertEquals(replaced.table.metadata.snapshots.at(-1)?.summary["operation"], "overwrite");
  assertEquals(replaced.table.metadata.snapshots.at(-1)?.summary["total-records"], "51");
  const deleted = await commitOverwrite(replaced.table, { ...options(), remove: add });
  assertEquals(deleted.table.metadata.snapshots.at(-1)?.summary["operation"], "delete");
  assertEquals(
    await world.paths(deleted.table.metadata),
    pathsOf([...days[0].slice(1), ...days[1]]),
  );
  await assertRejects(
    () => commitOverwrite(deleted.table, { ...options(), remove: add }),
    IcebergError,
    "it is not in the table",
  );
  assertEquals((await commitOverwrite(deleted.table, options())).status, "nothing");
});

Deno.test("commitOverwrite() deletes by a filter that takes whole files, and refuses to cut one", async () => {
  const { world, table, days } = await start();
  const options = () => ({ ...world.env, snapshotId: newSnapshotId(world.env.random) });
  const midnight = BigInt(TEST_DAY + 1) * 86_400_000_000n;
  const outcome = await commitOverwrite(table, {
    ...options(),
    removeWhere: { op: "lt", column: "at", value: midnight },
  });
  assertEquals(await world.paths(outcome.table.metadata), pathsOf(days[1]));
  await assertRejects(
    () =>
      commitOverwrite(outcome.table, {
        ...options(),
        removeWhere: { op: "lt", column: "at", value: midnight + 1n },
      }),
    IcebergError,
    "some of its rows may match and some may not",
  );
});
