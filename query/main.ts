/** Answers one query: plan, lock DuckDB to the planned files, stream the answer. */
import type { Engine, LockedEngine } from "./engine.ts";
import { TABLE_NAMES } from "../contracts/tables.ts";
import { isLineFormat, type LineFormat, linesSql } from "./lines_sql.ts";
import { formatWriter, type TextFormat } from "./format/writer.ts";
import { requireSalt } from "./mask.ts";
import type { QueryOutput } from "./output/output.ts";
import { type Lakehouse, TableLoader } from "./plan.ts";
import { describePlan, snapshotNotes } from "./plan_notes.ts";
import { prepareQuestion } from "./prepare_question.ts";
import type { Prepared } from "./prepared.ts";
import type { QueryRequest } from "./question.ts";

/** From so many rows on DuckDB makes the text. */
const ROWS_MANY = 1000;

/** Everything a query needs. */
export interface QueryContext {
  lakehouse: Lakehouse;
  output: QueryOutput;
  /** Salt of --mask-accounts. */
  maskSalt?: string;
  /** Stops the query; it rejects then. */
  signal?: AbortSignal;
  /** Start of the paths of this query's own scratch files: a parquet answer, what DuckDB spills. */
  scratch: string;
  /**
   * Is given what closes DuckDB, which takes some milliseconds that nobody need wait for: the answer is printed, and a
   * process that ends needs none of it. @default closed before the query returns
   */
  release?: (close: () => void) => void;
  /** Called when the files are known and the statement is written, before it runs. */
  onPlanned?: () => void;
}

/** How many rows were printed, and whether there were more. */
interface Printed {
  rows: number;
  cut: boolean;
}

/**
 * Asks the catalog for the tables that the request names, so that it answers while DuckDB is loaded. A table
 * too many costs a request, one too few some milliseconds; what fails is told by the plan, which waits for it.
 */
function prefetch({ sql, question }: QueryRequest, loader: TableLoader): void {
  const names = sql === undefined
    ? [question.table, ...(question.joinAlerts ? ["alerts" as const] : [])]
    : TABLE_NAMES.filter((name) => new RegExp(`\\b${name}\\b`, "i").test(sql));
  for (const name of names) loader.load(name).catch(() => {});
}

/** Loads DuckDB only now: it is most of what a query loads, and by now the catalog has its question. */
async function open(scratch: string): Promise<Engine> {
  const { openEngine } = await import("./engine.ts");
  return await openEngine({ spillFolder: `${scratch}.spill` });
}

async function prepare(
  request: QueryRequest,
  context: QueryContext,
  tools: { loader: TableLoader; opening: Promise<Engine> },
): Promise<Prepared> {
  const { loader, opening } = tools;
  const salt = request.maskAccounts ? requireSalt(context.maskSalt) : undefined;
  if (request.sql === undefined) {
    const { question } = request;
    // One row more than is shown tells whether there are more.
    const limit = peeks(request) ? { limit: question.limit! + 1 } : {};
    return await prepareQuestion({ ...question, ...limit }, loader, salt);
  }
  const { prepareSql } = await import("./sql/prepare_sql.ts");
  return await prepareSql(request.sql, {
    loader,
    engine: await opening,
    snapshot: request.question.snapshot,
    ...(salt === undefined ? {} : { salt }),
    explainScans: request.stats || request.explain,
  });
}

/** For people it is said when rows were cut. */
function peeks(request: QueryRequest): boolean {
  const forPeople = request.format === "table" || request.format === "vertical";
  return forPeople && request.sql === undefined && request.question.limit !== undefined;
}

/** Rows that are printed though there may be more. */
function shownMax(request: QueryRequest): number {
  return peeks(request) ? request.question.limit! : request.rowsShown ?? Infinity;
}

/** A statement whose rows are lines of the format; undefined where few rows are wanted or cells need more care. */
function asLines({ sql, columns }: Prepared, request: QueryRequest): string | undefined {
  const { format, question } = request;
  if (!isLineFormat(format) || columns === undefined) return undefined;
  return (question.limit ?? Infinity) > ROWS_MANY ? linesSql(sql, columns, format) : undefined;
}

async function printLines(
  engine: LockedEngine,
  sql: string,
  { prepared, format, output }: {
    prepared: Prepared;
    format: LineFormat;
    output: QueryOutput;
  },
): Promise<Printed> {
  const columns = prepared.columns!.map((column) => ({ ...column, numeric: false }));
  // The writer has no rows to write, but knows the header.
  const header = formatWriter(format, { columns }).end();
  let rows = 0;
  if (header !== "") await output.print(header);
  for await (const lines of engine.lines(sql)) {
    rows += lines.length;
    await output.print(lines.join("\n") + "\n");
  }
  return { rows, cut: false };
}

