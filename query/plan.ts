/** From a table and a filter to the files that DuckDB has to open. */
import { type TableName, TABLES } from "../contracts/tables.ts";
import type { Catalog, LoadedTable } from "../iceberg/catalog/port.ts";
import { IcebergError } from "../iceberg/errors.ts";
import { MetadataCache } from "../iceberg/scan/cache.ts";
import type { Filter } from "../iceberg/scan/filter.ts";
import { type PlannedFile, planScan, type ScanPlan } from "../iceberg/scan/plan.ts";
import { chooseSnapshot, type SnapshotChoice } from "../iceberg/scan/snapshot.ts";
import { parseLocation } from "../iceberg/storage/location.ts";
import type { Storage } from "../iceberg/storage/port.ts";
import { type DataFile, FileContent, type Schema } from "../iceberg/types.ts";
import { newestFiles, type NewestOptions } from "./newest.ts";
import type { SnapshotSelector } from "./question.ts";
import { pathsOf, type RelationDelete, type RelationFile, relationOf } from "./relation.ts";
import type { Relation } from "./question_sql.ts";
import type { TableLoader } from "./table_loader.ts";

/** Where tables are read. */
export interface Lakehouse {
  catalog: Catalog;
  storage: Storage;
  /** @default {"finance"} */
  namespace?: string;
  /** What questions of this process have learnt; absent: each begins anew. */
  memory?: LakehouseMemory;
}

/** What earlier questions have read of tables: none of it changes, the catalog only says which of it is current. */
export class LakehouseMemory {
  readonly manifests = new MetadataCache();
  /** As the catalog last answered. */
  readonly tables = new Map<TableName, LoadedTable>();
}

/** A table that is ready to be queried. */
export interface PlannedTable {
  name: TableName;
  relation: Relation;
  plan: ScanPlan;
  /** Files left out because enough newer rows lie in others. */
  older: number;
  /** Size of the data files that are read. */
  bytes: bigint;
  /** Every file that the relation opens. */
  paths: string[];
}

/** What to plan. */
export interface TableRequest {
  snapshot: SnapshotSelector;
  /** What rows may be left out, given the columns of the snapshot. */
  filterOf: (schema: Schema) => Filter;
  /** Only so many of the newest rows are wanted, of those that the filter, exactly, lets through. */
  newest?: Omit<NewestOptions, "fieldId">;
  /** Columns whose statistics the plan must have, beside those of the filter. */
  statsOf?: readonly string[];
  /** Leaves out planned files that this question does not need, by their statistics. */
  keep?: (plan: ScanPlan) => readonly PlannedFile[];
}

function snapshotChoice(selector: SnapshotSelector): SnapshotChoice | undefined {
  switch (selector.kind) {
    case "current":
      return undefined;
    case "timestamp":
      return { timestampMs: selector.ms };
    case "id":
      return { id: selector.id };
    case "ref":
      return { ref: selector.name };
  }
}

/** The path that DuckDB opens. Only local files: the locked engine has no network. */
function localPath(location: string): string {
  const { scheme, path } = parseLocation(location);
  if (scheme === "file") return path;
  throw new IcebergError(`Cannot query "${location}": only local files can be queried`);
}

function relationDelete(file: DataFile, schema: Schema): RelationDelete {
  const ids = new Set(file.equality_ids ?? []);
  return {
    kind: file.content === FileContent.positionDeletes ? "position" : "equality",
    path: localPath(file.file_path),
    fields: schema.fields.filter((field) => ids.has(field.id)),
  };
}

/** Whether the snapshot has a column. */
export function has(schema: Schema, column: string): boolean {
  return schema.fields.some((field) => field.name === column);
}

/**
 * Plans one table.
 *
 * @throws {IcebergError} for a snapshot or tag that is not there, or files in another format
 */
export async function planTable(
  loader: TableLoader,
  name: TableName,
  request: TableRequest,
): Promise<PlannedTable> {
  const { metadata } = await loader.load(name);
  const choice = snapshotChoice(request.snapshot);
  const { schema } = chooseSnapshot(metadata, choice);
  const filter = request.filterOf(schema);
  const time = schema.fields.find((field) => field.name === TABLES[name].timeColumn);
  const newest = time === undefined ? undefined : request.newest;
  const statsOf = [...request.statsOf ?? [], ...newest === undefined ? [] : [time!.name]];
  const { storage, memory } = loader.lakehouse;
  const plan = await planScan(metadata, storage, {
    filter,
    statsOf,
    ...(choice === undefined ? {} : { snapshot: choice }),
    ...(memory === undefined ? {} : { cache: memory.manifests }),
  });
  const wanted = newest !== undefined
    ? newestFiles(plan.files, { fieldId: time!.id, ...newest })
    : request.keep?.(plan) ?? plan.files;
  const files: RelationFile[] = wanted.map(({ file, path, deletes }) => {
    if (file.file_format !== "PARQUET") {
      throw new IcebergError(`Cannot query "${path}": ${file.file_format} files cannot be read`);
    }
    return {
      path: localPath(path),
      location: path,
      deletes: deletes.map((one) => relationDelete(one, plan.schema)),
    };
  });
  const relation = relationOf(files, plan.schema.fields);
  const older = plan.files.length - files.length;
  const bytes = wanted.reduce((sum, file) => sum + file.file_size_in_bytes, 0n);
  return { name, relation, plan, older, bytes, paths: pathsOf(files) };
}
