import { assert, assertEquals, assertRejects } from "@std/assert";
import { commitAppend } from "../commit/append.ts";
import { newSnapshotId } from "../commit/environment.ts";
import type { Table } from "../commit/table.ts";
import { TEST_START_MS, TestWorld } from "../commit/testing.ts";
import { TEST_DAY } from "../commit/testing_files.ts";
import { IcebergError } from "../errors.ts";
import { type DataFile, FileContent } from "../types.ts";
import type { Filter } from "./filter.ts";
import { planScan } from "./plan.ts";
import { newestSummaryValue, snapshotAsOf } from "./snapshot.ts";

const DAY_MICROS = 86_400_000_000n;
const micros = (day: number) => BigInt(day) * DAY_MICROS;

async function append(world: TestWorld, table: Table, files: DataFile[], note?: string) {
  world.nowMs += 60_000;
  const { table: after } = await commitAppend(table, {
    ...world.env,
    files,
    snapshotId: newSnapshotId(world.env.random),
    summary: () => note === undefined ? {} : { note },
  });
  return after;
}

/** Days 0 and 1 in one commit, day 2 in another; ids 0-9, 10-19, 20-29. */
async function threeDays() {
  const world = new TestWorld();
  let table = await world.table();
  const files = [
    await world.file({ ids: [0n, 9n] }),
    await world.file({ day: TEST_DAY + 1, ids: [10n, 19n] }),
    await world.file({ day: TEST_DAY + 2, ids: [20n, 29n], records: 7n }),
  ];
  table = await append(world, table, files.slice(0, 2));
  table = await append(world, table, files.slice(2));
  return { world, table, files };
}

Deno.test("planScan() of an empty table plans nothing", async () => {
  const world = new TestWorld();
  const { metadata } = await world.table();
  const plan = await planScan(metadata, world.storage);
  assertEquals(plan.files, []);
  assertEquals(plan.snapshot, undefined);
  assertEquals(plan.schema.fields.length, 3);
});

Deno.test("planScan() plans exactly the files that may match, and proves the rest", async () => {
  const { world, table: { metadata }, files } = await threeDays();
  const at = (op: "lt" | "lt_eq" | "gt" | "gt_eq" | "eq", value: bigint): Filter => ({
    op,
    column: "at",
    value,
  });
  const id = (op: "lt" | "gt_eq" | "eq", value: bigint): Filter => ({ op, column: "id", value });
  const one = micros(TEST_DAY + 1);
  // filter                                                  files planned
  const table: readonly [Filter, readonly number[]][] = [
    [{ op: "true" }, [0, 1, 2]],
    [{ op: "false" }, []],
    [at("lt", one), [0]],
    [at("lt_eq", one), [0, 1]],
    [at("lt", one + 1n), [0, 1]],
    [at("gt", one - 1n), [1, 2]],
    [at("gt_eq", one + DAY_MICROS), [2]],
    [at("eq", one), [1]],
    [{ op: "not", filter: at("eq", one) }, [0, 1, 2]],
    [id("eq", 12n), [1]],
    [id("lt", 10n), [0]],
    [{ op: "not", filter: id("gt_eq", 10n) }, [0]],
    [{ op: "in", column: "id", values: [5n, 25n, 99n] }, [0, 2]],
    [{ op: "and", filters: [id("gt_eq", 5n), at("lt", one)] }, [0]],
    [{ op: "or", filters: [id("lt", 3n), id("eq", 29n)] }, [0, 2]],
    [{ op: "and", filters: [] }, [0, 1, 2]],
    [{ op: "or", filters: [] }, []],
    [{ op: "is_null", column: "id" }, []],
    [{ op: "is_null", column: "name" }, [0, 1, 2]],
    [{ op: "is_null", column: "at" }, []],
  ];
  for (const [filter, expected] of table) {
    const plan = await planScan(metadata, world.storage, { filter });
    const message = JSON.stringify(filter, (_, v) => typeof v === "bigint" ? String(v) : v);
    assertEquals(
      plan.files.map((file) => file.path).sort(),
      expected.map((index) => files[index]!.file_path).sort(),
      message,
    );
    const skipped = plan.skipped.reduce((sum, one) => sum + one.files, 0);
    assertEquals(plan.files.length + skipped, 3, message);
    const rows = [
      ...plan.files.map((one) => one.record_count),
      ...plan.skipped.map((s) => s.records),
    ];
    assertEquals(rows.reduce((sum, count) => sum + count, 0n), 27n, message);
    assert(plan.skipped.every((one) => one.reason !== ""), message);
  }
});

