/** Answers one query: plan, lock DuckDB to the planned files, stream the answer. */
import { TABLE_NAMES } from "../contracts/tables.ts";
import type { LockedEngine } from "./engine.ts";
import { EnginePool, type EngineTurn } from "./engine_pool.ts";
import { gateOf } from "./gate.ts";
import { requireSalt } from "./mask.ts";
import type { QueryOutput } from "./output/output.ts";
import type { Lakehouse } from "./plan.ts";
import { describePlan, snapshotNotes } from "./plan_notes.ts";
import { prepareQuestion } from "./prepare_question.ts";
import type { Preparation, Prepared } from "./prepared.ts";
import { peeks, printAnswer, type Printed, printPlan, scanNote } from "./print.ts";
import type { QueryRequest } from "./question.ts";
import { TableLoader } from "./table_loader.ts";

/** So many files cost less to have in reach than a DuckDB to open. */
const FULL_PATHS_MAX = 200;

/** Everything a query needs. */
export interface QueryContext {
  /** With a memory, what earlier questions read of the tables is not read again. */
  lakehouse: Lakehouse;
  output: QueryOutput;
  /** Salt of --mask-accounts. */
  maskSalt?: string;
  /** Stops the query; it rejects then. */
  signal?: AbortSignal;
  /** Start of the paths of this query's own scratch files: a parquet answer, what DuckDB spills. */
  scratch: string;
  /** Keeps DuckDB from one query to the next. @default {this query opens one and closes it} */
  engines?: EnginePool;
  /** Called when the files are known and the statement is written, before it runs. */
  onPlanned?: () => void;
}

/**
 * Asks the catalog for the tables that the request names, so that it answers while DuckDB is loaded. A table
 * too many costs a request, one too few some milliseconds; what fails is told by the plan, which waits for it.
 */
function prefetch({ sql, question }: QueryRequest, loader: TableLoader): void {
  const names = sql === undefined
    ? [question.table, ...(question.joinAlerts ? ["alerts" as const] : [])]
    : TABLE_NAMES.filter((name) => new RegExp(`\\b${name}\\b`, "i").test(sql));
  for (const name of names) loader.prefetch(name);
}

async function prepare(
  request: QueryRequest,
  context: QueryContext,
  { loader, turn }: { loader: TableLoader; turn: EngineTurn },
): Promise<Preparation> {
  const salt = request.maskAccounts ? requireSalt(context.maskSalt) : undefined;
  if (request.sql === undefined) {
    const { question } = request;
    // One row more than is shown tells whether there are more.
    const limit = peeks(request) ? { limit: question.limit! + 1 } : {};
    return await prepareQuestion({ ...question, ...limit }, loader, salt);
  }
  const { prepareSql } = await import("./sql/prepare_sql.ts");
  const prepared = await prepareSql(request.sql, {
    loader,
    engine: await turn.parser(),
    snapshot: request.question.snapshot,
    ...(salt === undefined ? {} : { salt }),
    explainScans: request.stats || request.explain,
  });
  return { full: () => Promise.resolve(prepared) };
}

/** Locks DuckDB to the files of a statement and a few more, and begins the question. */
async function lockTo(
  prepared: Prepared,
  turn: EngineTurn,
  more: readonly string[],
): Promise<LockedEngine> {
  const paths = prepared.tables.flatMap((table) => table.paths).concat(more);
  const engine = await turn.locked({ paths, settings: prepared.settings });
  await engine.begin(prepared.views);
  return engine;
}

/** Begins with the shortcut if there is one and it gives the whole answer. */
async function begin(
  { shortcut, full }: Preparation,
  turn: EngineTurn,
  written: readonly string[],
): Promise<{ prepared: Prepared; engine: LockedEngine }> {
  if (shortcut !== undefined) {
    const { prepared, check, fullPaths } = shortcut;
    // Few files more are in reach at once, lest another DuckDB has to be opened for them.
    const more = fullPaths.length <= FULL_PATHS_MAX ? fullPaths : [];
    const engine = await lockTo(prepared, turn, [...written, ...more]);
    if (await engine.holds(check)) return { prepared, engine };
    await engine.end();
  }
  const prepared = await full();
  return { prepared, engine: await lockTo(prepared, turn, written) };
}

