/** Printing an answer in the format that was asked for. */
import type { LockedEngine } from "./engine.ts";
import { formatWriter, type TextFormat } from "./format/writer.ts";
import { isLineFormat, type LineFormat, linesSql } from "./lines_sql.ts";
import type { QueryOutput } from "./output/output.ts";
import { describePlan } from "./plan_notes.ts";
import type { Prepared } from "./prepared.ts";
import type { QueryRequest } from "./question.ts";

/** From so many rows on DuckDB makes the text. */
const ROWS_MANY = 1000;

/** How many rows were printed, and whether there were more. */
export interface Printed {
  rows: number;
  cut: boolean;
}

/** For people it is said when rows were cut: one row more than is shown is asked for. */
export function peeks(request: QueryRequest): boolean {
  const forPeople = request.format === "table" || request.format === "vertical";
  return forPeople && request.sql === undefined && request.question.limit !== undefined;
}

/** Rows that are printed though there may be more. */
function shownMax(request: QueryRequest): number {
  return peeks(request) ? request.question.limit! : request.rowsShown ?? Infinity;
}

/** At most some hundred rows come. */
function isLimited({ sql, question }: QueryRequest): boolean {
  return sql === undefined && (question.limit ?? Infinity) <= ROWS_MANY;
}

/** A statement whose rows are lines of the format; undefined where few rows are wanted or cells need more care. */
function asLines({ sql, columns }: Prepared, request: QueryRequest): string | undefined {
  const { format } = request;
  if (!isLineFormat(format) || columns === undefined) return undefined;
  return isLimited(request) ? undefined : linesSql(sql, columns, format);
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
  const small = isLimited(request);
  const { columns, rows } = await engine.select(prepared.sql, { small });
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

/** Prints the statement and how it is answered; the salt of masks is a secret. */
export async function printPlan(
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

/** What --stats says of a condition that prunes nothing. */
export function scanNote(condition: string): string {
  return `skips no file: ${condition}`;
}

/** Prints the rows; a parquet answer is first written to `parquetPath`. */
export function printAnswer(
  engine: LockedEngine,
  prepared: Prepared,
  request: QueryRequest,
  { output, parquetPath }: { output: QueryOutput; parquetPath: string },
): Promise<Printed> {
  switch (request.format) {
    case "parquet":
      return printParquet(engine, prepared, { path: parquetPath, output });
    case "arrow":
      return printArrow(engine, prepared, output);
    default:
      return printText(engine, prepared, request, output);
  }
}
