/** NDJSON spool file → one sorted Parquet file, with its Iceberg metrics (design section 6). */
import type { Metrics } from "../iceberg/types.ts";
import { fieldIdsSql, readSpoolSql, selectSql, type TablePlan, unfitCountSql } from "./columns.ts";
import type { DuckDb, DuckDbJson } from "./duckdb.ts";
import { type FileOrder, isByTime, orderSql } from "./file_order.ts";
import { quoteText } from "./sql_text.ts";
import { type ColumnStats, type FileStats, metricsOfFile } from "./parquet_stats.ts";

/** A Parquet file in the scratch folder. */
export interface ParquetFile {
  path: string;
  metrics: Metrics;
  /** Values of columns added by `evolve` that did not fit and are null now. */
  unfit: number;
}

/** Files in DuckDB's folder. */
export interface WriteParquetOptions {
  plan: TablePlan;
  /** Spool file to read. */
  input: string;
  /** File to write; overwritten. */
  output: string;
}

/**
 * Writes all lines of `input`, sorted by the time column.
 *
 * @throws {Error} DuckDB's, when one line cannot be read: nothing usable is written then (isolate.ts
 * finds the line).
 */
export async function writeParquet(
  db: DuckDb,
  options: WriteParquetOptions,
): Promise<ParquetFile> {
  const { plan, input, output } = options;
  const query = `SELECT ${selectSql(plan)} FROM ${readSpoolSql(plan, input)}`;
  const metrics = await copyToParquet(db, { plan, query, output });
  const unfitSql = unfitCountSql(plan, input);
  const unfit = unfitSql === undefined ? 0 : Number((await db.rows(unfitSql))[0]?.unfit ?? 0);
  return { path: output, metrics, unfit };
}

/** What to write. */
export interface CopyOptions {
  plan: TablePlan;
  /** Its columns are the plan's. */
  query: string;
  /** File to write; overwritten. */
  output: string;
  /** @default {"time"} */
  order?: FileOrder;
}

/**
 * Rows of a row group where a lookup is to skip most of them. Measured on days of 100,000 rows: a third of DuckDB's
 * 122,880 halves an account's time again; a sixth would make whole scans another tenth slower.
 */
const LOOKUP_GROUP_ROWS = 32_768;

/** Measured on generated rows: level 3, the default, takes a quarter more time for files that are no smaller; 6 twice as much. */
const ZSTD_LEVEL = 1;

/** Writes the rows of a query in one file. */
export async function copyToParquet(db: DuckDb, options: CopyOptions): Promise<Metrics> {
  const { plan, query, output, order = "time" } = options;
  const groups = isByTime(plan, order) ? "" : `, ROW_GROUP_SIZE ${LOOKUP_GROUP_ROWS}`;
  const rows = await db.rows(
    // The inner query names the columns; without it ORDER BY looks for them in the JSON.
    `COPY (SELECT * FROM (${query})${orderSql(plan, order)}) TO ${
      quoteText(output)
    } (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL ${ZSTD_LEVEL}, FIELD_IDS ${
      fieldIdsSql(plan.schema)
    }${groups}, RETURN_STATS)`,
  );
  const stats = rows[0];
  if (stats === undefined) throw new Error(`Cannot write "${output}": DuckDB gave no statistics`);
  return metricsOfFile(readStats(stats), plan.schema, await splitOffsets(db, output));
}

function readStats(row: Record<string, DuckDbJson>): FileStats {
  const columns = new Map<string, ColumnStats>();
  // A DuckDB MAP in JSON is a list of {key, value}.
  type Entry<V> = { key: string; value: V };
  for (const { key, value } of row.column_statistics as unknown as Entry<Entry<string>[]>[]) {
    columns.set(key, Object.fromEntries(value.map((entry) => [entry.key, entry.value])));
  }
  return { count: BigInt(row.count as string), columns };
}

/** Where the row groups begin, for engines that split a file between tasks. */
async function splitOffsets(db: DuckDb, path: string): Promise<bigint[]> {
  const rows = await db.rows(
    `SELECT min(CASE WHEN dictionary_page_offset > 0
        THEN least(dictionary_page_offset, data_page_offset) ELSE data_page_offset END) AS first
      FROM parquet_metadata(${quoteText(path)}) GROUP BY row_group_id ORDER BY first`,
  );
  return rows.map((row) => BigInt(row.first as string));
}
