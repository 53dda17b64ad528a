/** The SQL of a question, over relations that stand for the planned tables. */
import { MisuseError } from "../contracts/errors.ts";
import { nearest } from "../runtime/nearest.ts";
import { conditionSql, quoteName } from "./conditions.ts";
import { JOINED_ALERT_COLUMNS, type Question } from "./question.ts";

/** A table as the planner hands it to DuckDB. */
export interface Relation {
  /** SQL of a table expression. */
  sql: string;
  /** Columns of the chosen snapshot's schema, in order. */
  columns: readonly string[];
}

function checkColumn(flag: string, name: string, columns: readonly string[]): void {
  if (columns.includes(name)) return;
  const meant = nearest(name, columns);
  throw new MisuseError(
    `Cannot use "--${flag} ${name}": no such column${
      meant === undefined ? "" : `; did you mean ${meant}?`
    } (columns: ${columns.join(", ")})`,
  );
}

function where(conditions: readonly string[]): string {
  return conditions.length === 0 ? "" : `\nWHERE ${conditions.join("\n  AND ")}`;
}

/**
 * Both sides are equal, or one of them is null. Written as two orderings, because an OR in the condition of an
 * outer join makes DuckDB compare every row with every other.
 */
function sameOrUnknown(column: string, type: "INTEGER" | "BIGINT"): string {
  const most = type === "INTEGER" ? "2147483647" : "9223372036854775807";
  const [low, high] = [-1, most].map((limit) => (side: string) =>
    `coalesce(${side}.${column}, CAST(${limit} AS ${type}))`
  ) as [(side: string) => string, (side: string) => string];
  return `${low("t")} <= ${high("a")} AND ${high("t")} >= ${low("a")}`;
}

/**
 * Transactions beside their alerts. They belong together by raw record, since an id may come again
 * beyond the duplicate horizon; rows that other engines wrote have no lineage and join by id.
 *
 * The two tables commit independently. A flagged transaction whose alerts are not committed yet would
 * look as if it had none, so it is left out until they are (design section 6).
 */
function joinedSql(
  question: Question,
  transactions: Relation,
  beside: { alerts: Relation; allAlerts: Relation },
): string {
  const { alerts, allAlerts } = beside;
  const conditions = [
    ...question.conditions.map((condition) => conditionSql(condition, "t")),
    ...question.alertConditions.map((condition) => conditionSql(condition, "a")),
    `NOT (coalesce(t.is_flagged, false) AND a.alert_id IS NULL
       AND t.source_offset > coalesce(reach.source_offset, -1))`,
  ];
  const alertColumns = JOINED_ALERT_COLUMNS.map(({ name, as }) =>
    `a.${quoteName(name)} AS ${quoteName(as)}`
  );
  return `SELECT t.*, ${alertColumns.join(", ")}
FROM ${transactions.sql} AS t
LEFT JOIN ${alerts.sql} AS a
  ON t.transaction_id = a.transaction_id
  AND ${sameOrUnknown("source_partition", "INTEGER")}
  AND ${sameOrUnknown("source_offset", "BIGINT")}
LEFT JOIN (SELECT source_partition, max(source_offset) AS source_offset
  FROM ${allAlerts.sql} GROUP BY source_partition) AS reach
  ON t.source_partition = reach.source_partition${where(conditions)}`;
}

/** How the statement is built. */
export interface QuestionSqlOptions {
  /** Alerts that can belong to the transactions, for --join-alerts. */
  alerts?: Relation;
  /** Every alert, which says how far alerts are committed. @default {alerts} */
  allAlerts?: Relation;
  /** Changes the rows before columns are chosen; the filters see them unchanged. */
  mask?: (source: string, columns: readonly string[]) => string;
}

/** Column names that the answer may hold. */
export function availableColumns(question: Question, relation: Relation): string[] {
  const joined = question.joinAlerts ? JOINED_ALERT_COLUMNS.map(({ as }) => as) : [];
  return [...relation.columns, ...joined];
}

/**
 * Builds the statement.
 *
 * @throws {MisuseError} for a column that the table does not have.
 */
export function questionSql(
  question: Question,
  relation: Relation,
  options: QuestionSqlOptions = {},
): string {
  const { alerts, allAlerts = alerts, mask = (source) => source } = options;
  const available = availableColumns(question, relation);
  for (const name of question.columns ?? []) checkColumn("columns", name, available);
  for (const { column } of question.orderBy) checkColumn("order-by", column, available);
  const inner = alerts === undefined || allAlerts === undefined
    ? `SELECT t.*\nFROM ${relation.sql} AS t${
      where(question.conditions.map((condition) => conditionSql(condition, "t")))
    }`
    : joinedSql(question, relation, { alerts, allAlerts });
  const columns = question.columns?.map(quoteName).join(", ") ?? "*";
  const order = question.orderBy.map(({ column, descending }) =>
    `${quoteName(column)} ${descending ? "DESC" : "ASC"}`
  );
  const limit = question.limit === undefined ? "" : `\nLIMIT ${question.limit}`;
  return `SELECT ${columns}\nFROM ${mask(`(${inner})`, available)} AS q\nORDER BY ${
    order.join(", ")
  }${limit}`;
}
