/**
 * Our tables as other engines see them, theirs as we do. PyIceberg and DuckDB's iceberg extension share no
 * code with iceberg/; expected rows are written out by hand.
 */
import { assert, assertEquals } from "@std/assert";
import { newSnapshotId } from "../../iceberg/commit/environment.ts";
import { expireSnapshots } from "../../iceberg/commit/expire.ts";
import { commitSchema } from "../../iceberg/commit/metadata_changes.ts";
import { removeOrphans } from "../../iceberg/commit/orphans.ts";
import { commitOverwrite } from "../../iceberg/commit/overwrite.ts";
import { rollback, setTag } from "../../iceberg/commit/refs.ts";
import { commitRewrite } from "../../iceberg/commit/rewrite.ts";
import { commitRewriteManifests } from "../../iceberg/commit/rewrite_manifests.ts";
import { reloadTable, type Table } from "../../iceberg/commit/table.ts";
import { currentSchema } from "../../iceberg/metadata.ts";
import { planScan } from "../../iceberg/scan/plan.ts";
import { newestSummaryValue } from "../../iceberg/scan/snapshot.ts";
import type { Value } from "../../iceberg/types.ts";
import { ALL_TYPES_COLUMNS, ALL_TYPES_ROWS, ALL_TYPES_SQL } from "./all_types.ts";
import { BY_DAY, EVENTS, events, localPath, schemaOf } from "./events.ts";
import { TRANSFORM_CASES } from "./transform_cases.ts";
import { type InteropWorld, openWorld } from "./world.ts";
import { readFiles, writeFile } from "./writer.ts";

let world: InteropWorld;

Deno.test.beforeAll(async () => {
  world = await openWorld();
});
Deno.test.afterAll(() => world.close());

/** Rows by our own plan, read by DuckDB. */
async function ours(table: Table, snapshot?: Parameters<typeof planScan>[2]): Promise<number> {
  const { metadata } = await reloadTable(table);
  const { files } = await planScan(metadata, world.env.storage, snapshot ?? {});
  assertEquals(files.flatMap((file) => file.deletes), []);
  const [row] = await readFiles(world.db, files, "SELECT count(*)::INT AS n FROM FILES");
  return Number(row!.n);
}

/** All three agree on the number of rows. */
async function allCount(table: Table, expected: number): Promise<void> {
  const judged = await world.judge.count({ table: world.name(table) });
  assertEquals({ ...judged, ours: await ours(table) }, {
    pyiceberg: expected,
    duckdb: expected,
    ours: expected,
  });
}

Deno.test("all types: PyIceberg and DuckDB read every value", async () => {
  const table = await world.table("all_types", { schema: schemaOf(ALL_TYPES_COLUMNS) });
  const file = await writeFile(world.db, table.metadata, { query: ALL_TYPES_SQL });
  await world.append(table, [file]);
  const read = await world.judge.read({ table: world.name(table) });
  const expected = [...ALL_TYPES_ROWS].map((row) => [...row]).sort();
  assertEquals(read.columns, Object.keys(ALL_TYPES_COLUMNS));
  assertEquals(read.pyiceberg.sort(), expected);
  assertEquals(read.duckdb.sort(), expected);
});

Deno.test("all types: statistics in our manifests are true", async () => {
  // PyIceberg's list of files cannot print the bounds of a UUID.
  const { uuid: _, ...columns } = ALL_TYPES_COLUMNS;
  const table = await world.table("statistics", { schema: schemaOf(columns) });
  const file = await writeFile(world.db, table.metadata, {
    query: `SELECT * EXCLUDE (uuid) FROM (${ALL_TYPES_SQL})`,
  });
  await world.append(table, [file]);
  const [judged, ...others] = await world.judge.files({ table: world.name(table) });
  assertEquals(others, []);
  assertEquals(judged!.records, ALL_TYPES_ROWS.length);
  assertEquals(judged!.size, judged!.true_size);
  let bounded = 0;
  for (const [name, column] of Object.entries(judged!.columns)) {
    assertEquals(column.nulls, column.true_nulls, name);
    assertEquals(column.values, column.true_values, name);
    if (column.lower === "null") continue;
    bounded++;
    if (name !== "string") {
      assertEquals([column.lower, column.upper], [column.true_min, column.true_max], name);
      continue;
    }
    // Text is cut to 16 characters: the lower bound downwards, the upper one upwards.
    assert(column.true_min.startsWith(column.lower), name);
    assert(column.upper > column.true_max && [...column.upper].length <= 16, column.upper);
  }
  assert(bounded >= 12, `only ${bounded} columns have bounds`);
});

