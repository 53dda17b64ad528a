import { assert, assertEquals } from "@std/assert";
import type { Schema } from "../iceberg/types.ts";
import { TABLES } from "../contracts/tables.ts";
import { planTable } from "./columns.ts";
import { openDuckDb } from "./duckdb.ts";
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

Deno.test("sortedCopy() sorts far more than its memory holds, every row once", async () => {
  const directory = await Deno.makeTempDir({ prefix: "sink_sorted_" });
  const db = await openDuckDb({ directory, memoryMb: 128, threads: 1, keepOrder: true });
  try {
    const schema: Schema = {
      type: "struct",
      "schema-id": 0,
      fields: structuredClone(TABLES.transactions.columns) as unknown as Schema["fields"],
    };
    const plan = planTable("transactions", schema);
    const rows = 300_000;
    const input = db.newPath(".parquet");
    const columns = schema.fields.map(({ name, type }) => {
      if (name === "timestamp") {
        return `make_timestamptz(1795219200000000 + (i * 7919) % ${rows} * 200000) AS "timestamp"`;
      }
      if (name === "source_offset") return `i AS source_offset`;
      if (type === "string") return `'${name} ' || md5(i::VARCHAR) AS "${name}"`;
      return `NULL AS "${name}"`;
    });
    await db.rows(
      `COPY (SELECT ${columns.join(", ")} FROM range(${rows}) t(i)) TO ${quoteText(input)}
       (FORMAT parquet, ROW_GROUP_SIZE 20000)`,
    );
    const casts = schema.fields.map(({ name }) =>
      name === "amount" ? `amount::DECIMAL(18,4) AS amount` : `"${name}"`
    );
    const relation = `(SELECT ${casts.join(", ")} FROM read_parquet(${quoteText(input)}))`;
    const output = db.newPath(".parquet");
    const metrics = await sortedCopy(db, { plan, relation, rows, output });
    assertEquals(metrics.record_count, BigInt(rows));
    assert(metrics.split_offsets!.length > 1);
    const [seen] = await db.rows(
      `SELECT count(*)::INTEGER AS rows, count(DISTINCT source_offset)::INTEGER AS offsets,
         count(*) FILTER (this_time < time_before)::INTEGER AS disorder
       FROM (SELECT source_offset, "timestamp" AS this_time,
         lag("timestamp") OVER (ORDER BY file_row_number) AS time_before
         FROM read_parquet(${quoteText(output)}, file_row_number = true))`,
    );
    assertEquals(seen, { rows, offsets: rows, disorder: 0 });
  } finally {
    db.close();
    await Deno.remove(directory, { recursive: true });
  }
});
