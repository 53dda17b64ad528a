/**
 * Rows of Iceberg tables as SQL over their planned files: columns by the contract's field ids (a rename keeps
 * them), deletes of other engines applied. Pure.
 */
import { DEAD_LETTER_TYPES } from "../contracts/dead_letter.ts";
import { type ColumnType, TABLES } from "../contracts/tables.ts";
import type { NestedField, Type } from "../iceberg/types.ts";
import { AUDITED_TABLES, type AuditedTable } from "./facts.ts";
import { quoteName, quoteText } from "./sql_text.ts";

/** A data file as DuckDB opens it. */
export interface RowFile {
  /** Its place in the list of files. */
  index: number;
  path: string;
  /** As manifests spell it, which position deletes refer to. */
  location: string;
  deletes: readonly RowDelete[];
}

/** A delete file that applies to a data file. */
export interface RowDelete {
  kind: "position" | "equality";
  path: string;
  /** Columns that an equality delete compares. */
  fields: readonly NestedField[];
}

const PRIMITIVES: Readonly<Record<string, string>> = {
  boolean: "BOOLEAN",
  int: "INTEGER",
  long: "BIGINT",
  float: "FLOAT",
  double: "DOUBLE",
  string: "VARCHAR",
  date: "DATE",
  time: "TIME",
  timestamp: "TIMESTAMP",
  timestamptz: "TIMESTAMPTZ",
  uuid: "UUID",
  binary: "BLOB",
};

function duckDbType(type: ColumnType | Type): string {
  if (typeof type !== "string") return "VARCHAR"; // nested columns are not compared
  if (type.startsWith("decimal")) return type.toUpperCase();
  return type.startsWith("fixed") ? "BLOB" : PRIMITIVES[type]!;
}

function fieldMap(
  fields: readonly { id: number; name: string; type: ColumnType | Type }[],
): string {
  const entries = fields.map(({ id, name, type }) =>
    `${id}: {name: ${quoteText(name)}, type: ${quoteText(duckDbType(type))}, default_value: NULL}`
  );
  return `MAP {${entries.join(", ")}}`;
}

/** Columns of a table that are read: the plain ones of the contract. */
function readColumns(table: AuditedTable) {
  return TABLES[table].columns.filter(({ type }) => typeof type === "string");
}

function applied(deletes: RowDelete): string {
  if (deletes.kind === "position") {
    return `NOT EXISTS (SELECT 1 FROM read_parquet(${quoteText(deletes.path)}) AS e
      WHERE e.file_path = d.location AND e.pos = d.file_row_number)`;
  }
  const source = `read_parquet(${quoteText(deletes.path)}, schema = ${
    fieldMap(deletes.fields.map((field) => ({ ...field, name: `c${field.id}` })))
  })`;
  // A null in an equality delete matches null, which = does not (spec "Equality Delete Files").
  const same = deletes.fields.map(({ id }) =>
    `e.c${id} IS NOT DISTINCT FROM d.${quoteName(`c${id}`)}`
  );
  return `NOT EXISTS (SELECT 1 FROM ${source} AS e WHERE ${same.join(" AND ")})`;
}

/** The rows of one file with contract names, and `file`, its place in the list. */
function fileSql(table: AuditedTable, file: RowFile): string {
  const columns = readColumns(table);
  const names = columns.map(({ name }) => quoteName(name)).join(", ");
  const compared = new Map(file.deletes.flatMap(({ fields }) => fields).map((f) => [f.id, f]));
  const own = new Map(columns.map((column) => [column.id, column.name]));
  // Read under the contract's names where it has one, so that each field id is asked for once.
  const extra = [...compared.values()].filter(({ id }) => !own.has(id))
    .map((field) => ({ ...field, name: `c${field.id}` }));
  const copies = [...compared.keys()].filter((id) => own.has(id))
    .map((id) => `${quoteName(own.get(id)!)} AS ${quoteName(`c${id}`)}`);
  const source = `read_parquet(${quoteText(file.path)}, schema = ${
    fieldMap([...columns, ...extra])
  }, file_row_number = true)`;
  const all = ["*", ...copies, `${quoteText(file.location)} AS location`].join(", ");
  return `SELECT ${names}, ${file.index} AS file FROM (SELECT ${all} FROM ${source}) AS d
    WHERE ${file.deletes.map(applied).join(" AND ")}`;
}

/** All rows of files, columns named as in the contract, and `file`. */
export function rowsSql(table: AuditedTable, files: readonly RowFile[]): string {
  const columns = readColumns(table);
  const names = columns.map(({ name }) => quoteName(name)).join(", ");
  const parts = files.filter(({ deletes }) => deletes.length > 0)
    .map((file) => fileSql(table, file));
  const plain = files.filter(({ deletes }) => deletes.length === 0);
  if (plain.length > 0) {
    const paths = plain.map(({ path }) => quoteText(path)).join(", ");
    const places = plain.map(({ path, index }) => `(${quoteText(path)}, ${index})`).join(", ");
    parts.unshift(
      `SELECT ${names}, l.file FROM read_parquet([${paths}], schema = ${
        fieldMap(columns)
      }, filename = true) AS r JOIN (VALUES ${places}) AS l(path, file) ON r.filename = l.path`,
    );
  }
  if (parts.length > 0) return parts.join("\nUNION ALL\n");
  const nulls = columns.map(({ name, type }) =>
    `CAST(NULL AS ${duckDbType(type)}) AS ${quoteName(name)}`
  );
  return `SELECT ${nulls.join(", ")}, 0 AS file WHERE false`;
}

