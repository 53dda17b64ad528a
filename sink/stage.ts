/**
 * A part of a batch → data files in the table's storage, and what could not be stored (design section 6).
 * Done once; the attempts of the batch's commit only use what comes out (conventions C10).
 */
import type { FieldError } from "../contracts/dead_letter.ts";
import type { TableName } from "../contracts/tables.ts";
import { TIME_PATHS } from "./columns.ts";
import type { Storage } from "../iceberg/storage/port.ts";
import type { DataFile, Metrics } from "../iceberg/types.ts";
import { decodeValue } from "../iceberg/single_value.ts";
import { type DuckDb, isOutOfMemory } from "./duckdb.ts";
import {
  type BadLine,
  concatBytes,
  type GoodLine,
  isolateBadLines,
  splitLines,
} from "./isolate.ts";
import { dataFileOf, dayNumber, type TableLayout } from "./layout.ts";
import { dayOfParsed } from "./days.ts";
import { LINE_END_BYTES, LINE_EXTRA_BYTES_MAX } from "./lines.ts";
import { writeParquet } from "./parquet.ts";
import { type DayFile, type Origin, originOf, runsOf } from "./spool.ts";

const DAY_US = 86_400_000_000n;

/** What staging needs. */
export interface StageContext {
  db: DuckDb;
  storage: Storage;
  table: TableName;
  layout: TableLayout;
  /** Location of a new file of a day; never the same twice. */
  newLocation: (day: string) => string;
}

/** A spooled record that cannot be stored. */
export interface Refused extends Origin {
  /** The record's value, its line ends blanked. */
  value: Uint8Array;
  /** `p` and `o` of its line, as a trace has them. */
  source: Origin | undefined;
  error: FieldError;
}

/** What is in storage, not yet in the table. */
export interface StagedFiles {
  files: DataFile[];
  refused: Refused[];
  rows: number;
  bytes: number;
  /** Values of added columns that did not fit and are null. */
  unfit: number;
}

/** Nothing staged. */
export function noFiles(): StagedFiles {
  return { files: [], refused: [], rows: 0, bytes: 0, unfit: 0 };
}

/** Writes a part's files. A failure may leave some that nothing refers to: the orphan cleaner's. */
export async function stagePart(context: StageContext, part: DayFile): Promise<StagedFiles> {
  let staged = noFiles();
  try {
    const written = await writeDay(context, staged, { day: part.day, input: part.path });
    if (!written) await sortOut(context, staged, part);
    return staged;
  } catch (error) {
    if (!isOutOfMemory(error) || part.rows < 2) throw error;
  }
  // Wider rows than expected: two halves, two files.
  staged = noFiles();
  for (const half of await splitPart(context.db, part)) {
    const { files, refused, rows, bytes, unfit } = await stagePart(context, half);
    staged.files.push(...files);
    staged.refused.push(...refused);
    staged.rows += rows;
    staged.bytes += bytes;
    staged.unfit += unfit;
    await Deno.remove(half.path).catch(() => {});
  }
  return staged;
}

async function splitPart(db: DuckDb, part: DayFile): Promise<DayFile[]> {
  const lines = splitLines(await Deno.readFile(part.path));
  const middle = lines.length >>> 1;
  const halves: DayFile[] = [];
  for (const [from, to] of [[0, middle], [middle, lines.length]] as const) {
    const path = db.newPath(".ndjson");
    await Deno.writeFile(path, concatBytes(lines.slice(from, to)));
    halves.push({ day: part.day, path, rows: to - from, runs: runsOf(part, from, to) });
  }
  return halves;
}

/**
 * Writes one file; false if DuckDB refuses a line, or rows lie outside the day (then nothing of it is
 * in storage).
 */
async function writeDay(
  context: StageContext,
  staged: StagedFiles,
  options: { day: string; input: string },
): Promise<boolean> {
  const { db, storage, layout, newLocation } = context;
  const { day, input } = options;
  const output = db.newPath(".parquet");
  try {
    const file = await writeParquet(db, { plan: layout.plan, input, output });
    if (!liesWithin(file.metrics, layout.plan.time.id, day)) return false;
    const location = newLocation(day);
    const bytes = await Deno.readFile(output);
    await storage.create(location, bytes);
    const { metrics, unfit } = file;
    staged.files.push(dataFileOf(layout, { day, location, size: bytes.length, metrics }));
    staged.rows += Number(metrics.record_count);
    staged.bytes += bytes.length;
    staged.unfit += unfit;
    return true;
  } catch (error) {
    if (isRefusal(error)) return false;
    throw error;
  } finally {
    await Deno.remove(output).catch(() => {});
  }
}

/** DuckDB refuses data with these; anything else (a full disk, no memory) is not the records' fault. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error &&
    /^(Invalid Input Error|Conversion Error|Out of Range Error)/.test(error.message);
}

/** True if every row has a time, and its day is this one. */
function liesWithin(metrics: Metrics, timeId: number, day: string): boolean {
  const lower = metrics.lower_bounds?.get(timeId);
  const upper = metrics.upper_bounds?.get(timeId);
  if (lower === undefined || upper === undefined) return false;
  if (metrics.null_value_counts?.get(timeId) !== 0n) return false;
  const start = BigInt(dayNumber(day)) * DAY_US;
  return (decodeValue("timestamptz", lower) as bigint) >= start &&
    (decodeValue("timestamptz", upper) as bigint) < start + DAY_US;
}

/** The slow way: every line looked at, bad ones out, the rest by the day of their own time. */
async function sortOut(context: StageContext, staged: StagedFiles, file: DayFile): Promise<void> {
  const { db, layout, table } = context;
  const { good, bad } = await isolateBadLines(db, { plan: layout.plan, input: file.path });
  const byDay = new Map<string, GoodLine[]>();
  for (const line of good) {
    const text = new TextDecoder().decode(line.bytes);
    const day = dayOfParsed(table, (JSON.parse(text) as { v: unknown }).v);
    if (day === undefined) {
      bad.push({ ...line, error: noTime(table) });
      continue;
    }
    const lines = byDay.get(day);
    if (lines === undefined) byDay.set(day, [line]);
    else lines.push(line);
  }
  for (const [day, lines] of byDay) {
    const input = db.newPath(".ndjson");
    await Deno.writeFile(input, concatBytes(lines.map((line) => line.bytes)));
    const written = await writeDay(context, staged, { day, input });
    await Deno.remove(input);
    if (!written) {
      throw new Error(
        `Cannot write "${file.path}": rows of ${day} are refused after a look at each`,
      );
    }
  }
  for (const line of bad) staged.refused.push(refusedOf(file, line));
}

function noTime(table: TableName): FieldError {
  return {
    field: TIME_PATHS[table].join("."),
    expected: "an ISO 8601 date and time with Z or an offset",
    actual: "none",
  };
}

/** Takes a line apart again: `{"p":…,"o":…,"v":` is ASCII and short, the value may be any bytes. */
function refusedOf(file: DayFile, { line, bytes, error }: BadLine): Refused {
  const head = new TextDecoder("latin1").decode(bytes.subarray(0, LINE_EXTRA_BYTES_MAX * 2));
  const parts = /^\{"p":(null|\d+),"o":(null|\d+),"v":/.exec(head);
  if (parts === null) throw new Error(`Cannot read back line "${line}" of "${file.path}"`);
  const [start, p, o] = parts;
  return {
    ...originOf(file, line),
    value: bytes.slice(start.length, -LINE_END_BYTES),
    source: p === "null" ? undefined : { partition: Number(p), offset: Number(o) },
    error,
  };
}
