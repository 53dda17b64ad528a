/**
 * The tables that `deno task bench query` asks: the same made-up rows, once as the sink's commits every ten seconds leave
 * them (a file per commit) and once as compaction leaves them (a file per day). Written with the sink's own pieces.
 */
import { PipelineConfig } from "../../contracts/pipeline_config.ts";
import type { TableName } from "../../contracts/tables.ts";
import type { Catalog } from "../../iceberg/catalog/port.ts";
import { commitAppend } from "../../iceberg/commit/append.ts";
import { newSnapshotId, systemEnvironment } from "../../iceberg/commit/environment.ts";
import type { Table } from "../../iceberg/commit/table.ts";
import { localStorage } from "../../iceberg/storage/local.ts";
import type { DataFile } from "../../iceberg/types.ts";
import { sampleAlerts, sampleTransactions } from "../../query/testing.ts";
import { dirname } from "../../runtime/path.ts";
import { openTable } from "../../sink/create_tables.ts";
import { type DuckDb, openDuckDb } from "../../sink/duckdb.ts";
import { dataFileLocation, dataFileOf, layoutOf } from "../../sink/layout.ts";
import { copyToParquet } from "../../sink/parquet.ts";
import { sortedCopy } from "../../sink/sorted_copy.ts";

/** How the rows lie in files. */
export const LAYOUTS = ["small_files", "compacted"] as const;

/** One of {@linkcode LAYOUTS}. */
export type Layout = typeof LAYOUTS[number];

/** Time of the first row. */
export const FIRST_DAY = "2026-03-01";

const ACCOUNTS = 10_000;
const DAY_MS = 86_400_000;
/** Half an hour of commits every ten seconds: as many as the sink keeps snapshots of. */
const SINGLE_COMMITS = 180;

/** How much is made of it. */
interface Shape {
  days: number;
  /** Files of one day before compaction. */
  filesPerDay: number;
}

/** Whether days of these many rows are evenly spread: a whole number of microseconds between two. */
export function canSpread(rows: number): boolean {
  return DAY_MS * 1000 % (rows / shapeOf(rows).days) === 0;
}

/** 1 M rows: ten days in a thousand files; more rows are more and fuller days. */
export function shapeOf(rows: number): Shape {
  return rows > 3_000_000 ? { days: 25, filesPerDay: 80 } : { days: 10, filesPerDay: 100 };
}

/** The nth day. */
export function dayOf(number: number): string {
  return new Date(Date.parse(FIRST_DAY) + number * DAY_MS).toISOString().slice(0, 10);
}

/** Rows `from` to `to` of all. */
interface Slice {
  day: string;
  from: number;
  to: number;
}

function slicesOf(rows: number, layout: Layout): Slice[] {
  const { days, filesPerDay } = shapeOf(rows);
  const parts = layout === "compacted" ? 1 : filesPerDay;
  return Array.from({ length: days * parts }, (_, index) => ({
    day: dayOf(Math.floor(index / parts)),
    from: Math.floor(rows * index / (days * parts)),
    to: Math.floor(rows * (index + 1) / (days * parts)),
  }));
}

/** The files of each commit: all but the last ones in one, which expiry has left of them. */
function commitsOf<T>(files: readonly T[]): T[][] {
  const single = Math.min(SINGLE_COMMITS, Math.ceil(files.length / 4));
  const old = files.slice(0, -single);
  return [old, ...files.slice(-single).map((file) => [file])];
}

interface Target {
  db: DuckDb;
  warehouse: string;
  table: Table;
  name: TableName;
  layout: Layout;
}

async function writeFile(
  target: Target,
  file: { select: string; rows: number },
  place: { day: string; snapshotId: bigint; counter: number },
): Promise<DataFile> {
  const { db, table, name } = target;
  const layout = layoutOf(name, table.metadata);
  const { plan } = layout;
  const output = db.newPath(".parquet");
  const order = target.layout === "small_files" ? "time" : "lookup";
  const metrics = order === "time"
    ? await copyToParquet(db, { plan, query: file.select, output })
    : await sortedCopy(db, { plan, relation: `(${file.select})`, rows: file.rows, output });
  const location = dataFileLocation(layout, place);
  const path = localStorage({ roots: [table.metadata.location] }).localPath!(location);
  await Deno.mkdir(dirname(path), { recursive: true });
  await Deno.rename(output, path);
  const { size } = await Deno.stat(path);
  return dataFileOf(layout, { day: place.day, location, size, metrics, order });
}

/** About as long as what the sink notes in every snapshot. */
function offsetsOf(slice: number): string {
  const partitions = Object.fromEntries([0, 1, 2, 3].map((one) => [one, String(slice * 250)]));
  const id = "bench-topic-id-0123456789";
  const topics = { transactions: { id, from: partitions, next: partitions } };
  return JSON.stringify({ cluster: "bench-cluster-01234567", topics });
}

async function makeTable(
  target: Target,
  slices: readonly Slice[],
  selectOf: (slice: Slice) => string,
): Promise<void> {
  const environment = systemEnvironment(localStorage({ roots: [target.warehouse] }));
  let { table } = target;
  let counter = 0;
  for (const part of commitsOf(slices)) {
    const snapshotId = newSnapshotId(environment.random);
    const files: DataFile[] = [];
    for (const slice of part) {
      const place = { day: slice.day, snapshotId, counter: counter++ };
      const file = { select: selectOf(slice), rows: slice.to - slice.from };
      files.push(await writeFile(target, file, place));
    }
    const summary = () => ({ "pipeline.offsets": offsetsOf(counter) });
    table = (await commitAppend(table, { ...environment, snapshotId, files, summary })).table;
  }
}

/** Makes transactions and alerts of so many rows in an empty catalog. */
export async function makeTables(
  options: { catalog: Catalog; warehouse: string; scratch: string; rows: number; layout: Layout },
): Promise<void> {
  const { catalog, warehouse, scratch, rows, layout } = options;
  // As much memory as the sink has for a compaction: it decides how a day is cut.
  const memoryMb = PipelineConfig.parse({}).sink.duckdb_memory_mb;
  const db = await openDuckDb({ directory: scratch, memoryMb, threads: 2, keepOrder: true });
  const { days } = shapeOf(rows);
  const rowsOf = ({ from, to }: Slice) =>
    sampleTransactions({
      first: from,
      count: to - from,
      start: `${FIRST_DAY}T00:00:00Z`,
      stepSeconds: days * DAY_MS / 1000 / rows,
      accounts: ACCOUNTS,
    });
  try {
    const slices = slicesOf(rows, layout);
    for (const name of ["transactions", "alerts"] as const) {
      const table = await openTable(catalog, name);
      const target = { db, warehouse, table, name, layout };
      await makeTable(
        target,
        slices,
        (slice) => name === "alerts" ? sampleAlerts(rowsOf(slice)) : rowsOf(slice),
      );
    }
  } finally {
    db.close();
  }
}