const text = (column: string): string => `coalesce(${column}, 'undefined')`;
const micros = (column: string): string => `coalesce(epoch_us(${column})::VARCHAR, '')`;
const units = `coalesce((amount * 10000)::BIGINT::VARCHAR, 'NaN')`;
const hexNumber = (hex: string): string => `TRY_CAST('0x' || ${hex} AS BIGINT)::DOUBLE`;
const bits = (hex: string): string => `coalesce(${hexNumber(hex)}, -1)`;
const uuidBits = (column: string): string =>
  `coalesce(${hexNumber(`substr(replace(${column}, '-', ''), 1, 13)`)}
    + ${hexNumber(`right(${column}, 12)`)}, -1)`;
const versionSql = `CASE WHEN regexp_full_match(rules_version, '[0-9a-f]{12}') THEN ${
  bits("rules_version")
} ELSE -1 END`;

/** What fingerprint.ts makes of the same parts. */
function textBitsSql(parts: readonly string[]): string {
  return bits(`substr(md5(${parts.join(` || '|' || `)}), 1, 13)`);
}

interface Projection {
  /** When the processor wrote the record. */
  time: string;
  kind: string;
  ofAlert: string;
  flagged: string;
  rule: string;
  severity: string;
  version: string;
  id: string;
  /** Every value, as record_facts.ts has it for the record. */
  row: readonly string[];
}

const NONE = "-1";

const PROJECTIONS: Readonly<Record<AuditedTable, (alertsTopic: string) => Projection>> = {
  transactions: () => ({
    time: "processing_timestamp",
    kind: "0",
    ofAlert: "0",
    flagged: "CASE WHEN is_flagged THEN 1 WHEN NOT is_flagged THEN 0 ELSE -1 END",
    rule: "NULL",
    severity: "NULL",
    version: versionSql,
    id: uuidBits("transaction_id"),
    row: [
      text("transaction_id"),
      micros(`"timestamp"`),
      text("account_id"),
      units,
      text("currency"),
      text("merchant_name"),
      text("merchant_category"),
      text("transaction_type"),
      text("location_country"),
      text("status"),
      micros("processing_timestamp"),
      text("partition_date::VARCHAR"),
    ],
  }),
  dead_letters: (alertsTopic) => ({
    time: "failed_at",
    kind: `list_position([${DEAD_LETTER_TYPES.map(quoteText).join(", ")}], error_type)`,
    ofAlert: `CASE WHEN source_topic = ${quoteText(alertsTopic)} THEN 1 ELSE 0 END`,
    flagged: NONE,
    rule: "NULL",
    severity: "NULL",
    version: NONE,
    id: uuidBits("dead_letter_id"),
    row: [
      text("dead_letter_id"),
      micros("failed_at"),
      text("original"),
      text("original_encoding"),
      text("truncated::VARCHAR"),
      text("original_bytes::VARCHAR"),
    ],
  }),
  alerts: () => ({
    time: "alert_timestamp",
    kind: "0",
    ofAlert: "0",
    flagged: NONE,
    rule: "rule_name",
    severity: "severity",
    version: versionSql,
    id: uuidBits("transaction_id"),
    row: [
      text("alert_id"),
      micros("alert_timestamp"),
      text("description"),
      micros("transaction_timestamp"),
      text("account_id"),
      units,
      text("currency"),
    ],
  }),
};

/** Which rows are looked at, and what of them. */
export interface RowOptions {
  /** Compare every value. */
  full: boolean;
  /** Name of the topic `alerts`: unstorable alerts name it as their source. */
  alertsTopic: string;
  /** First raw offset that is looked at, by partition. */
  starts: readonly number[];
  /** Rows written before came of an earlier raw topic, ms by partition; 0 where there was none. */
  renewed: readonly number[];
}

/** Facts of rows as facts.ts has them in `table_row`, from the rows that `rowsSql` gives. */
export function rowFactsSql(table: AuditedTable, source: string, options: RowOptions): string {
  const { time, kind, ofAlert, flagged, rule, severity, version, id, row } = PROJECTIONS[table](
    options.alertsTopic,
  );
  const earlier = options.renewed.flatMap((ms, partition) =>
    ms === 0 ? [] : [` AND NOT (coalesce(source_partition, -1) = ${partition}
      AND coalesce(epoch_ms(${time}) < ${ms}, false))`]
  );
  return `SELECT ${AUDITED_TABLES.indexOf(table)} AS tbl, source_partition::INTEGER AS p,
    source_offset::DOUBLE AS o, coalesce(${kind}, 0)::INTEGER AS kind,
    (${ofAlert})::INTEGER AS of_alert, (${flagged})::INTEGER AS flagged,
    (${rule})::VARCHAR AS rule, (${severity})::VARCHAR AS severity, (${version})::DOUBLE AS version,
    (${id})::DOUBLE AS id, ${options.full ? textBitsSql(row) : NONE}::DOUBLE AS row_bits,
    file::INTEGER AS file FROM (${source})
    WHERE (source_offset IS NULL OR source_partition IS NULL
      OR source_offset >= coalesce([${options.starts.join(", ")}][source_partition + 1], 0))${
    earlier.join("")
  }`;
}