Deno.test("planScan() tells why it skipped, a whole manifest without opening it", async () => {
  const { world, table: { metadata }, files } = await threeDays();
  const plan = await planScan(metadata, world.storage, {
    filter: {
      op: "and",
      filters: [
        { op: "lt", column: "at", value: micros(TEST_DAY + 2) },
        { op: "eq", column: "id", value: 3n },
      ],
    },
  });
  assertEquals(plan.manifests, { total: 2, read: 1 });
  assertEquals(plan.skipped.map(({ kind, reason }) => [kind, reason]), [
    ["manifest", "at < 2026-11-23T00:00:00+00:00 excludes at_day 2026-11-23"],
    ["file", "id = 3 excludes id 10 to 19"],
  ]);
  assertEquals(plan.skipped[1]?.path, files[1]?.file_path);
});

Deno.test("planScan() refuses filters that do not fit the schema", async () => {
  const { world, table: { metadata } } = await threeDays();
  const bad: Filter[] = [
    { op: "eq", column: "nothing", value: 1n },
    { op: "eq", column: "id", value: 1 },
    { op: "starts_with", column: "id", value: "a" },
    { op: "is_nan", column: "id" },
  ];
  for (const filter of bad) {
    await assertRejects(
      () => planScan(metadata, world.storage, { filter }),
      IcebergError,
      "Cannot filter by",
    );
  }
});

Deno.test("planScan() reads snapshots by id, ref and time", async () => {
  const { world, table: { metadata } } = await threeDays();
  const [first] = metadata.snapshots;
  const count = async (snapshot: Parameters<typeof planScan>[2]) =>
    (await planScan(metadata, world.storage, snapshot)).files.length;
  assertEquals(await count({ snapshot: { id: first!["snapshot-id"] } }), 2);
  assertEquals(await count({ snapshot: { ref: "main" } }), 3);
  assertEquals(await count({ snapshot: { timestampMs: TEST_START_MS + 60_000 } }), 2);
  assertEquals(await count({ snapshot: { timestampMs: TEST_START_MS + 119_999 } }), 2);
  assertEquals(await count({ snapshot: { timestampMs: TEST_START_MS + 120_000 } }), 3);
  for (const snapshot of [{ id: 1n }, { ref: "none" }, { timestampMs: TEST_START_MS }]) {
    await assertRejects(() => planScan(metadata, world.storage, { snapshot }), IcebergError);
  }
});

Deno.test("snapshotAsOf() uses a tag where the log no longer reaches, never another branch", async () => {
  const { table: { metadata } } = await threeDays();
  const [first, second] = metadata.snapshots;
  const other = { ...first!, "snapshot-id": 77n, "timestamp-ms": TEST_START_MS + 30_000 };
  const expired = {
    ...metadata,
    snapshots: [other, first!, second!],
    "snapshot-log": metadata["snapshot-log"].slice(1),
    refs: {
      ...metadata.refs,
      "h-1": { type: "tag" as const, "snapshot-id": first!["snapshot-id"] },
      branch: { type: "branch" as const, "snapshot-id": 77n },
    },
  };
  assertEquals(snapshotAsOf(expired, TEST_START_MS + 90_000), first);
  assertEquals(snapshotAsOf(expired, TEST_START_MS + 45_000), undefined);
});

Deno.test("newestSummaryValue() finds ours under another writer's commits", async () => {
  const world = new TestWorld();
  let table = await append(world, await world.table(), [await world.file()], "ours");
  assertEquals(newestSummaryValue(table.metadata, "note")?.value, "ours");
  table = await append(world, table, [await world.file()]);
  const found = newestSummaryValue(table.metadata, "note");
  assertEquals(found?.value, "ours");
  assertEquals(found?.snapshot["sequence-number"], 1n);
  assertEquals(newestSummaryValue(table.metadata, "other"), undefined);
});

Deno.test("planScan() gives each data file the deletes that apply to it", async () => {
  const world = new TestWorld();
  const { positionDeletes, equalityDeletes } = FileContent;
  const old = await world.file();
  const neighbour = await world.file({ day: TEST_DAY + 1 });
  let table = await append(world, await world.table(), [old, neighbour]);
  const sameCommit = await world.file();
  const position = await world.file({ content: positionDeletes });
  const single = await world.file({
    content: positionDeletes,
    referencedDataFile: neighbour.file_path,
    day: TEST_DAY + 1,
  });
  const equality = await world.file({ content: equalityDeletes, equalityIds: [1] });
  table = await append(world, table, [sameCommit, position, single, equality]);
  const later = await world.file();
  table = await append(world, table, [later]);
  const { files } = await planScan(table.metadata, world.storage);
  const deletes = new Map(
    files.map((file) => [file.path, file.deletes.map((one) => one.file_path).sort()]),
  );
  // file                         position deletes: same partition, not newer   equality: older only
  assertEquals(deletes.get(old.file_path), [position, equality].map((d) => d.file_path).sort());
  assertEquals(deletes.get(sameCommit.file_path), [position.file_path]);
  assertEquals(deletes.get(neighbour.file_path), [single.file_path]);
  assertEquals(deletes.get(later.file_path), []);
});
