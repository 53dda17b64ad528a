import { assert, assertEquals } from "@std/assert";
import type { Metrics, Schema } from "../iceberg/types.ts";
import { type TableName, TABLES } from "../contracts/tables.ts";
import { planTable } from "./columns.ts";
import { type DuckDb, openDuckDb } from "./duckdb.ts";
import { sliceTime, sortedCopy } from "./sorted_copy.ts";
import { quoteText } from "./sql_text.ts";

Deno.test("sliceTime() cuts at seconds, below the limit where it can", () => {
  const seconds = [[10, 3], [11, 3], [14, 5], [12, 1], [20, 9], [30, 1]].map(([us, rows]) => ({
    us: BigInt(us!),
    rows: rows!,
  }));
  assertEquals(sliceTime(seconds, 7), [
    { fromUs: undefined, toUs: 14n },
    { fromUs: 14n, toUs: 20n },
    { fromUs: 20n, toUs: 30n },
    { fromUs: 30n, toUs: undefined },
  ]);
  assertEquals(sliceTime([], 7), [{ fromUs: undefined, toUs: undefined }]);
});

/** Copies made-up rows, of scrambled accounts and times; `test` looks at the file. */
async function withCopy(
  table: TableName,
  rows: number,
  test: (db: DuckDb, output: string, metrics: Metrics) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "sink_sorted_" });
  const db = await openDuckDb({ directory, memoryMb: 128, threads: 1, keepOrder: true });
  try {
    const schema: Schema = {
      type: "struct",
      "schema-id": 0,
      fields: structuredClone(TABLES[table].columns) as unknown as Schema["fields"],
    };
    const plan = planTable(table, schema);
    const input = db.newPath(".parquet");
    const columns = schema.fields.map(({ name, type }) => {
      if (name === TABLES[table].timeColumn) {
        return `make_timestamptz(1795219200000000 + (i * 7919) % ${rows} * 200000) AS "${name}"`;
      }
      if (typeof type !== "string") {
        return `[]::STRUCT(field VARCHAR, expected VARCHAR, actual VARCHAR)[] AS "${name}"`;
      }
      if (name === "source_offset") return `i AS source_offset`;
      if (name === "account_id") return `'ACC' || i * 104729 % 1000 AS account_id`;
      if (type === "string") return `'${name} ' || md5(i::VARCHAR) AS "${name}"`;
      return `NULL AS "${name}"`;
    });
    await db.rows(
      `COPY (SELECT ${columns.join(", ")} FROM range(${rows}) t(i)) TO ${quoteText(input)}
       (FORMAT parquet, ROW_GROUP_SIZE 20000)`,
    );
    const casts = schema.fields.map(({ name, type }) =>
      typeof type === "string" && type.startsWith("decimal")
        ? `"${name}"::${type} AS "${name}"`
        : `"${name}"`
    );
    const relation = `(SELECT ${casts.join(", ")} FROM read_parquet(${quoteText(input)}))`;
    const output = db.newPath(".parquet");
    const metrics = await sortedCopy(db, { plan, relation, rows, output });
    assertEquals(metrics.record_count, BigInt(rows));
    await test(db, output, metrics);
  } finally {
    db.close();
    await Deno.remove(directory, { recursive: true });
  }
}

/** How far a file is from being in order by a key, and whether all rows are in it once. */
async function look(db: DuckDb, path: string, key: string) {
  const [seen] = await db.rows(
    `SELECT count(*)::INTEGER AS rows, count(DISTINCT source_offset)::INTEGER AS offsets,
       count(*) FILTER (this_key < key_before)::INTEGER AS disorder
     FROM (SELECT source_offset, ${key} AS this_key,
       lag(${key}) OVER (ORDER BY file_row_number) AS key_before
       FROM read_parquet(${quoteText(path)}, file_row_number = true))`,
  );
  return seen as { rows: number; offsets: number; disorder: number };
}

Deno.test("sortedCopy() sorts far more than its memory holds, every row once", () =>
  withCopy("dead_letters", 300_000, async (db, output, metrics) => {
    const rows = 300_000;
    assert(metrics.split_offsets!.length > 1);
    assertEquals(await look(db, output, "failed_at"), { rows, offsets: rows, disorder: 0 });
  }));

Deno.test("sortedCopy() puts the rows of an account side by side, by time", () =>
  withCopy("transactions", 70_000, async (db, output, metrics) => {
    const rows = 70_000;
    const key = `(account_id, "timestamp")`;
    assertEquals(await look(db, output, key), { rows, offsets: rows, disorder: 0 });
    // An account is in one of its three row groups, or where two of them meet.
    assertEquals(metrics.split_offsets!.length, 3);
    const [groups] = await db.rows(
      `SELECT count(*)::INTEGER AS hits FROM parquet_metadata(${quoteText(output)})
       WHERE path_in_schema = 'account_id' AND 'ACC77' BETWEEN stats_min_value AND stats_max_value`,
    );
    assertEquals(groups, { hits: 1 });
  }));

Deno.test("sortedCopy() of more than its memory holds keeps a time of day in one slice", () =>
  withCopy("transactions", 300_000, async (db, output) => {
    const rows = 300_000;
    const seen = await look(db, output, `(account_id, "timestamp")`);
    assertEquals([seen.rows, seen.offsets], [rows, rows]);
    // 128 MiB sort 76,800 rows at once: four slices, so three places where the accounts begin again.
    assertEquals(seen.disorder, 3);
    const [spans] = await db.rows(
      `WITH numbered AS (SELECT account_id, "timestamp" AS time,
           count(*) FILTER (begins) OVER (ORDER BY file_row_number) AS slice
         FROM (SELECT *, account_id < lag(account_id) OVER (ORDER BY file_row_number) AS begins
           FROM read_parquet(${quoteText(output)}, file_row_number = true))),
         bounds AS (SELECT slice, min(time) AS "first", max(time) AS "last" FROM numbered GROUP BY ALL)
       SELECT count(*)::INTEGER AS slices, count(*) FILTER (crosses)::INTEGER AS overlapping
       FROM (SELECT "first" <= lag("last") OVER (ORDER BY slice) AS crosses FROM bounds)`,
    );
    assertEquals(spans, { slices: 4, overlapping: 0 });
  }));
