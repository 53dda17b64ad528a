/**
 * A planned table as SQL: `read_parquet` over exactly the planned files, columns matched by field id, so
 * that renamed, added and promoted columns read right in files of every age (spec "Column Projection").
 */
import type { NestedField, Type } from "../iceberg/types.ts";
import { quoteName, quoteText } from "./conditions.ts";
import type { Relation } from "./question_sql.ts";

/** A data file and the deletes that apply to it; paths as DuckDB opens them. */
export interface RelationFile {
  path: string;
  /** As it stands in manifests, which position deletes refer to. */
  location: string;
  deletes: readonly RelationDelete[];
}

/** A delete file that applies to a data file. */
export interface RelationDelete {
  kind: "position" | "equality";
  path: string;
  /** Columns compared by an equality delete. */
  fields: readonly NestedField[];
}

const TYPES: Readonly<Record<string, string>> = {
  boolean: "BOOLEAN",
  int: "INTEGER",
  long: "BIGINT",
  float: "FLOAT",
  double: "DOUBLE",
  date: "DATE",
  time: "TIME",
  timestamp: "TIMESTAMP",
  timestamptz: "TIMESTAMPTZ",
  string: "VARCHAR",
  uuid: "UUID",
  binary: "BLOB",
};

/** DuckDB's name of an Iceberg type. */
export function duckDbType(type: Type): string {
  if (typeof type === "string") {
    if (type.startsWith("decimal")) return type.toUpperCase();
    if (type.startsWith("fixed")) return "BLOB";
    return TYPES[type]!;
  }
  switch (type.type) {
    case "list":
      return `${duckDbType(type.element)}[]`;
    case "map":
      return `MAP(${duckDbType(type.key)}, ${duckDbType(type.value)})`;
    case "struct": {
      const fields = type.fields.map((field) =>
        `${quoteName(field.name)} ${duckDbType(field.type)}`
      );
      return `STRUCT(${fields.join(", ")})`;
    }
  }
}

/** The `schema` argument of read_parquet: field id to name and type. */
function fieldMap(fields: readonly NestedField[]): string {
  const entries = fields.map(({ id, name, type }) =>
    `${id}: {name: ${quoteText(name)}, type: ${quoteText(duckDbType(type))}, default_value: NULL}`
  );
  return `MAP {${entries.join(", ")}}`;
}

function readFiles(
  files: readonly RelationFile[],
  fields: readonly NestedField[],
  extra = "",
): string {
  const paths = files.map((file) => quoteText(file.path)).join(", ");
  // Folders are named like hive's; what they say stands in the files too.
  const options = `schema = ${fieldMap(fields)}, hive_partitioning = false${extra}`;
  return `read_parquet([${paths}], ${options})`;
}

/** Rows of one file without those that its delete files name (spec "Row-level Deletes"). */
function withoutDeleted(file: RelationFile, fields: readonly NestedField[]): string {
  const columns = fields.map((field) => `d.${quoteName(field.name)}`).join(", ");
  const conditions = file.deletes.map((deletes) => {
    if (deletes.kind === "position") {
      return `NOT EXISTS (SELECT 1 FROM read_parquet(${quoteText(deletes.path)}) AS p
        WHERE p.file_path = ${quoteText(file.location)} AND p.pos = d.file_row_number)`;
    }
    // A null in an equality delete matches null, which = does not (spec "Equality Delete Files").
    const same = deletes.fields.map(({ name }) =>
      `e.${quoteName(name)} IS NOT DISTINCT FROM d.${quoteName(name)}`
    );
    const source = `read_parquet(${quoteText(deletes.path)}, schema = ${fieldMap(deletes.fields)})`;
    return `NOT EXISTS (SELECT 1 FROM ${source} AS e WHERE ${same.join(" AND ")})`;
  });
  const source = readFiles([file], fields, ", file_row_number = true");
  return `SELECT ${columns} FROM ${source} AS d WHERE ${conditions.join(" AND ")}`;
}

/** The table expression of planned files; no file at all is an empty table of the same columns. */
export function relationOf(
  files: readonly RelationFile[],
  fields: readonly NestedField[],
): Relation {
  const columns = fields.map((field) => field.name);
  const types = fields.map((field) => duckDbType(field.type));
  if (files.length === 0) {
    const nulls = fields.map((field) =>
      `CAST(NULL AS ${duckDbType(field.type)}) AS ${quoteName(field.name)}`
    );
    return { sql: `(SELECT ${nulls.join(", ")} WHERE false)`, columns, types };
  }
  const plain = files.filter((file) => file.deletes.length === 0);
  const parts = files.filter((file) => file.deletes.length > 0)
    .map((file) => withoutDeleted(file, fields));
  if (parts.length === 0) return { sql: readFiles(plain, fields), columns, types };
  const names = columns.map(quoteName).join(", ");
  if (plain.length > 0) parts.unshift(`SELECT ${names} FROM ${readFiles(plain, fields)}`);
  return { sql: `(${parts.join("\nUNION ALL\n")})`, columns, types };
}

/** Every file that the relation opens. */
export function pathsOf(files: readonly RelationFile[]): string[] {
  return files.flatMap((file) => [file.path, ...file.deletes.map((deletes) => deletes.path)]);
}
