/**
 * Sorts more rows into one Parquet file than fit into memory: 1. how many rows each second has 2. slices of time that
 * fit are sorted on their own 3. the slices, one after the other, become the file. DuckDB's own external sort
 * gives up with little memory, and a compaction that needs much would not run beside the commits.
 *
 * A table with a lookup column is sorted by it within each slice: one account's rows are then in a few row groups of a
 * file and not in all of them, and a time of day still is in one slice (docs/decisions/0015).
 */
import type { Metrics } from "../iceberg/types.ts";
import type { TablePlan } from "./columns.ts";
import { type DuckDb, isOutOfMemory } from "./duckdb.ts";
import { orderSql } from "./file_order.ts";
import { copyToParquet } from "./parquet.ts";
import { quoteName, quoteText } from "./sql_text.ts";

/** Rows of up to 800 bytes that are sorted at once, per MiB of DuckDB's memory; half of it is for the rows. */
const ROWS_PER_MIB = 600;

/** Slices are not made smaller than this. */
const ROWS_MIN = 1000;

/** Options of {@linkcode sortedCopy}. */
export interface SortedCopyOptions {
  plan: TablePlan;
  /** A relation with the plan's columns, e.g. a `read_parquet(…)` in brackets. */
  relation: string;
  rows: number;
  /** File to write. */
  output: string;
}

/** A range of time, µs since the epoch; open at either end where undefined. */
export interface TimeSlice {
  fromUs: bigint | undefined;
  toUs: bigint | undefined;
}

/**
 * Writes all rows of the relation, sorted as the module's comment says. Needs a DuckDB that keeps the order of
 * rows. Wider rows than expected make it try again with smaller slices.
 */
export async function sortedCopy(db: DuckDb, options: SortedCopyOptions): Promise<Metrics> {
  for (let rowsMax = db.memoryMb * ROWS_PER_MIB;; rowsMax = Math.ceil(rowsMax / 2)) {
    try {
      return await copyBySlices(db, options, rowsMax);
    } catch (error) {
      if (!isOutOfMemory(error) || rowsMax <= ROWS_MIN) throw error;
    }
  }
}

async function copyBySlices(
  db: DuckDb,
  options: SortedCopyOptions,
  rowsMax: number,
): Promise<Metrics> {
  const { plan, relation, rows, output } = options;
  if (rows <= rowsMax) {
    const query = `SELECT * FROM ${relation}`;
    return await copyToParquet(db, { plan, query, output, order: "lookup" });
  }
  const time = quoteName(plan.time.name);
  // 1. How many rows each second has.
  const seconds = await db.rows(
    `SELECT epoch_us(date_trunc('second', ${time}))::VARCHAR AS us, count(*)::DOUBLE AS rows
     FROM ${relation} GROUP BY ALL HAVING us IS NOT NULL`,
  );
  const slices = sliceTime(
    seconds.map((second) => ({ us: BigInt(second.us as string), rows: second.rows as number })),
    rowsMax,
  );
  const parts: string[] = [];
  try {
    // 2. Each slice.
    for (const slice of slices) {
      const part = db.newPath(".parquet");
      parts.push(part);
      await db.rows(
        `COPY (SELECT * FROM ${relation} WHERE ${sliceSql(time, slice)}${orderSql(plan, "lookup")})
         TO ${quoteText(part)} (FORMAT parquet, COMPRESSION zstd)`,
      );
    }
    // 3. The file.
    const query = `SELECT * FROM read_parquet([${parts.map(quoteText).join(", ")}])`;
    return await copyToParquet(db, { plan, query, output, order: "kept" });
  } finally {
    for (const part of parts) await Deno.remove(part).catch(() => {});
  }
}

function sliceSql(time: string, { fromUs, toUs }: TimeSlice): string {
  const to = toUs === undefined ? "true" : `${time} < make_timestamptz(${toUs})`;
  // Rows without a time come first, as the tables' sort order says.
  return fromUs === undefined
    ? `(${to} OR ${time} IS NULL)`
    : `(${time} >= make_timestamptz(${fromUs}) AND ${to})`;
}

/** Cuts time so that no slice has more rows than given, or is a single second. Pure. */
export function sliceTime(
  seconds: readonly { us: bigint; rows: number }[],
  rowsMax: number,
): TimeSlice[] {
  const sorted = seconds.toSorted((a, b) => Number(a.us - b.us));
  const cuts: bigint[] = [];
  let rows = 0;
  for (const second of sorted) {
    if (rows > 0 && rows + second.rows > rowsMax) {
      cuts.push(second.us);
      rows = 0;
    }
    rows += second.rows;
  }
  return [undefined, ...cuts].map((fromUs, index) => ({ fromUs, toUs: cuts[index] }));
}
