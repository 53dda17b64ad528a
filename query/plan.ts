/** From a table and conditions to the files that DuckDB has to open. */
import { NAMESPACE } from "../contracts/services.ts";
import type { TableName } from "../contracts/tables.ts";
import type { Catalog } from "../iceberg/catalog/port.ts";
import { IcebergError } from "../iceberg/errors.ts";
import { planScan, type ScanPlan } from "../iceberg/scan/plan.ts";
import type { SnapshotChoice } from "../iceberg/scan/snapshot.ts";
import { parseLocation } from "../iceberg/storage/location.ts";
import type { Storage } from "../iceberg/storage/port.ts";
import { type DataFile, FileContent, type Schema } from "../iceberg/types.ts";
import { type Condition, pruningFilter } from "./conditions.ts";
import type { SnapshotSelector } from "./question.ts";
import { pathsOf, type RelationDelete, type RelationFile, relationOf } from "./relation.ts";
import type { Relation } from "./question_sql.ts";

/** Where tables are read. */
export interface Lakehouse {
  catalog: Catalog;
  storage: Storage;
}

/** A table that is ready to be queried. */
export interface PlannedTable {
  name: TableName;
  relation: Relation;
  plan: ScanPlan;
  /** Every file that the relation opens. */
  paths: string[];
}

function snapshotChoice(selector: SnapshotSelector): { snapshot: SnapshotChoice } | undefined {
  switch (selector.kind) {
    case "current":
      return undefined;
    case "timestamp":
      return { snapshot: { timestampMs: selector.ms } };
    case "id":
      return { snapshot: { id: selector.id } };
    case "ref":
      return { snapshot: { ref: selector.name } };
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

/**
 * Plans one table.
 *
 * @throws {IcebergError} for a snapshot or tag that is not there, or files in another format
 */
export async function planTable(
  lakehouse: Lakehouse,
  name: TableName,
  options: { snapshot: SnapshotSelector; conditions: readonly Condition[] },
): Promise<PlannedTable> {
  const { snapshot, conditions } = options;
  const table = await lakehouse.catalog.loadTable({ namespace: [NAMESPACE], name });
  const plan = await planScan(table.metadata, lakehouse.storage, {
    filter: pruningFilter(conditions),
    ...snapshotChoice(snapshot),
  });
  const files: RelationFile[] = plan.files.map(({ file, path, deletes }) => {
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
  return { name, relation, plan, paths: pathsOf(files) };
}