/** Tables, DuckDB and clock of one attempt at an answer. */
interface Tools {
  loader: TableLoader;
  turn: EngineTurn;
  /** When the query began. */
  started: number;
}

async function answerWith(
  tools: Tools,
  request: QueryRequest,
  context: QueryContext,
): Promise<void> {
  const { output, signal, maskSalt, scratch } = context;
  const preparation = await prepare(request, context, tools);
  signal?.throwIfAborted();
  const planned = performance.now();
  context.onPlanned?.();
  const parquetPath = `${scratch}.parquet`;
  const written = request.format === "parquet" ? [parquetPath] : [];
  const { prepared, engine } = await begin(preparation, tools.turn, written);
  for (const note of snapshotNotes(request, prepared.tables)) output.note(note);
  if (request.explain) {
    const secret = request.maskAccounts ? maskSalt : undefined;
    return await printPlan(engine, prepared, { output, secret });
  }
  const printed = await printAnswer(engine, prepared, request, { output, parquetPath });
  noteCut(printed, request, output);
  if (!request.stats) return;
  for (const note of prepared.tables.flatMap(describePlan)) output.note(note);
  for (const condition of prepared.scans) output.note(scanNote(condition));
  const { started } = tools;
  output.note(`${printed.rows} rows; ${timesText(started, planned, performance.now())}`);
}

function noteCut({ rows, cut }: Printed, request: QueryRequest, output: QueryOutput): void {
  if (!cut) return;
  const how = request.sql === undefined ? "--limit N shows more" : "there are more";
  const shown = rows === 1 ? "row is" : `${rows} rows are`;
  output.note(`Only the first ${shown} shown; ${how}`);
}

/** One attempt at an answer, which can be stopped. */
async function answer(
  request: QueryRequest,
  context: QueryContext,
  { engines, loader, started }: { engines: EnginePool } & Omit<Tools, "turn">,
): Promise<void> {
  const { signal } = context;
  const turn = engines.turn();
  // Again and again: DuckDB forgets an interrupt that comes while nothing runs, as between two of our statements.
  let interrupting: ReturnType<typeof setInterval> | undefined;
  const interrupt = () => {
    interrupting ??= setInterval(() => turn.interrupt(), 20);
  };
  signal?.addEventListener("abort", interrupt);
  if (signal?.aborted) interrupt();
  let isWhole = false;
  try {
    await answerWith({ loader, turn, started }, request, context);
    isWhole = true;
  } finally {
    signal?.removeEventListener("abort", interrupt);
    clearInterval(interrupting);
    // A DuckDB that may write an answer's file is for that answer alone.
    await turn.end({ keep: isWhole && !signal?.aborted && request.format !== "parquet" });
  }
}

/**
 * Answers the request. Errors of DuckDB, the planner and the catalog pass through.
 *
 * A process that has asked before goes on from the tables as they were then, while the catalog is asked whether they
 * still are; only if not, the answer is made again from what they are now. Nothing is printed before that is known.
 */
export async function runQuery(request: QueryRequest, context: QueryContext): Promise<void> {
  const { lakehouse, output, signal, scratch } = context;
  const started = performance.now();
  const loader = new TableLoader(lakehouse, { suppose: true });
  prefetch(request, loader);
  const engines = context.engines ?? new EnginePool({ spillFolder: `${scratch}.spill` });
  const gate = gateOf(output, async () => {
    const isConfirmed = await loader.isConfirmed();
    signal?.throwIfAborted();
    return isConfirmed;
  });
  try {
    try {
      await answer(request, { ...context, output: gate }, { engines, loader, started });
      return await gate.open();
    } catch (error) {
      if (signal?.aborted || await loader.isConfirmed()) throw error;
    }
    await answer(request, context, { engines, loader: loader.corrected(), started });
  } finally {
    if (context.engines === undefined) engines.close();
  }
}

function timesText(started: number, planned: number, now: number): string {
  const ms = (from: number, to: number): string => `${(to - from).toFixed(0)} ms`;
  return `planned in ${ms(started, planned)}, answered in ${ms(planned, now)}, ` +
    `${ms(0, now)} since the start of the process`;
}
