/** Reads the rows of the tables into the scratch tables: lineage and what is compared. */
import { planScan } from "../iceberg/scan/plan.ts";
import { locationKey } from "../iceberg/storage/location.ts";
import { NoSuchFileError, type Storage } from "../iceberg/storage/port.ts";
import { currentSchema } from "../iceberg/metadata.ts";
import { fieldIndex } from "../iceberg/schema.ts";
import { type DataFile, FileContent, type Snapshot, type TableMetadata } from "../iceberg/types.ts";
import { NotReadyError } from "../contracts/errors.ts";
import { AUDITED_TABLES, type AuditedTable } from "./facts.ts";
import { rowFactsSql, type RowFile, type RowOptions, rowsSql } from "./row_sql.ts";
import type { Scratch } from "./scratch.ts";
import { quoteText } from "./sql_text.ts";
import type { TableFiles } from "./table_files.ts";

/** A table to read. */
export interface TableLoad {
  table: AuditedTable;
  metadata: TableMetadata;
  storage: Storage;
  /** As examined before: what is missing is left out, and who added what is kept. */
  files: TableFiles;
}

/** What was read. */
export interface LoadedTable {
  files: number;
  /** Files that are there but cannot be read, with DuckDB's reason. */
  unreadable: { location: string; reason: string }[];
  /** Metadata of the current snapshot is gone, so that its rows cannot be found; undefined if all is there. */
  lost: string | undefined;
}

/** Fills `table_row` and `table_file` with a table's current rows. */
export async function loadTable(
  scratch: Scratch,
  load: TableLoad,
  options: RowOptions,
): Promise<LoadedTable> {
  const { table, files } = load;
  const gone = new Set(files.missing.map(locationKey));
  let planned: RowFile[];
  try {
    planned = await planFiles(load);
  } catch (error) {
    if (!(error instanceof NoSuchFileError)) throw error;
    return { files: 0, unreadable: [], lost: error.location };
  }
  const there = planned.filter(({ location }) => !gone.has(locationKey(location)))
    .map((file) => ({
      ...file,
      deletes: file.deletes.filter(({ path }) => !gone.has(locationKey(path))),
    }));
  const unreadable: LoadedTable["unreadable"] = [];
  const insert = (some: readonly RowFile[]) =>
    scratch.run(
      `INSERT INTO all_table_row ${rowFactsSql(table, rowsSql(table, some), options)}`,
    );
  try {
    await insert(there);
  } catch {
    // One bad file fails the statement for all: one by one, the bad ones are named and the rest is read.
    for (const file of there) {
      try {
        await insert([file]);
      } catch (error) {
        unreadable.push({ location: file.location, reason: firstLine(error) });
      }
    }
  }
  await noteFiles(scratch, table, there, files);
  return { files: planned.length, unreadable, lost: undefined };
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0]!;
}

/** The files of a snapshot, the current one by default. */
export async function planFiles(
  { metadata, storage }: Pick<TableLoad, "metadata" | "storage">,
  snapshot?: Snapshot,
): Promise<RowFile[]> {
  const { localPath } = storage;
  if (localPath === undefined) {
    throw new NotReadyError("Cannot read the tables' files: they are not on this machine");
  }
  const plan = await planScan(
    metadata,
    storage,
    snapshot === undefined ? {} : { snapshot: { id: snapshot["snapshot-id"] } },
  );
  const fields = fieldIndex(currentSchema(metadata));
  const pathOf = (location: string) => localPath.call(storage, location);
  return plan.files.map(({ path, deletes }, index) => ({
    index,
    path: pathOf(path),
    location: path,
    deletes: deletes.map((file: DataFile) => ({
      kind: file.content === FileContent.equalityDeletes ? "equality" : "position",
      path: pathOf(file.file_path),
      fields: (file.equality_ids ?? []).flatMap((id) => fields.get(id)?.field ?? []),
    })),
  }));
}

async function noteFiles(
  scratch: Scratch,
  table: AuditedTable,
  files: readonly RowFile[],
  { addedBy }: TableFiles,
): Promise<void> {
  const values = files.flatMap(({ index, location }) => {
    const snapshot = addedBy.get(locationKey(location));
    return snapshot === undefined
      ? []
      : [`(${AUDITED_TABLES.indexOf(table)}, ${index}, '${snapshot}')`];
  });
  for (let from = 0; from < values.length; from += 1000) {
    const some = values.slice(from, from + 1000).join(", ");
    await scratch.run(`INSERT INTO table_file VALUES ${some}`);
  }
}

/** A snapshot of another writer, and what it did to rows that carry our lineage. */
export interface ForeignSnapshot {
  table: AuditedTable;
  snapshotId: bigint;
  operation: string;
  timestampMs: number;
  /** Rows removed, added or changed; undefined where the files to tell from are gone. */
  rows: number | undefined;
}

/** Finds the rows that a foreign snapshot changed, into `foreign_change`. */
export async function loadForeignChange(
  scratch: Scratch,
  load: TableLoad,
  snapshot: Snapshot,
  options: RowOptions,
): Promise<ForeignSnapshot> {
  const { table, metadata } = load;
  const snapshotId = snapshot["snapshot-id"];
  const parentId = snapshot["parent-snapshot-id"];
  const parent = metadata.snapshots.find((one) => one["snapshot-id"] === parentId);
  const found: ForeignSnapshot = {
    table,
    snapshotId,
    operation: snapshot.summary.operation,
    timestampMs: snapshot["timestamp-ms"],
    rows: undefined,
  };
  if (parentId !== undefined && parent === undefined) return found;
  try {
    const before = parent === undefined ? [] : await planFiles(load, parent);
    const after = await planFiles(load, snapshot);
    const kept = new Set(before.map(fileKey)).intersection(new Set(after.map(fileKey)));
    const facts = (files: readonly RowFile[]) => {
      const changed = files.filter((file) => !kept.has(fileKey(file)));
      const columns = "p, o, kind, flagged, rule, severity, version, id, row_bits";
      return `SELECT ${columns} FROM (${
        rowFactsSql(table, rowsSql(table, changed), options)
      }) WHERE p IS NOT NULL AND o IS NOT NULL`;
    };
    const [old, young] = [facts(before), facts(after)];
    await scratch.run(`INSERT INTO foreign_change SELECT DISTINCT
      ${AUDITED_TABLES.indexOf(table)}, p, o, ${quoteText(String(snapshotId))} FROM (
        ((${old}) EXCEPT ALL (${young})) UNION ALL ((${young}) EXCEPT ALL (${old})))`);
    const [row] = await scratch.rows<{ n: string }>(
      `SELECT count(*) AS n FROM foreign_change WHERE snapshot = '${snapshotId}'`,
    );
    return { ...found, rows: Number(row!.n) };
  } catch (error) {
    // Its files, or its parent's, have expired: it can be named, its rows cannot.
    if (error instanceof NoSuchFileError || isMissingFile(error)) return found;
    throw error;
  }
}

function isMissingFile(error: unknown): boolean {
  return error instanceof Error && /No files found|Cannot open file/.test(error.message);
}

function fileKey({ location, deletes }: RowFile): string {
  return [locationKey(location), ...deletes.map(({ path }) => path).sort()].join("|");
}
