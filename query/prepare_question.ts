/** A question built from flags → a statement over planned tables. */
import { TABLES } from "../contracts/tables.ts";
import { parseTimestamp, printTimestamp } from "../contracts/timestamps.ts";
import type { Filter } from "../iceberg/scan/filter.ts";
import type { Schema } from "../iceberg/types.ts";
import { type Condition, pruningFilter } from "./conditions.ts";
import { maskedSource } from "./mask.ts";
import { likelyStart } from "./newest.ts";
import { has, type PlannedTable, planTable, type TableRequest } from "./plan.ts";
import { planJoin, type PlannedJoin, planTransactions } from "./plan_join.ts";
import type { Preparation, Prepared, Shortcut } from "./prepared.ts";
import type { Question } from "./question.ts";
import { answerColumns, limitsFirst, questionSql, sufficesSql } from "./question_sql.ts";
import type { TableLoader } from "./table_loader.ts";

/** Only conditions on columns that are still there; questionSql names those that are not. */
function filterOf(conditions: readonly Condition[]): (schema: Schema) => Filter {
  return (schema) => pruningFilter(conditions.filter(({ column }) => has(schema, column)));
}

/** A limited question for the newest rows. */
type NewestQuestion = Question & { limit: number };

function wantsNewest(question: Question): question is NewestQuestion {
  const { limit, orderBy: [first], table } = question;
  return limit !== undefined && first?.column === TABLES[table].timeColumn && first.descending;
}

/** The range of time that a question is about, and whether it asks nothing else of its rows. */
function rangeOf({ conditions, table }: Question) {
  const range: { from?: bigint; to?: bigint } = {};
  let isAll = true;
  for (const { column, op, values } of conditions) {
    const us = column === TABLES[table].timeColumn ? parseTimestamp(values[0]!) : undefined;
    if (us !== undefined && op === ">=") range.from = BigInt(us);
    else if (us !== undefined && op === "<") range.to = BigInt(us);
    else isAll = false;
  }
  return { range, isAll };
}

/** Newest first, and nothing else asked but a range of time: then the bounds tell which files can matter. */
function newestRows(question: Question): Pick<TableRequest, "newest" | "statsOf"> {
  const { range, isAll } = rangeOf(question);
  if (!wantsNewest(question)) return {};
  // Of rows that fit more conditions the bounds prove nothing, but they tell where to look first.
  if (!isAll) return { statsOf: [TABLES[question.table].timeColumn] };
  return { newest: { rows: question.limit, ...range } };
}

/**
 * Alerts, the smaller side, are written second, which is the side that DuckDB builds its hash table of; left to itself it
 * knows nothing of the sizes of files and has taken the transactions.
 */
const JOIN_AS_WRITTEN = "SET disabled_optimizers = 'join_order,build_side_probe_side'";

/** Files of alerts that are asked first how far alerts reach; those of the last commits mostly tell. */
const REACH_FILES_MAX = 4;

/** Of rows that fit conditions this share is looked through first: in vain it costs little, and mostly it is not. */
const SHARE_FIRST = 1 / 8;

/** Rows that are looked at for a limited question: times are not quite evenly spread. */
function rowsLikely(limit: number): number {
  return Math.max(8 * limit, 64);
}

/** The question asked only of the rows from a time on that probably as many as it wants are not older than. */
function sinceLikely(question: Question, { plan }: PlannedTable): NewestQuestion | undefined {
  if (!wantsNewest(question)) return undefined;
  const { range, isAll } = rangeOf(question);
  const column = TABLES[question.table].timeColumn;
  const fieldId = plan.schema.fields.find(({ name }) => name === column)?.id;
  // One file is read at once: most of its time is taken by whole columns, whatever is wanted of them.
  if (fieldId === undefined || (!isAll && plan.files.length < 2)) return undefined;
  const start = likelyStart(plan.files, {
    fieldId,
    rows: rowsLikely(question.limit),
    share: isAll ? 0 : SHARE_FIRST,
    ...range,
  });
  if (start === undefined || start <= (range.from ?? start - 1n)) return undefined;
  const since: Condition = {
    column,
    op: ">=",
    values: [printTimestamp(Number(start))],
    type: "timestamptz",
  };
  return { ...question, conditions: [...question.conditions, since] };
}

interface Preparing {
  loader: TableLoader;
  salt: string | undefined;
}

function preparedOf(
  question: Question,
  { tables, join }: { tables: PlannedTable[]; join?: PlannedJoin["join"] },
  { salt }: Preparing,
): Prepared {
  const { relation } = tables[0]!;
  const sql = questionSql(question, relation, {
    ...(join === undefined ? {} : { join }),
    ...(salt === undefined
      ? {}
      : { mask: (source, columns) => maskedSource(source, columns, salt) }),
  });
  return {
    sql,
    tables,
    settings: join === undefined ? [] : [JOIN_AS_WRITTEN],
    views: [],
    scans: [],
    // What a mask leaves of the columns is its own matter.
    ...(salt === undefined ? { columns: answerColumns(question, relation) } : {}),
  };
}

async function prepareFullJoin(question: Question, preparing: Preparing): Promise<Prepared> {
  const planned = await planJoin(question, preparing.loader, {
    filterOf: filterOf(question.conditions),
  });
  return preparedOf(question, planned, preparing);
}

async function joinShortcut(
  question: Question,
  preparing: Preparing,
): Promise<Shortcut | undefined> {
  const { loader } = preparing;
  const table = await planTransactions(question, loader, filterOf(question.conditions));
  const since = sinceLikely(question, table);
  if (since === undefined) return undefined;
  const planned = await planJoin(since, loader, {
    filterOf: filterOf(since.conditions),
    reachFilesMax: REACH_FILES_MAX,
  });
  if (!limitsFirst(since, planned.join)) return undefined;
  const check = sufficesSql(since, planned.tables[0].relation, planned.join.reach);
  return { check, prepared: preparedOf(since, planned, preparing), fullPaths: [] };
}

async function shortcutOf(
  question: Question,
  table: PlannedTable,
  preparing: Preparing,
): Promise<Shortcut | undefined> {
  // Within a file compaction puts accounts side by side, not times: a look at one file spares nothing.
  if (table.paths.length < 2) return undefined;
  const since = sinceLikely(question, table);
  if (since === undefined) return undefined;
  const fewer = await planTable(preparing.loader, since.table, {
    snapshot: since.snapshot,
    filterOf: filterOf(since.conditions),
  });
  const check = sufficesSql(since, fewer.relation);
  const prepared = preparedOf(since, { tables: [fewer] }, preparing);
  return { check, prepared, fullPaths: table.paths };
}

/**
 * Plans the question's tables and writes its statement; `salt` masks the answer. The newest rows are looked for where they
 * probably are, first.
 */
export async function prepareQuestion(
  question: Question,
  loader: TableLoader,
  salt: string | undefined,
): Promise<Preparation> {
  const preparing = { loader, salt };
  if (question.joinAlerts) {
    const shortcut = wantsNewest(question) ? await joinShortcut(question, preparing) : undefined;
    const full = () => prepareFullJoin(question, preparing);
    return { full, ...(shortcut === undefined ? {} : { shortcut }) };
  }
  const table = await planTable(loader, question.table, {
    snapshot: question.snapshot,
    filterOf: filterOf(question.conditions),
    ...newestRows(question),
  });
  const prepared = preparedOf(question, { tables: [table] }, preparing);
  const shortcut = await shortcutOf(question, table, preparing);
  return {
    full: () => Promise.resolve(prepared),
    ...(shortcut === undefined ? {} : { shortcut }),
  };
}
