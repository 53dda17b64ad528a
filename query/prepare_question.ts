/** A question built from flags → a statement over planned tables. */
import type { Filter } from "../iceberg/scan/filter.ts";
import type { Schema } from "../iceberg/types.ts";
import { type Condition, pruningFilter } from "./conditions.ts";
import { maskedSource } from "./mask.ts";
import { planJoin } from "./plan_join.ts";
import { has, type PlannedTable, planTable, type TableRequest } from "./plan.ts";
import type { Prepared } from "./prepared.ts";
import type { Question } from "./question.ts";
import { answerColumns, questionSql } from "./question_sql.ts";
import { TABLES } from "../contracts/tables.ts";
import { parseTimestamp } from "../contracts/timestamps.ts";
import type { TableLoader } from "./table_loader.ts";

/** Only conditions on columns that are still there; questionSql names those that are not. */
function filterOf(conditions: readonly Condition[]): (schema: Schema) => Filter {
  return (schema) => pruningFilter(conditions.filter(({ column }) => has(schema, column)));
}

/** Newest first, and nothing else asked but a range of time: then the bounds tell which files can matter. */
function newestRows(question: Question): Pick<TableRequest, "newest"> {
  const { limit, orderBy: [first], conditions, joinAlerts, table } = question;
  const time = TABLES[table].timeColumn;
  const byTime = first?.column === time && first.descending;
  if (limit === undefined || !byTime || joinAlerts) return {};
  const newest: { rows: number; from?: bigint; to?: bigint } = { rows: limit };
  for (const { column, op, values } of conditions) {
    const us = column === time ? parseTimestamp(values[0]!) : undefined;
    if (us === undefined) return {};
    if (op === ">=") newest.from = BigInt(us);
    else if (op === "<") newest.to = BigInt(us);
    else return {};
  }
  return { newest };
}

/**
 * Alerts, the smaller side, are written second, which is the side that DuckDB builds its hash table of; left to itself it
 * knows nothing of the sizes of files and has taken the transactions.
 */
const JOIN_AS_WRITTEN = "SET disabled_optimizers = 'join_order,build_side_probe_side'";

/** Plans the question's tables and writes its statement; `salt` masks the answer. */
export async function prepareQuestion(
  question: Question,
  loader: TableLoader,
  salt: string | undefined,
): Promise<Prepared> {
  const { snapshot, conditions, joinAlerts } = question;
  const mask = salt === undefined
    ? {}
    : { mask: (source: string, columns: readonly string[]) => maskedSource(source, columns, salt) };
  // What a mask leaves of the columns is its own matter.
  const columnsOf = ({ relation }: PlannedTable): Pick<Prepared, "columns"> =>
    salt === undefined ? { columns: answerColumns(question, relation) } : {};
  if (joinAlerts) {
    const { tables, join } = await planJoin(question, loader, filterOf(conditions));
    const [table] = tables;
    const sql = questionSql(question, table.relation, { join, ...mask });
    return { sql, tables, settings: [JOIN_AS_WRITTEN], views: [], scans: [], ...columnsOf(table) };
  }
  const table = await planTable(loader, question.table, {
    snapshot,
    filterOf: filterOf(conditions),
    ...newestRows(question),
  });
  const sql = questionSql(question, table.relation, mask);
  return { sql, tables: [table], settings: [], views: [], scans: [], ...columnsOf(table) };
}