for (const [index, one] of TRANSFORM_CASES.entries()) {
  Deno.test(`transform ${one.transform} of ${one.type}: others prune by it and lose nothing`, async () => {
    const table = await world.table(`transform_${index}`, {
      schema: schemaOf({ id: "int", source: one.type }),
      spec: {
        "spec-id": 0,
        fields: [{ "source-id": 2, "field-id": 1000, name: "part", transform: one.transform }],
      },
    });
    const files = [];
    for (const [id, { sql, value }] of one.values.entries()) {
      files.push(
        await writeFile(world.db, table.metadata, {
          query: `SELECT ${id}::INTEGER AS id, ${sql} AS source`,
          partitionValue: () => value as Value | null,
        }),
      );
    }
    await world.append(table, files);
    for (const { filter, sql, ids } of one.filters) {
      const read = await world.judge.read({ table: world.name(table), filter, sql });
      const expected = ids.map(String);
      assertEquals(read.pyiceberg.map(([id]) => id!).sort(), expected, `PyIceberg: ${filter}`);
      if (one.duckdbFault === undefined) {
        assertEquals(read.duckdb.map(([id]) => id!).sort(), expected, `DuckDB: ${sql}`);
      }
      assertEquals(read.total, one.values.length);
    }
  });
}

Deno.test("PyIceberg changes our table: we read it, find our offsets, and go on", async () => {
  let table = await world.table("changed", { schema: EVENTS, spec: BY_DAY });
  table = await world.append(
    table,
    [await events(world, table, { first: 0, count: 10, day: 21 })],
    "ours",
  );
  await allCount(table, 10);
  // + 3 appended, - id 1, - id 100 + id 200, + 1 with a new column.
  await world.judge.change({ table: world.name(table) });
  await allCount(table, 13);
  table = await reloadTable(table);
  const offsets = newestSummaryValue(table.metadata, "pipeline.offsets");
  assertEquals(offsets?.value, "ours");
  assert(offsets?.snapshot["snapshot-id"] !== table.metadata["current-snapshot-id"]);
  const [device] = currentSchema(table.metadata).fields.slice(3);
  assertEquals([device?.id, device?.name], [4, "device_id"]);
  const file = await writeFile(world.db, table.metadata, {
    query: `SELECT 400::BIGINT AS id, TIMESTAMPTZ '2026-11-21 12:00:00+00' AS at,
      'after' AS name, 'd-400' AS device_id`,
    partitionValue: () => BigInt(Date.parse("2026-11-21T12:00:00Z")) * 1000n,
  });
  table = await world.append(table, [file], "ours again");
  await allCount(table, 14);
  assertEquals(table.metadata.snapshots.at(-1)?.summary["total-records"], "14");
  const read = await world.judge.read({
    table: world.name(table),
    filter: "device_id is not null",
    sql: "device_id IS NOT NULL",
  });
  const expected = [
    ["300", "2026-11-23T10:00:00.000000Z", "theirs 300", "d-300"],
    ["400", "2026-11-21T12:00:00.000000Z", "after", "d-400"],
  ];
  assertEquals([read.pyiceberg, read.duckdb], [expected, expected]);
});

Deno.test("evolved by us: added, renamed, promoted, dropped columns read the same everywhere", async () => {
  let table = await world.table("evolved", {
    schema: schemaOf({ id: "int", label: "string", score: "float", gone: "string" }),
  });
  const first = await writeFile(world.db, table.metadata, {
    query: `SELECT 1::INTEGER AS id, 'one' AS label, 1.5::FLOAT AS score, 'x' AS gone`,
  });
  table = await world.append(table, [first]);
  table = (await commitSchema(table, {
    ...world.env,
    changes: [
      { action: "promote-column", column: "id", type: "long" },
      { action: "promote-column", column: "score", type: "double" },
      { action: "rename-column", column: "label", name: "title" },
      { action: "drop-column", column: "gone" },
      { action: "add-column", name: "gone", type: "long" },
    ],
  })).table;
  const second = await writeFile(world.db, table.metadata, {
    query:
      `SELECT 5000000000::BIGINT AS id, 'two' AS title, 2.25::DOUBLE AS score, 7::BIGINT AS gone`,
  });
  table = await world.append(table, [second]);
  const read = await world.judge.read({ table: world.name(table) });
  const expected = [["1", "one", "1.5", "null"], ["5000000000", "two", "2.25", "7"]];
  assertEquals(read.columns, ["id", "title", "score", "gone"]);
  assertEquals([read.pyiceberg, read.duckdb], [expected, expected]);
});

