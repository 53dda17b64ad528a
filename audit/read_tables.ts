/** Reads the tables of a view into the scratch tables: rows, files, and which offsets each file's snapshot consumed. */
import { TABLE_NAMES } from "../contracts/tables.ts";
import type { Catalog } from "../iceberg/catalog/port.ts";
import type { Storage } from "../iceberg/storage/port.ts";
import { AUDITED_TABLES } from "./facts.ts";
import {
  type ForeignSnapshot,
  type LoadedTable,
  loadForeignChange,
  loadTable,
} from "./load_tables.ts";
import type { RowOptions } from "./row_sql.ts";
import type { Scratch } from "./scratch.ts";
import { examineFiles, type TableFiles, type TableView, viewTable } from "./table_files.ts";
import type { AuditView } from "./view.ts";

/** A table that was read. */
export interface ReadTable {
  name: string;
  /** Undefined: there is no such table yet. */
  view: TableView | undefined;
  files: TableFiles | undefined;
  /** Undefined for tables whose rows are not compared. */
  loaded: LoadedTable | undefined;
  foreign: ForeignSnapshot[];
}

/** Where tables are read from. */
export interface TableSources {
  scratch: Scratch;
  catalog: Catalog;
  storage: Storage;
  namespace: string;
}

/** Reads every table; `onTable` is told how many are done. */
export async function readTables(
  sources: TableSources,
  view: AuditView,
  options: RowOptions,
  onTable: (done: number, of: number) => void,
): Promise<ReadTable[]> {
  const read: ReadTable[] = [];
  for (const [index, name] of TABLE_NAMES.entries()) {
    onTable(index, TABLE_NAMES.length);
    read.push(await readTable(sources, view, name, options));
  }
  const partitions = view.partitions.map(({ partition }) => `(${partition})`).join(", ");
  await sources.scratch.run(
    `INSERT INTO file_range SELECT f.tbl, f.file, f.snapshot, q.p, coalesce(g.from_at, 0),
        coalesce(g.next_at, 0)
      FROM table_file f CROSS JOIN (VALUES ${partitions}) AS q(p)
      LEFT JOIN consumed g ON g.tbl = f.tbl AND g.snapshot = f.snapshot AND g.p = q.p
      WHERE EXISTS (SELECT 1 FROM consumed h WHERE h.tbl = f.tbl AND h.snapshot = f.snapshot)`,
  );
  return read;
}

async function readTable(
  sources: TableSources,
  view: AuditView,
  name: string,
  options: RowOptions,
): Promise<ReadTable> {
  const { scratch, storage } = sources;
  const table = view.tables.get(name);
  const audited = AUDITED_TABLES.find((one) => one === name);
  const files = table && await examine(sources, table);
  if (table === undefined || files === undefined || audited === undefined) {
    return { name, view: table, files, loaded: undefined, foreign: [] };
  }
  const load = { table: audited, metadata: table.metadata, storage, files };
  const loaded = await loadTable(scratch, load, options);
  const foreign: ForeignSnapshot[] = [];
  const history = view.histories.get(audited)!;
  for (const snapshot of history.foreign) {
    foreign.push(await loadForeignChange(scratch, load, snapshot, options));
  }
  for (const { snapshotId, partition, from, next } of history.ranges) {
    await scratch.run(
      `INSERT INTO consumed VALUES (${AUDITED_TABLES.indexOf(audited)}, '${snapshotId}',
        ${partition}, ${from}, ${next})`,
    );
  }
  return { name, view: table, files, loaded, foreign };
}

/** A file that is gone may have expired since the table was looked at; then the table no longer wants it. */
async function examine(
  { catalog, storage, namespace }: TableSources,
  table: TableView,
): Promise<TableFiles> {
  const files = await examineFiles(table, storage);
  if (files.missing.length === 0) return files;
  const now = await viewTable(catalog, namespace, table.name);
  if (now === undefined || now.metadataLocation === table.metadataLocation) return files;
  const still = new Set((await examineFiles(now, storage)).missing);
  return { ...files, missing: files.missing.filter((location) => still.has(location)) };
}
