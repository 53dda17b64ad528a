/**
 * The Iceberg tables: columns, field ids, partitioning (design sections 6, 8).
 *
 * Types are written as in Iceberg's JSON (spec appendix C), so that this table needs no library.
 * Every column is optional: another engine may append rows without our lineage columns, and most
 * writers produce nullable columns by default (H7). That ours are never null is the processor's
 * contract, which audit checks.
 */
import type { TopicRole } from "./topics.ts";

/** A primitive type in Iceberg's JSON spelling. */
export type PrimitiveType =
  | "boolean"
  | "int"
  | "long"
  | "string"
  | "date"
  | "timestamptz"
  | "double"
  | "decimal(18, 4)";

/** A type in Iceberg's JSON form. */
export type ColumnType =
  | PrimitiveType
  | { type: "struct"; fields: readonly ColumnDefinition[] }
  | {
    type: "list";
    "element-id": number;
    "element-required": boolean;
    element: ColumnType;
  };

/** A column; `required` is always false, see above. */
export interface ColumnDefinition {
  id: number;
  name: string;
  required: boolean;
  type: ColumnType;
  doc: string;
}

/** A table; partitioned by `day` of and, as it is appended to, sorted by the same column. */
export interface TableDefinition {
  name: TableName;
  /** Topic whose records become its rows. */
  source: TopicRole;
  columns: readonly ColumnDefinition[];
  /** Name of the timestamptz column that the table is partitioned and sorted by. */
  timeColumn: string;
  /** Column that rows are looked up by over many days: compaction puts the rows of one value side by side. */
  lookupColumn?: string;
}

/** Names of the tables in the namespace `finance`. */
export const TABLE_NAMES = ["transactions", "alerts", "dead_letters", "pipeline_sessions"] as const;

/** One of {@linkcode TABLE_NAMES}. */
export type TableName = typeof TABLE_NAMES[number];

function columns(rows: readonly [string, ColumnType, string][]): ColumnDefinition[] {
  return rows.map(([name, type, doc], index) => ({
    id: index + 1,
    name,
    required: false,
    type,
    doc,
  }));
}

const lineage: [string, ColumnType, string][] = [
  ["source_partition", "int", "Partition of raw-transactions; null in rows of other writers"],
  ["source_offset", "long", "Offset in raw-transactions; null in rows of other writers"],
];

const transactions: TableDefinition = {
  name: "transactions",
  source: "transactions",
  timeColumn: "timestamp",
  lookupColumn: "account_id",
  columns: columns([
    ["transaction_id", "string", "UUID in lower case"],
    ["timestamp", "timestamptz", "When the transaction happened (event time)"],
    ["account_id", "string", "Account that pays or is paid"],
    ["amount", "decimal(18, 4)", "In units of the currency; negative = refund"],
    ["currency", "string", "ISO 4217 alphabetic code"],
    ["merchant_name", "string", "Name of the merchant"],
    ["merchant_category", "string", "What the merchant sells"],
    ["transaction_type", "string", "What the transaction does to the account"],
    ["location_country", "string", "ISO 3166-1 alpha-2 code"],
    ["status", "string", "State when recorded"],
    ["processing_timestamp", "timestamptz", "When the processor judged it"],
    ["partition_date", "date", "UTC day of timestamp"],
    ["is_flagged", "boolean", "At least one rule fired on arrival"],
    ["rules_version", "string", "Rule set that judged it"],
    ...lineage,
  ]),
};

const alerts: TableDefinition = {
  name: "alerts",
  source: "alerts",
  timeColumn: "transaction_timestamp",
  columns: columns([
    ["alert_id", "string", "UUIDv5 of rule_name:transaction_id"],
    ["transaction_id", "string", "Transaction that the rule fired on"],
    ["rule_name", "string", "Rule that fired"],
    ["severity", "string", "low, medium, high or critical"],
    ["alert_timestamp", "timestamptz", "When the alert was raised"],
    ["description", "string", "Why it fired, in a sentence"],
    ["rules_version", "string", "Rule set that raised it"],
    ["transaction_timestamp", "timestamptz", "Event time of the transaction"],
    ["account_id", "string", "Account of the transaction"],
    ["amount", "decimal(18, 4)", "Amount of the transaction"],
    ["currency", "string", "Currency of the transaction"],
    ...lineage,
  ]),
};

const deadLetters: TableDefinition = {
  name: "dead_letters",
  source: "deadLetter",
  timeColumn: "failed_at",
  columns: columns([
    ["dead_letter_id", "string", "UUIDv5 of the trace"],
    ["failed_at", "timestamptz", "When it was refused"],
    ["error_type", "string", "Kind of failure"],
    ["errors", {
      type: "list",
      // Nested ids follow all top-level ones, as Java assigns them to a new table.
      "element-id": 12,
      "element-required": false,
      element: {
        type: "struct",
        fields: [
          { id: 13, name: "field", required: false, type: "string", doc: "$ = whole record" },
          { id: 14, name: "expected", required: false, type: "string", doc: "Contract's demand" },
          { id: 15, name: "actual", required: false, type: "string", doc: "What was there" },
        ],
      },
    }, "All errors of the record"],
    ["original", "string", "First 10 KB of the raw value"],
    ["original_encoding", "string", "utf8 or base64"],
    ["truncated", "boolean", "The raw value was longer"],
    ["original_bytes", "long", "Full length of the raw value in bytes"],
    ["source_topic", "string", "Topic of the raw record"],
    ...lineage,
  ]),
};

const pipelineSessions: TableDefinition = {
  name: "pipeline_sessions",
  source: "sessions",
  timeColumn: "start_timestamp",
  columns: columns([
    ["session_id", "string", "One run of one stage"],
    ["stage", "string", "generator, processor or sink"],
    ["start_timestamp", "timestamptz", "Start of the session"],
    ["end_timestamp", "timestamptz", "When these figures were taken"],
    ["generated", "long", "Transactions generated"],
    ["published", "long", "Transactions acknowledged by Kafka"],
    ["processed", "long", "Raw records judged"],
    ["stored", "long", "Rows committed to Iceberg"],
    ["alerts_generated", "long", "Alerts raised"],
    ["dead_lettered", "long", "Records dead-lettered"],
    ["rate_per_second", "double", "Mean over the session"],
    ["latency_p50_ms", "double", "Median of the stage's own leg"],
    ["latency_p95_ms", "double", "95th percentile"],
    ["latency_p99_ms", "double", "99th percentile"],
  ]),
};

/** Every table, by name. */
export const TABLES: Readonly<Record<TableName, TableDefinition>> = {
  transactions,
  alerts,
  dead_letters: deadLetters,
  pipeline_sessions: pipelineSessions,
};

/** Key of the snapshot summary and table property that hold the consumed offsets. */
export const OFFSETS_PROPERTY = "pipeline.offsets";

/** Value of {@linkcode OFFSETS_PROPERTY}: `from` and `next` offset per partition, 64-bit as strings. */
export interface ConsumedOffsets {
  cluster: string;
  topics: Record<string, {
    id: string;
    from: Record<string, string>;
    next: Record<string, string>;
  }>;
}
