/** The SQL of a question, over relations that stand for the planned tables. */
import { MisuseError } from "../contracts/errors.ts";
import { TABLES } from "../contracts/tables.ts";
import { nearest } from "../runtime/nearest.ts";
import { conditionSql, quoteName } from "./conditions.ts";
import type { TypedColumn } from "./lines_sql.ts";
import { JOINED_ALERT_COLUMNS, type Question } from "./question.ts";

/** A table as the planner hands it to DuckDB. */
export interface Relation {
  /** SQL of a table expression. */
  sql: string;
  /** Columns of the chosen snapshot's schema, in order. */
  columns: readonly string[];
  /** DuckDB's spelling of their types. */
  types: readonly string[];
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

/** What a transaction is joined with. */
export interface AlertsBeside {
  /** Alerts that can belong to the transactions. */
  alerts: Relation;
  /** Alerts that tell how far alerts are committed: those that come from no earlier record than the transactions. */
  reach: Relation;
  /** All of `alerts` are known to name their raw record. */
  placed: boolean;
}

/** Whether a transaction's alerts may not be committed yet. A row of another writer has no offset: it is ahead of nothing. */
const AHEAD =
  "coalesce(t.is_flagged AND t.source_offset > coalesce(reach.source_offset, -1), false)";

function reachJoinSql(reach: Relation): string {
  return `LEFT JOIN (SELECT source_partition, max(source_offset) AS source_offset
  FROM ${reach.sql} GROUP BY source_partition) AS reach
  ON t.source_partition = reach.source_partition`;
}

/**
 * Transactions beside their alerts. They belong together by raw record, since an id may come again
 * beyond the duplicate horizon; rows that other engines wrote have no lineage and join by id.
 *
 * The two tables commit independently. A flagged transaction whose alerts are not committed yet would
 * look as if it had none, so it is left out until they are (design section 6).
 */
function joinedSql(question: Question, transactions: Relation, beside: AlertsBeside): string {
  const { alerts, reach } = beside;
  const own = question.conditions.map((condition) => conditionSql(condition, "t"));
  const ofAlert = question.alertConditions.map((condition) => conditionSql(condition, "a"));
  const reachJoin = reachJoinSql(reach);
  const ahead = AHEAD;
  const alertColumns = JOINED_ALERT_COLUMNS.map(({ name, as }) =>
    `a.${quoteName(name)} AS ${quoteName(as)}`
  );
  const select = `SELECT t.*, ${alertColumns.join(", ")}`;
  const alertsJoin = `LEFT JOIN ${alerts.sql} AS a
  ON t.transaction_id = a.transaction_id
  AND ${sameOrUnknown("source_partition", "INTEGER")}
  AND ${sameOrUnknown("source_offset", "BIGINT")}`;
  if (!limitsFirst(question, beside)) {
    const conditions = [...own, ...ofAlert, `NOT (${ahead} AND a.alert_id IS NULL)`];
    return `${select}\nFROM ${transactions.sql} AS t\n${alertsJoin}\n${reachJoin}${
      where(conditions)
    }`;
  }
  const first = `SELECT t.*\nFROM ${transactions.sql} AS t\n${reachJoin}${
    where([...own, `NOT ${ahead}`])
  }${orderAndLimit(question)}`;
  return `${select}\nFROM (${first}) AS t\n${alertsJoin}`;
}

/**
 * Whether the newest transactions can be found before their alerts are: each gives at least one row, and one that
 * is ahead of the alerts certainly has none, since every alert names its record. In another order than that of time
 * masked values could decide.
 */
export function limitsFirst(question: Question, { placed }: Pick<AlertsBeside, "placed">): boolean {
  const { limit, orderBy, alertConditions, table } = question;
  const byTime = orderBy.length === 1 && orderBy[0]!.column === TABLES[table].timeColumn;
  return limit !== undefined && byTime && alertConditions.length === 0 && placed;
}

/**
 * Whether these rows are as many as the question wants, so that older ones do not matter: one yes or no. Beside alerts, none
 * of the wanted ones may be ahead of them: it would be left out, for an older one or, where only some of the
 * alerts were asked how far they reach, for no good reason.
 */
export function sufficesSql(
  question: Question & { limit: number },
  transactions: Relation,
  reach?: Relation,
): string {
  const { limit, table, conditions } = question;
  const conditionsSql = where(conditions.map((condition) => conditionSql(condition, "t")));
  const from = `FROM ${transactions.sql} AS t`;
  if (reach === undefined) {
    return `SELECT count(*) = ${limit}\nFROM (SELECT 1\n${from}${conditionsSql}\nLIMIT ${limit})`;
  }
  const time = quoteName(TABLES[table].timeColumn);
  return `SELECT count(*) = ${limit} AND NOT bool_or(ahead)\nFROM (SELECT ${AHEAD} AS ahead\n${from}
${reachJoinSql(reach)}${conditionsSql}\nORDER BY t.${time} DESC LIMIT ${limit})`;
}

function orderAndLimit({ orderBy, limit }: Question): string {
  const order = orderBy.map(({ column, descending }) =>
    `${quoteName(column)} ${descending ? "DESC" : "ASC"}`
  );
  return `\nORDER BY ${order.join(", ")}${limit === undefined ? "" : `\nLIMIT ${limit}`}`;
}

/** How the statement is built. */
export interface QuestionSqlOptions {
  /** For --join-alerts. */
  join?: AlertsBeside;
  /** Changes the rows before columns are chosen; the filters see them unchanged. */
  mask?: (source: string, columns: readonly string[]) => string;
}

/** Column names that the answer may hold. */
export function availableColumns(question: Question, relation: Relation): string[] {
  const joined = question.joinAlerts ? JOINED_ALERT_COLUMNS.map(({ as }) => as) : [];
  return [...relation.columns, ...joined];
}

/** The columns of the answer with their types; those of alerts are texts, except the time. */
export function answerColumns(question: Question, relation: Relation): TypedColumn[] {
  const own = relation.columns.map((name, at) => ({ name, type: relation.types[at]! }));
  const joined = question.joinAlerts
    ? JOINED_ALERT_COLUMNS.map(({ as }) => ({
      name: as,
      type: as === "alert_timestamp" ? "TIMESTAMPTZ" : "VARCHAR",
    }))
    : [];
  const all = [...own, ...joined];
  return question.columns?.map((name) => all.find((one) => one.name === name)!) ?? all;
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
  const { join, mask = (source) => source } = options;
  const available = availableColumns(question, relation);
  for (const name of question.columns ?? []) checkColumn("columns", name, available);
  for (const { column } of question.orderBy) checkColumn("order-by", column, available);
  const inner = join === undefined
    ? `SELECT t.*\nFROM ${relation.sql} AS t${
      where(question.conditions.map((condition) => conditionSql(condition, "t")))
    }`
    : joinedSql(question, relation, join);
  const columns = question.columns?.map(quoteName).join(", ") ?? "*";
  return `SELECT ${columns}\nFROM ${mask(`(${inner})`, available)} AS q${orderAndLimit(question)}`;
}
