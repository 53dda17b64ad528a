/**
 * Which part of a record fills which column: a table's current schema and the contract, as the texts
 * of a DuckDB statement (design sections 6, 7). Pure.
 *
 * A spool line is `{"p": source partition, "o": source offset, "v": the record's value}`. The value
 * lies inside, so that no field of it can collide with ours.
 */
import { parsePrimitive } from "../iceberg/schema.ts";
import type { NestedField, PrimitiveType, Schema, Type } from "../iceberg/types.ts";
import { type TableName, TABLES } from "../contracts/tables.ts";
import { quoteName, quoteText } from "./sql_text.ts";

/** Table property: JSON object of field id → name of the record's field that fills it. */
export const SOURCE_NAMES_PROPERTY = "pipeline.source-names";

/** Where a column's value comes from. */
export type Source =
  /** A path into the record's value. */
  | { kind: "value"; path: readonly string[] }
  /** The raw record's partition or offset, from the trace. */
  | { kind: "partition" }
  | { kind: "offset" };

/** One column of a file to be written. */
export interface ColumnPlan {
  field: NestedField;
  source: Source;
  /** Added by `evolve`: a value that does not fit is stored as null and counted. */
  evolved: boolean;
}

/** How records of a topic become rows of a table. */
export interface TablePlan {
  schema: Schema;
  columns: ColumnPlan[];
  /** Id of the column that the table is partitioned by day of, and its current name. */
  time: { id: number; name: string };
  /** Current name of the column that rows are looked up by; undefined if the table has none, or none any more. */
  lookup: string | undefined;
}

const value = (...path: string[]): Source => ({ kind: "value", path });

/** Columns that are not simply the value's field of the same name. */
const SOURCES: Readonly<Record<TableName, Readonly<Record<string, Source>>>> = {
  transactions: {
    source_partition: { kind: "partition" },
    source_offset: { kind: "offset" },
  },
  alerts: {
    transaction_timestamp: value("transaction", "timestamp"),
    account_id: value("transaction", "account_id"),
    amount: value("transaction", "amount"),
    currency: value("transaction", "currency"),
    source_partition: { kind: "partition" },
    source_offset: { kind: "offset" },
  },
  dead_letters: {
    source_topic: value("source", "topic"),
    source_partition: value("source", "partition"),
    source_offset: value("source", "offset"),
  },
  pipeline_sessions: {
    latency_p50_ms: value("latency_ms", "p50"),
    latency_p95_ms: value("latency_ms", "p95"),
    latency_p99_ms: value("latency_ms", "p99"),
  },
};

/** Path of the timestamp that decides a record's partition day. */
export const TIME_PATHS: Readonly<Record<TableName, readonly string[]>> = {
  transactions: ["timestamp"],
  alerts: ["transaction", "timestamp"],
  dead_letters: ["failed_at"],
  pipeline_sessions: ["start_timestamp"],
};

/**
 * Plans the columns of a table's current schema. A contract's column is known by its field id, which
 * a rename keeps; the ids of new tables are the contract's (contracts/tables.ts). What `evolve` added
 * is filled by the field that its property names, else by the one of its own name.
 *
 * @throws {Error} if the partition column is gone: then no row has a place.
 */
export function planTable(
  table: TableName,
  schema: Schema,
  properties: Readonly<Record<string, string>> = {},
): TablePlan {
  const definition = TABLES[table];
  const contract = new Map(definition.columns.map((column) => [column.id, column.name]));
  const names = sourceNames(properties);
  const columns = schema.fields.map((field): ColumnPlan => {
    const name = contract.get(field.id);
    if (name === undefined) {
      return { field, source: value(names[field.id] ?? field.name), evolved: true };
    }
    return { field, source: SOURCES[table][name] ?? value(name), evolved: false };
  });
  const current = (column: string | undefined) => {
    const id = definition.columns.find(({ name }) => name === column)?.id;
    return schema.fields.find((field) => field.id === id);
  };
  const time = current(definition.timeColumn);
  if (time === undefined) {
    throw new Error(`Cannot write table "${table}": its column ${definition.timeColumn} is gone`);
  }
  const lookup = current(definition.lookupColumn)?.name;
  return { schema, columns, time: { id: time.id, name: time.name }, lookup };
}

/** The property's content; a broken one is an operator's mistake that must not be read as "none". */
export function sourceNames(properties: Readonly<Record<string, string>>): Record<string, string> {
  const text = properties[SOURCE_NAMES_PROPERTY];
  if (text === undefined) return {};
  const names: unknown = JSON.parse(text);
  const fits = typeof names === "object" && names !== null && !Array.isArray(names) &&
    Object.values(names).every((name) => typeof name === "string");
  if (fits) return names as Record<string, string>;
  throw new Error(
    `Cannot use table property "${SOURCE_NAMES_PROPERTY}": expected an object of texts, got ${text}`,
  );
}

// ---- As SQL ------------------------------------------------------------------------------------------

