/** A question: what a command line asks of the lakehouse, checked, as plain data. */
import { MisuseError } from "../contracts/errors.ts";
import { parseAmount } from "../contracts/money.ts";
import { TABLE_NAMES, type TableName, TABLES } from "../contracts/tables.ts";
import { ACCOUNT_ID_PATTERN, MERCHANT_CATEGORIES, SEVERITIES } from "../contracts/vocabulary.ts";
import { nearest } from "../runtime/nearest.ts";
import { type Condition, rangeConditions } from "./conditions.ts";
import { parseDateRange, parsePoint } from "./date_range.ts";
import { type FormatName, FORMATS } from "./format/names.ts";

/** Which state of the tables is asked. */
export type SnapshotSelector =
  | { kind: "current" }
  | { kind: "timestamp"; ms: number }
  | { kind: "id"; id: bigint }
  | { kind: "ref"; name: string };

/** A question built from flags. */
export interface Question {
  table: TableName;
  conditions: Condition[];
  /** Conditions on the alerts that are joined. */
  alertConditions: Condition[];
  joinAlerts: boolean;
  /** Absent: all. */
  columns?: string[];
  orderBy: { column: string; descending: boolean }[];
  limit?: number;
  snapshot: SnapshotSelector;
}

/** Everything a command line says. */
export interface QueryRequest {
  /** User SQL instead of a built question. */
  sql?: string;
  question: Question;
  format: FormatName;
  /** Path; absent: stdout. */
  output?: string;
  explain: boolean;
  stats: boolean;
  maskAccounts: boolean;
  /** Rows of user SQL that are shown, the rest is cut and said so; absent: all. */
  rowsShown?: number;
}

/** Flags as parsed; flags.ts names them. */
export type Flags = Readonly<Record<string, string | boolean | string[] | undefined>>;

/** Which tables a filter applies to, and the column it means there. */
const FILTERS: Readonly<Record<string, Partial<Record<TableName, string>>>> = {
  "date-range": Object.fromEntries(
    TABLE_NAMES.map((name) => [name, TABLES[name].timeColumn]),
  ),
  "account-id": { transactions: "account_id", alerts: "account_id" },
  "merchant-category": { transactions: "merchant_category" },
  "min-amount": { transactions: "amount", alerts: "amount" },
  "flagged": { transactions: "is_flagged" },
  "rule": { alerts: "rule_name" },
  "severity": { alerts: "severity" },
};

/** Checks a value of a flag. @throws {MisuseError} naming the nearest right one. */
export function oneOf<T extends string>(flag: string, value: string, allowed: readonly T[]): T {
  if ((allowed as readonly string[]).includes(value)) return value as T;
  const meant = nearest(value, allowed);
  throw new MisuseError(
    `Cannot use "--${flag} ${value}": expected one of ${allowed.join(", ")}` +
      (meant === undefined ? "" : `; did you mean ${meant}?`),
  );
}

function texts(flag: string, value: unknown): string[] {
  const all = (Array.isArray(value) ? value : [value]) as string[];
  return all.flatMap((text) => text.split(",")).map((text) => {
    if (text.trim() === "") throw new MisuseError(`Cannot use "--${flag}": an empty value`);
    return text.trim();
  });
}

function conditionsOf(flag: string, value: unknown, column: string, nowUs: number): Condition[] {
  switch (flag) {
    case "date-range":
      return rangeConditions(column, parseDateRange(String(value), nowUs));
    case "min-amount": {
      const verdict = parseAmount(String(value));
      if (!verdict.ok && verdict.reason !== "zero") {
        throw new MisuseError(
          `Cannot use "--min-amount ${value}": expected a number with at most 4 decimals`,
        );
      }
      return [{ column, op: ">=", values: [String(value)], type: "decimal" }];
    }
    case "flagged":
      return [{ column, op: "=", values: [String(value)], type: "boolean" }];
    default: {
      const values = texts(flag, value);
      for (const text of values) {
        if (flag === "severity") oneOf(flag, text, SEVERITIES);
        if (flag === "merchant-category") oneOf(flag, text, MERCHANT_CATEGORIES);
        if (flag === "account-id" && !ACCOUNT_ID_PATTERN.test(text)) {
          throw new MisuseError(`Cannot use "--account-id ${text}": expected letters and digits`);
        }
      }
      return [{ column, op: "in", values, type: "string" }];
    }
  }
}

/** Column names that a question may show or sort by. */
export function columnNames(table: TableName, joinAlerts: boolean): string[] {
  const own = TABLES[table].columns.map((column) => column.name);
  return joinAlerts ? [...own, ...JOINED_ALERT_COLUMNS.map(({ as }) => as)] : own;
}

