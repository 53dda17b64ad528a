/** A question built from flags → a statement over planned tables. */
import type { Filter } from "../iceberg/scan/filter.ts";
import type { Schema } from "../iceberg/types.ts";
import { type Condition, pruningFilter } from "./conditions.ts";
import { maskedSource } from "./mask.ts";
import { planTable, type TableLoader } from "./plan.ts";
import type { Prepared } from "./prepared.ts";
import type { Question, SnapshotSelector } from "./question.ts";
import { questionSql } from "./question_sql.ts";
import { TABLES } from "../contracts/tables.ts";

/**
 * Alerts repeat these columns of their transaction, so what a question asks of a transaction rules out
 * files of alerts too. Rows of other writers may leave them null, which rules out nothing.
 */
const REPEATED: Readonly<Record<string, string>> = {
  timestamp: "transaction_timestamp",
  transaction_id: "transaction_id",
  account_id: "account_id",
  amount: "amount",
  currency: "currency",
};

function alertsFilter(question: Question, schema: Schema): Filter {
  const filters = question.conditions.flatMap((condition): Filter[] => {
    const column = REPEATED[condition.column];
    if (column === undefined || !has(schema, column)) return [];
    const repeated = pruningFilter([{ ...condition, column }]);
    return [{ op: "or", filters: [repeated, { op: "is_null", column }] }];
  });
  // A transaction is shown for its alerts that fit, so the others need not be read.
  const own = question.alertConditions.filter(({ column }) => has(schema, column));
  return { op: "and", filters: [...filters, pruningFilter(own)] };
}

function has(schema: Schema, column: string): boolean {
  return schema.fields.some((field) => field.name === column);
}

/** Only conditions on columns that are still there; questionSql names those that are not. */
function filterOf(conditions: readonly Condition[]): (schema: Schema) => Filter {
  return (schema) => pruningFilter(conditions.filter(({ column }) => has(schema, column)));
}

/** Newest first and nothing else asked: then the bounds tell which files can matter. */
function newestRows(question: Question): { newest: number } | undefined {
  const { limit, orderBy: [first], conditions, joinAlerts, table } = question;
  const byTime = first?.column === TABLES[table].timeColumn && first.descending;
  if (limit === undefined || !byTime || conditions.length > 0 || joinAlerts) return undefined;
  return { newest: limit };
}

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
  const main = planTable(loader, question.table, {
    snapshot,
    filterOf: filterOf(conditions),
    ...newestRows(question),
  });
  if (!joinAlerts) {
    const table = await main;
    return {
      sql: questionSql(question, table.relation, mask),
      tables: [table],
      setup: [],
      scans: [],
    };
  }
  // A snapshot id belongs to one table; the alerts beside it are then the current ones.
  const beside: SnapshotSelector = snapshot.kind === "id" ? { kind: "current" } : snapshot;
  const [table, alerts, allAlerts] = await Promise.all([
    main,
    planTable(loader, "alerts", {
      snapshot: beside,
      filterOf: (schema) => alertsFilter(question, schema),
    }),
    planTable(loader, "alerts", { snapshot: beside, filterOf: () => ({ op: "true" }) }),
  ]);
  const options = { alerts: alerts.relation, allAlerts: allAlerts.relation, ...mask };
  return {
    sql: questionSql(question, table.relation, options),
    tables: [table, { ...alerts, paths: allAlerts.paths }],
    setup: [],
    scans: [],
  };
}
