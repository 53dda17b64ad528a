/** Rows deleted by delete files: ours as others apply them, DuckDB's as we do. */
import { assertEquals } from "@std/assert";
import { newSnapshotId } from "../../iceberg/commit/environment.ts";
import { commitRewrite } from "../../iceberg/commit/rewrite.ts";
import { reloadTable, type Table } from "../../iceberg/commit/table.ts";
import { type PlannedFile, planScan } from "../../iceberg/scan/plan.ts";
import type { DataFile } from "../../iceberg/types.ts";
import { BY_DAY, EVENTS, events, localPath } from "./events.ts";
import { type InteropWorld, openWorld } from "./world.ts";
import { writeFile } from "./writer.ts";

let world: InteropWorld;

Deno.test.beforeAll(async () => {
  world = await openWorld();
});
Deno.test.afterAll(() => world.close());

/** A delete file of the given rows, in the partition of `of`. */
async function deleteFile(of: DataFile, options: {
  content: 1 | 2;
  query: string;
  ids: string;
}): Promise<DataFile> {
  const path = `${of.file_path}.deletes-${options.content}.parquet`;
  await world.db.rows(
    `COPY (${options.query}) TO '${localPath(path)}' (FORMAT parquet, FIELD_IDS ${options.ids})`,
  );
  const [row] = await world.db.rows(`SELECT count(*) AS n FROM (${options.query})`);
  return {
    content: options.content,
    file_path: path,
    file_format: "PARQUET",
    spec_id: of.spec_id,
    partition: of.partition,
    record_count: BigInt(row!.n as string),
    file_size_in_bytes: BigInt((await Deno.stat(localPath(path))).size),
    ...(options.content === 2 ? { equality_ids: [1] } : {}),
  };
}

Deno.test("delete files: position deletes read alike by all, equality deletes by DuckDB and us", async () => {
  let table = await world.table("deletes", { schema: EVENTS, spec: BY_DAY });
  const file = await events(world, table, { first: 0, count: 10, day: 21 });
  const other = await events(world, table, { first: 10, count: 10, day: 21 });
  table = await world.append(table, [file, other]);
  const positions = await deleteFile(file, {
    content: 1,
    query: `SELECT '${file.file_path}' AS file_path, pos::BIGINT AS pos FROM range(3) t(pos)`,
    ids: "{file_path: 2147483546, pos: 2147483545}",
  });
  table = await world.append(table, [positions]);
  assertEquals(table.metadata.snapshots.at(-1)?.summary["total-position-deletes"], "3");
  const name = world.name(table);
  assertEquals(await world.judge.count({ table: name }), { pyiceberg: 17, duckdb: 17 });
  const plan = await planScan(table.metadata, world.env.storage);
  const deletesOf = new Map(
    plan.files.map((one) => [one.path, one.deletes.map((d) => d.file_path)]),
  );
  // Without bounds on file_path the file may concern its whole partition.
  assertEquals(deletesOf.get(file.file_path), [positions.file_path]);
  assertEquals(deletesOf.get(other.file_path), [positions.file_path]);
  // An equality delete touches what was there before it, not what comes with it or later.
  const equality = await deleteFile(file, {
    content: 2,
    query: "SELECT unnest([5, 15, 25])::BIGINT AS id",
    ids: "{id: 1}",
  });
  const later = await events(world, table, { first: 20, count: 10, day: 21 });
  table = await world.append(table, [equality, later]);
  const read = await world.judge.duckdb({ table: name });
  const left = [3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, ...range(16, 30)].map(String).sort();
  assertEquals(read.rows.map(([id]) => id!).sort(), left);
  const { files } = await planScan(table.metadata, world.env.storage);
  const equalities = files.filter((one) => one.deletes.some((d) => d.content === 2));
  assertEquals(equalities.map((one) => one.path).sort(), [file.file_path, other.file_path].sort());
  assertEquals(files.find((one) => one.path === later.file_path)?.deletes, []);
});

const range = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => from + index);

/** The rows of a planned file that its position deletes leave, as a query. */
function leftOf(file: PlannedFile): string {
  const deletes = file.deletes.map((one) => `'${localPath(one.file_path)}'`).join(", ");
  const rows = `SELECT id, "at", name, file_row_number AS pos
    FROM read_parquet('${localPath(file.path)}', file_row_number = true)`;
  if (deletes === "") return `SELECT id, "at", name FROM (${rows})`;
  return `SELECT id, "at", name FROM (${rows}) WHERE pos NOT IN
    (SELECT pos FROM read_parquet([${deletes}]) WHERE file_path = '${file.path}')`;
}

async function ids(table: Table): Promise<number[]> {
  const { files } = await planScan(table.metadata, world.env.storage);
  const rows = await world.db.rows(
    `SELECT id::INTEGER AS id FROM (${files.map(leftOf).join(" UNION ALL ")}) ORDER BY id`,
  );
  return rows.map((row) => Number(row.id));
}

Deno.test("DuckDB deletes and inserts through the catalog: we read it, go on, and compact it", async () => {
  let table = await world.table("duckdb_writes", { schema: EVENTS, spec: BY_DAY });
  const name = world.name(table);
  table = await world.append(table, [await events(world, table, { first: 0, count: 5, day: 21 })]);
  await world.judge.changeByDuckDb({ table: name });
  table = await reloadTable(table);
  assertEquals(await ids(table), [0, 3, 4, 500]);
  table = await world.append(table, [await events(world, table, { first: 10, count: 2, day: 21 })]);
  assertEquals(await world.judge.count({ table: name }), { pyiceberg: 6, duckdb: 6 });
  assertEquals(await ids(table), [0, 3, 4, 10, 11, 500]);
  // Compacted: refused unless the deletes are applied, and then everybody still sees the same.
  const { files } = await planScan(table.metadata, world.env.storage);
  const output = await writeFile(world.db, table.metadata, {
    query: files.map(leftOf).join(" UNION ALL "),
    partitionValue: () => BigInt(Date.parse("2026-11-21T00:00:00Z")) * 1000n,
  });
  const rewrite = async (deletesApplied: boolean) =>
    await commitRewrite(table, {
      ...world.env,
      snapshotId: newSnapshotId(world.env.random),
      startingSnapshotId: table.metadata["current-snapshot-id"]!,
      groups: [{ inputs: files.map((one) => one.file), outputs: [output], deletesApplied }],
    });
  assertEquals((await rewrite(false)).status, "nothing");
  const outcome = await rewrite(true);
  table = outcome.table;
  assertEquals([outcome.status, outcome.dropped], ["committed", []]);
  assertEquals(await world.judge.count({ table: name }), { pyiceberg: 6, duckdb: 6 });
  assertEquals(await ids(table), [0, 3, 4, 10, 11, 500]);
});