/** Alert columns beside a transaction, under names that do not collide with its own. */
export const JOINED_ALERT_COLUMNS: readonly { name: string; as: string }[] = [
  { name: "alert_id", as: "alert_id" },
  { name: "rule_name", as: "rule_name" },
  { name: "severity", as: "severity" },
  { name: "alert_timestamp", as: "alert_timestamp" },
  { name: "description", as: "description" },
  { name: "rules_version", as: "alert_rules_version" },
];

/** Columns beyond the contract's may exist (schema evolution), so an unknown one is checked against the table later. */
function parseOrderBy(text: string): Question["orderBy"] {
  return text.split(",").map((part) => {
    const match = /^\s*([A-Za-z_][\w]*)(?:\s+|:)?(asc|desc)?\s*$/i.exec(part);
    if (match === null) {
      throw new MisuseError(`Cannot use "--order-by ${text}": expected column[:asc|desc],…`);
    }
    return { column: match[1]!, descending: match[2]?.toLowerCase() === "desc" };
  });
}

function parseSnapshot(flags: Flags, nowUs: number): SnapshotSelector {
  const given = ["as-of-timestamp", "snapshot", "tag"].filter((name) => flags[name] !== undefined);
  if (given.length > 1) {
    throw new MisuseError(`Cannot use "--${given[1]}" with --${given[0]}: choose one`);
  }
  if (flags["tag"] !== undefined) return { kind: "ref", name: String(flags["tag"]) };
  if (flags["snapshot"] !== undefined) {
    const text = String(flags["snapshot"]);
    if (!/^\d{1,19}$/.test(text)) {
      throw new MisuseError(`Cannot use "--snapshot ${text}": expected a snapshot id`);
    }
    return { kind: "id", id: BigInt(text) };
  }
  if (flags["as-of-timestamp"] === undefined) return { kind: "current" };
  const text = String(flags["as-of-timestamp"]);
  const point = parsePoint(text, nowUs);
  if (point === undefined) {
    throw new MisuseError(
      `Cannot use "--as-of-timestamp ${text}": expected a time like 2026-03-01T10:00:00Z, or -1h`,
    );
  }
  return { kind: "timestamp", ms: Math.floor(point.us / 1000) };
}

function parseLimit(flags: Flags, toTerminal: boolean): number | undefined {
  const text = flags["limit"];
  if (text === undefined) return toTerminal ? 50 : undefined;
  if (!/^\d{1,15}$/.test(String(text))) {
    throw new MisuseError(`Cannot use "--limit ${text}": expected a whole number from 0`);
  }
  return Number(text);
}

/** Options of {@linkcode parseQuestion}. */
export interface QuestionOptions {
  nowUs: number;
  /** A table printed on a terminal: limit 50 unless said otherwise. */
  toTerminal: boolean;
}

/**
 * Builds the question from flags.
 *
 * @throws {MisuseError} naming argument, value, what was expected and the nearest right name.
 */
export function parseQuestion(flags: Flags, options: QuestionOptions): Question {
  const { nowUs, toTerminal } = options;
  const table = oneOf("table", String(flags["table"] ?? "transactions"), TABLE_NAMES);
  const joinAlerts = flags["join-alerts"] === true;
  if (joinAlerts && table !== "transactions") {
    throw new MisuseError(
      `Cannot use "--join-alerts" with --table ${table}: it joins transactions`,
    );
  }
  const conditions: Condition[] = [];
  const alertConditions: Condition[] = [];
  for (const [flag, tables] of Object.entries(FILTERS)) {
    const value = flags[flag];
    if (value === undefined) continue;
    const column = tables[table];
    if (column !== undefined) {
      conditions.push(...conditionsOf(flag, value, column, nowUs));
    } else if (joinAlerts && tables.alerts !== undefined) {
      alertConditions.push(...conditionsOf(flag, value, tables.alerts, nowUs));
    } else {
      const hint = table === "transactions" ? "; add --join-alerts" : "";
      throw new MisuseError(
        `Cannot use "--${flag}" with --table ${table}: it applies to ${
          Object.keys(tables).join(", ")
        }${tables.alerts !== undefined ? hint : ""}`,
      );
    }
  }
  const time = TABLES[table].timeColumn;
  const limit = parseLimit(flags, toTerminal);
  const columns = flags["columns"];
  return {
    table,
    conditions,
    alertConditions,
    joinAlerts,
    ...(columns === undefined ? {} : { columns: texts("columns", columns) }),
    orderBy: flags["order-by"] === undefined
      ? [{ column: time, descending: true }]
      : parseOrderBy(String(flags["order-by"])),
    ...(limit === undefined ? {} : { limit }),
    snapshot: parseSnapshot(flags, nowUs),
  };
}

/** Checks the name of a format. */
export function parseFormat(value: unknown): FormatName {
  return oneOf("format", String(value), FORMATS);
}
