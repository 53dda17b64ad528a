/** The files of `--join-alerts`: transactions, alerts that can be theirs, and alerts that tell how far these are committed. */
import { TABLES } from "../contracts/tables.ts";
import { decodeValue } from "../iceberg/single_value.ts";
import type { Filter } from "../iceberg/scan/filter.ts";
import type { PlannedFile, ScanPlan } from "../iceberg/scan/plan.ts";
import type { Schema } from "../iceberg/types.ts";
import { pruningFilter } from "./conditions.ts";
import { has, type PlannedTable, planTable } from "./plan.ts";
import type { Question, SnapshotSelector } from "./question.ts";
import type { AlertsBeside } from "./question_sql.ts";
import type { TableLoader } from "./table_loader.ts";

/** The raw record that a row comes from; null in rows of other writers. */
const LINEAGE = ["source_partition", "source_offset"];

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

/** Columns of alerts by whose statistics files are left out: read together, manifests are decoded once. */
function alertColumns({ conditions, alertConditions }: Question): string[] {
  const repeated = conditions.flatMap(({ column }) => REPEATED[column] ?? []);
  return [...LINEAGE, ...repeated, ...alertConditions.map(({ column }) => column)];
}

/** Field id of a column; -1, which no statistics have, if it is gone. */
function idOf(plan: ScanPlan, column: string): number {
  return plan.schema.fields.find(({ name }) => name === column)?.id ?? -1;
}

/** The least source offset of the transactions; undefined where a file does not tell. */
function leastOffset(plan: ScanPlan): bigint | undefined {
  const id = idOf(plan, "source_offset");
  let least: bigint | undefined;
  for (const { file } of plan.files) {
    const bytes = file.lower_bounds?.get(id);
    if (bytes === undefined) return undefined;
    const lower = decodeValue("long", bytes) as bigint;
    if (least === undefined || lower < least) least = lower;
  }
  return least;
}

/** Files with an alert from this offset on: whether alerts reach beyond a transaction, only these can tell. */
function reaching(plan: ScanPlan, least: bigint | undefined): readonly PlannedFile[] {
  if (least === undefined) return plan.files;
  const id = idOf(plan, "source_offset");
  return plan.files.filter(({ file }) => {
    const bytes = file.upper_bounds?.get(id);
    return bytes === undefined || (decodeValue("long", bytes) as bigint) >= least;
  });
}

/** Whether every row is known to name its raw record. */
function allPlaced(plan: ScanPlan): boolean {
  return LINEAGE.every((column) =>
    plan.files.every(({ file }) => file.null_value_counts?.get(idOf(plan, column)) === 0n)
  );
}

/** The files with the greatest offsets. */
function farthest(plan: ScanPlan, files: readonly PlannedFile[], most: number) {
  if (files.length <= most) return files;
  const id = idOf(plan, "source_offset");
  const reached = ({ file }: PlannedFile): bigint => {
    const bytes = file.upper_bounds?.get(id);
    return bytes === undefined ? -1n : decodeValue("long", bytes) as bigint;
  };
  const sorted = files.map((file) => ({ file, upper: reached(file) }))
    .sort((a, b) => (a.upper < b.upper ? 1 : a.upper > b.upper ? -1 : 0));
  return sorted.slice(0, most).map(({ file }) => file);
}

/** Plans the transactions of a join, with the statistics of their time. */
export function planTransactions(
  question: Question,
  loader: TableLoader,
  filterOf: (schema: Schema) => Filter,
): Promise<PlannedTable> {
  const { table, snapshot } = question;
  const statsOf = ["source_offset", TABLES[table].timeColumn];
  return planTable(loader, table, { snapshot, filterOf, statsOf });
}

/** A join that is planned. */
export interface PlannedJoin {
  /** Transactions come first. */
  tables: [PlannedTable, PlannedTable];
  join: AlertsBeside;
}

/**
 * Plans the join. With `reachFilesMax` only so many files of alerts are asked how far they reach: it may be farther then
 * than they tell.
 */
export async function planJoin(
  question: Question,
  loader: TableLoader,
  options: { filterOf: (schema: Schema) => Filter; reachFilesMax?: number },
): Promise<PlannedJoin> {
  const { filterOf, reachFilesMax = Infinity } = options;
  const { snapshot } = question;
  // A snapshot id belongs to one table; the alerts beside it are then the current ones.
  const beside: SnapshotSelector = snapshot.kind === "id" ? { kind: "current" } : snapshot;
  const [table, alerts] = await Promise.all([
    planTransactions(question, loader, filterOf),
    planTable(loader, "alerts", {
      snapshot: beside,
      filterOf: (schema) => alertsFilter(question, schema),
      statsOf: alertColumns(question),
    }),
  ]);
  const least = leastOffset(table.plan);
  const all = await planTable(loader, "alerts", {
    snapshot: beside,
    filterOf: () => ({ op: "true" }),
    statsOf: alertColumns(question),
    keep: (plan) => farthest(plan, reaching(plan, least), reachFilesMax),
  });
  const paths = [...new Set([...alerts.paths, ...all.paths])];
  const join = {
    alerts: alerts.relation,
    reach: all.relation,
    placed: allPlaced(alerts.plan),
  };
  return { tables: [table, { ...alerts, paths }], join };
}