Deno.test("cared for: compacted, deleted from, manifests rewritten, expired, cleaned, rolled back", async () => {
  let table = await world.table("cared", { schema: EVENTS, spec: BY_DAY });
  const options = () => ({ ...world.env, snapshotId: newSnapshotId(world.env.random) });
  const days: Record<number, Awaited<ReturnType<typeof events>>[]> = { 21: [], 22: [] };
  for (let at = 0; at < 6; at++) {
    const day = 21 + at % 2;
    const file = await events(world, table, { first: at * 10, count: 10, day });
    days[day]!.push(file);
    table = await world.append(table, [file]);
  }
  await allCount(table, 60);
  const whole = table.metadata.snapshots.at(-1)!["snapshot-id"];
  table = (await setTag(table, { ...world.env, name: "h-20261121T00" })).table;
  // Compacted: one day's three files become one.
  const inputs = days[21]!;
  const merged = await writeFile(world.db, table.metadata, {
    query: `SELECT id, "at", name FROM read_parquet([${
      inputs.map((file) => `'${localPath(file.file_path)}'`)
    }]) ORDER BY "at"`,
    partitionValue: () => BigInt(Date.parse("2026-11-21T00:00:00Z")) * 1000n,
  });
  const rewritten = await commitRewrite(table, {
    ...options(),
    groups: [{ inputs, outputs: [merged] }],
    startingSnapshotId: whole,
  });
  table = rewritten.table;
  assertEquals(rewritten.dropped, []);
  await allCount(table, 60);
  // Deleted from by whole files, and manifests rewritten.
  const gone = days[22]!.slice(0, 1);
  table = (await commitOverwrite(table, { ...options(), remove: gone })).table;
  await allCount(table, 50);
  table = (await commitRewriteManifests(table, options())).table;
  await allCount(table, 50);
  // A mistake, rolled back.
  const good = table.metadata["current-snapshot-id"]!;
  table = await world.append(table, [
    await events(world, table, { first: 900, count: 5, day: 23 }),
  ]);
  await allCount(table, 55);
  table = (await rollback(table, { ...world.env, snapshotId: good })).table;
  await allCount(table, 50);
  // Expired: only the current snapshot and the tag's are left.
  const expired = await expireSnapshots(table, { ...world.env, maxSnapshotAgeMs: 0 });
  table = expired.table;
  assertEquals(
    table.metadata.snapshots.map((snapshot) => snapshot["snapshot-id"]).sort(),
    [whole, good].sort(),
  );
  await allCount(table, 50);
  const tagged = { table: world.name(table), ref: "h-20261121T00" };
  assertEquals(await world.judge.count(tagged), { pyiceberg: 60, duckdb: 60 });
  assertEquals(await ours(table, { snapshot: { ref: "h-20261121T00" } }), 60);
  // Cleaned: only a stranger goes. Ages are those of real files, so the clock is moved, not waited for.
  const stranger = gone[0]!.file_path.replace(/[^/]*$/, "stranger.parquet");
  await world.env.storage.create(stranger, new Uint8Array(1));
  const report = await removeOrphans(table, {
    storage: world.env.storage,
    nowMs: () => Date.now() + 3_600_000,
    ageMinMs: 1800_000,
    stagedAgeMaxMs: 600_000,
  });
  const left = report.orphans.map((file) => file.location).filter((one) =>
    !one.includes("/metadata/")
  );
  assertEquals(left, [stranger]);
  await allCount(table, 50);
  assertEquals(await world.judge.count(tagged), { pyiceberg: 60, duckdb: 60 });
});

Deno.test("time travel: every snapshot gives the rows of its time, to everyone", async () => {
  let table = await world.table("travel", { schema: EVENTS, spec: BY_DAY });
  for (let at = 0; at < 3; at++) {
    table = await world.append(table, [
      await events(world, table, { first: at * 10, count: 10, day: 21 }),
    ]);
  }
  for (const [index, snapshot] of table.metadata.snapshots.entries()) {
    const id = snapshot["snapshot-id"];
    const judged = await world.judge.count({ table: world.name(table), snapshot: String(id) });
    const expected = (index + 1) * 10;
    assertEquals(judged, { pyiceberg: expected, duckdb: expected });
    assertEquals(await ours(table, { snapshot: { id } }), expected);
    const timestampMs = snapshot["timestamp-ms"];
    assertEquals(await ours(table, { snapshot: { timestampMs } }), expected);
  }
});