/** DuckDB's type for an Iceberg type. */
export function duckDbType(type: Type): string {
  if (typeof type === "string") return duckDbPrimitive(type);
  switch (type.type) {
    case "list":
      return `${duckDbType(type.element)}[]`;
    case "map":
      return `MAP(${duckDbType(type.key)}, ${duckDbType(type.value)})`;
    case "struct":
      return `STRUCT(${
        type.fields.map((field) => `${quoteName(field.name)} ${duckDbType(field.type)}`).join(", ")
      })`;
  }
}

function duckDbPrimitive(type: PrimitiveType): string {
  const shape = parsePrimitive(type);
  switch (shape.kind) {
    case "decimal":
      return `DECIMAL(${shape.precision}, ${shape.scale})`;
    case "int":
      return "INTEGER";
    case "long":
      return "BIGINT";
    case "string":
      return "VARCHAR";
    case "binary":
    case "fixed":
      return "BLOB";
    default:
      return shape.kind.toUpperCase();
  }
}

/** A struct to be read: member name → type text or nested struct. */
interface ReadTree {
  [name: string]: string | ReadTree;
}

function readTree(plan: TablePlan): ReadTree {
  const tree: ReadTree = {};
  for (const { source, field, evolved } of plan.columns) {
    if (source.kind !== "value") continue;
    let node = tree;
    for (const name of source.path.slice(0, -1)) node = (node[name] ??= {}) as ReadTree;
    // JSON takes any value whole; whether it fits is decided per value, by TRY_CAST.
    node[source.path.at(-1)!] = evolved ? "JSON" : duckDbType(field.type);
  }
  return tree;
}

function structText(tree: ReadTree): string {
  const members = Object.entries(tree).map(([name, type]) =>
    `${quoteName(name)} ${typeof type === "string" ? type : structText(type)}`
  );
  return `STRUCT(${members.join(", ")})`;
}

/** `read_json('…')` over spool lines: columns p, o and v, nothing guessed. */
export function readSpoolSql(plan: TablePlan, file: string): string {
  // Twice this is a thread's read buffer. Values are at most 1 MiB, the topics' message size.
  const objectBytesMax = 2 * 1024 * 1024;
  return `read_json(${quoteText(file)}, format = 'newline_delimited', auto_detect = false, ` +
    `compression = 'uncompressed', maximum_object_size = ${objectBytesMax}, ` +
    `columns = {p: 'INTEGER', o: 'BIGINT', v: ${quoteText(structText(readTree(plan)))}})`;
}

/** `v."transaction"."amount"`. */
function pathSql(path: readonly string[]): string {
  return `v.${path.map(quoteName).join(".")}`;
}

function columnSql({ source, field, evolved }: ColumnPlan): string {
  switch (source.kind) {
    case "partition":
      return `CAST(p AS ${duckDbType(field.type)})`;
    case "offset":
      return `CAST(o AS ${duckDbType(field.type)})`;
    case "value":
      return evolved ? evolvedSql(source.path, field.type) : pathSql(source.path);
  }
}

function evolvedSql(path: readonly string[], type: Type): string {
  // ->> gives a text without its quotes, and any other value as JSON text.
  const from = typeof type === "string" ? `(${pathSql(path)} ->> '$')` : pathSql(path);
  return `TRY_CAST(${from} AS ${duckDbType(type)})`;
}

/** The columns of the file, in the schema's order. */
export function selectSql(plan: TablePlan): string {
  return plan.columns.map((column) => `${columnSql(column)} AS ${quoteName(column.field.name)}`)
    .join(", ");
}

/** Values of added columns that do not fit, counted; undefined where every value fits. */
export function unfitCountSql(plan: TablePlan, file: string): string | undefined {
  const counts = plan.columns.flatMap(({ source, field, evolved }) => {
    if (!evolved || source.kind !== "value" || field.type === "string") return [];
    const path = pathSql(source.path);
    return [
      `count(*) FILTER (${path} IS NOT NULL AND (${path} ->> '$') IS NOT NULL AND ` +
      `${evolvedSql(source.path, field.type)} IS NULL)`,
    ];
  });
  if (counts.length === 0) return undefined;
  return `SELECT ${counts.join(" + ")} AS unfit FROM ${readSpoolSql(plan, file)}`;
}

/** The option `FIELD_IDS` of COPY: every column and nested field by its id (spec "Column Projection"). */
export function fieldIdsSql(schema: Schema): string {
  return idsOf(schema.fields);
}

function idsOf(fields: readonly NestedField[]): string {
  return `{${fields.map(idText).join(", ")}}`;
}

function idText(field: NestedField): string {
  return `${quoteName(field.name)}: ${idValue(field.id, field.type)}`;
}

function idValue(id: number, type: Type): string {
  const own = `__duckdb_field_id: ${id}`;
  if (typeof type === "string") return String(id);
  switch (type.type) {
    case "list":
      return `{${own}, element: ${idValue(type["element-id"], type.element)}}`;
    case "map":
      return `{${own}, key: ${idValue(type["key-id"], type.key)}, value: ${
        idValue(type["value-id"], type.value)
      }}`;
    case "struct":
      return `{${[own, ...type.fields.map(idText)].join(", ")}}`;
  }
}