async function printText(
  engine: LockedEngine,
  prepared: Prepared,
  request: QueryRequest,
  output: QueryOutput,
): Promise<Printed> {
  const inLines = asLines(prepared, request);
  if (inLines !== undefined) {
    return await printLines(engine, inLines, {
      prepared,
      format: request.format as LineFormat,
      output,
    });
  }
  const { columns, rows } = await engine.select(prepared.sql);
  const { width, color = false } = output;
  const writer = formatWriter(request.format as TextFormat, {
    columns,
    color,
    ...(width === undefined ? {} : { width }),
  });
  const limit = shownMax(request);
  const printed: Printed = { rows: 0, cut: false };
  for await (const batch of rows()) {
    const shown = batch.slice(0, limit - printed.rows);
    printed.rows += shown.length;
    printed.cut = shown.length < batch.length;
    const text = writer.rows(shown);
    if (text !== "") await output.print(text);
    if (printed.cut) break;
  }
  const rest = writer.end();
  if (rest !== "") await output.print(rest);
  return printed;
}

async function printArrow(
  engine: LockedEngine,
  prepared: Prepared,
  output: QueryOutput,
): Promise<Printed> {
  const { arrowStream } = await import("./format/arrow.ts");
  let count = 0;
  for await (const { bytes, rows } of arrowStream(await engine.stream(prepared.sql))) {
    count += rows;
    await output.print(bytes);
  }
  return { rows: count, cut: false };
}

async function printParquet(
  engine: LockedEngine,
  prepared: Prepared,
  options: { path: string; output: QueryOutput },
): Promise<Printed> {
  const rows = await engine.copyToParquet(prepared.sql, options.path);
  using file = await Deno.open(options.path);
  for await (const bytes of file.readable) await options.output.print(bytes);
  return { rows, cut: false };
}

async function printPlan(
  engine: LockedEngine,
  prepared: Prepared,
  options: { output: QueryOutput; secret: string | undefined },
): Promise<void> {
  const plan = await engine.explain(prepared.sql);
  const notes = prepared.tables.flatMap(describePlan).concat(prepared.scans.map(scanNote));
  const text = [prepared.sql, "", ...notes, "", plan, ""].join("\n");
  const { secret } = options;
  await options.output.print(secret === undefined ? text : text.replaceAll(secret, "***"));
}

function scanNote(condition: string): string {
  return `skips no file: ${condition}`;
}

function print(
  engine: LockedEngine,
  prepared: Prepared,
  request: QueryRequest,
  context: QueryContext,
): Promise<Printed> {
  const { output, scratch } = context;
  switch (request.format) {
    case "parquet":
      return printParquet(engine, prepared, { path: parquetPath(scratch), output });
    case "arrow":
      return printArrow(engine, prepared, output);
    default:
      return printText(engine, prepared, request, output);
  }
}

function parquetPath(scratch: string): string {
  return `${scratch}.parquet`;
}

/** The only files that the query's DuckDB may touch. */
function allowedPaths(prepared: Prepared, request: QueryRequest, scratch: string): string[] {
  const planned = prepared.tables.flatMap((table) => table.paths);
  return request.format === "parquet" ? [...planned, parquetPath(scratch)] : planned;
}

/** Answers the request. Errors of DuckDB, the planner and the catalog pass through. */
export async function runQuery(request: QueryRequest, context: QueryContext): Promise<void> {
  const { output, signal, maskSalt, scratch } = context;
  const started = performance.now();
  const loader = new TableLoader(context.lakehouse);
  prefetch(request, loader);
  const opening = open(scratch);
  // Again and again: DuckDB forgets an interrupt that comes while nothing runs, as between two of our statements.
  let interrupting: ReturnType<typeof setInterval> | undefined;
  const interrupt = () => {
    interrupting ??= setInterval(() => void opening.then((engine) => engine.interrupt()), 20);
  };
  signal?.addEventListener("abort", interrupt);
  if (signal?.aborted) interrupt();
  try {
    const prepared = await prepare(request, context, { loader, opening });
    signal?.throwIfAborted();
    const planned = performance.now();
    context.onPlanned?.();
    for (const note of snapshotNotes(request, prepared.tables)) output.note(note);
    const engine = await (await opening).lock({
      allowedPaths: allowedPaths(prepared, request, scratch),
      setup: prepared.setup,
    });
    if (request.explain) {
      const secret = request.maskAccounts ? maskSalt : undefined;
      return await printPlan(engine, prepared, { output, secret });
    }
    const { rows, cut } = await print(engine, prepared, request, context);
    if (cut) {
      const how = request.sql === undefined ? "--limit N shows more" : "there are more";
      const shown = rows === 1 ? "row is" : `${rows} rows are`;
      output.note(`Only the first ${shown} shown; ${how}`);
    }
    if (!request.stats) return;
    for (const note of prepared.tables.flatMap(describePlan)) output.note(note);
    for (const condition of prepared.scans) output.note(scanNote(condition));
    output.note(`${rows} rows; ${timesText(started, planned, performance.now())}`);
  } finally {
    signal?.removeEventListener("abort", interrupt);
    clearInterval(interrupting);
    const { release = (close) => close() } = context;
    await opening.then((engine) => release(() => engine.close()), () => {});
  }
}

function timesText(started: number, planned: number, now: number): string {
  const ms = (from: number, to: number): string => `${(to - from).toFixed(0)} ms`;
  return `planned in ${ms(started, planned)}, answered in ${ms(planned, now)}, ` +
    `${ms(0, now)} since the start of the process`;
}
