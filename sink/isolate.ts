/**
 * One line that DuckDB cannot read fails its whole statement. This finds such lines and takes them out.
 * DuckDB alone decides, so that a record's fate does not depend on its neighbours; what certainly fails is
 * taken out first, because finding k lines by halves costs k·log(n) statements.
 */
import { readSpoolSql, selectSql, type TablePlan } from "./columns.ts";
import type { DuckDb } from "./duckdb.ts";
import type { FieldError } from "../contracts/dead_letter.ts";

/** A line that cannot be stored. */
export interface BadLine {
  /** From 0. */
  line: number;
  /** With its line end. */
  bytes: Uint8Array;
  error: FieldError;
}

/** A line that can be stored. */
export interface GoodLine {
  /** From 0. */
  line: number;
  /** With its line end. */
  bytes: Uint8Array;
}

/** Options of {@linkcode isolateBadLines}. */
export interface IsolateOptions {
  plan: TablePlan;
  /** Spool file. */
  input: string;
}

const NEWLINE = 0x0a;
const ACTUAL_LENGTH_MAX = 200;

/** Separates the lines of a spool file, each group in order. */
export async function isolateBadLines(
  db: DuckDb,
  options: IsolateOptions,
): Promise<{ good: GoodLine[]; bad: BadLine[] }> {
  const { plan, input } = options;
  const bytes = await Deno.readFile(input);
  const lines = splitLines(bytes);
  const bad = new Map<number, FieldError>();
  for (let line = 0; line < lines.length; line++) {
    const error = certainError(lines[line]!);
    if (error !== undefined) bad.set(line, error);
  }
  const search = async (from: number, to: number): Promise<void> => {
    const rest: Uint8Array[] = [];
    for (let line = from; line < to; line++) if (!bad.has(line)) rest.push(lines[line]!);
    if (rest.length === 0) return;
    const trial = db.newPath(".ndjson");
    await Deno.writeFile(trial, concatBytes(rest));
    const message = await refusal(db, plan, trial);
    await Deno.remove(trial);
    if (message === undefined) return;
    if (to - from === 1) {
      bad.set(from, { field: "$", expected: "a record that fits the table", actual: message });
      return;
    }
    const middle = (from + to) >>> 1;
    await search(from, middle);
    await search(middle, to);
  };
  await search(0, lines.length);
  return {
    good: lines.map((bytes, line) => ({ line, bytes })).filter(({ line }) => !bad.has(line)),
    bad: [...bad].sort(([a], [b]) => a - b)
      .map(([line, error]) => ({ line, bytes: lines[line]!, error })),
  };
}

/** Why DuckDB refuses a file; undefined if it reads every column of every line. */
async function refusal(db: DuckDb, plan: TablePlan, path: string): Promise<string | undefined> {
  try {
    await db.rows(
      `SELECT bit_xor(hash(every)) FROM (SELECT ${selectSql(plan)} FROM ${
        readSpoolSql(plan, path)
      }) AS every`,
    );
    return undefined;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    // DuckDB's first line says it; then come its hints on how to guess better, and the path.
    return shorten(message.split("\n")[0]!.replaceAll(path, "the record"));
  }
}

/** Lines with their line ends, as views. */
export function splitLines(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let start = 0; start < bytes.length;) {
    const at = bytes.indexOf(NEWLINE, start);
    const end = at === -1 ? bytes.length : at + 1;
    lines.push(bytes.subarray(start, end));
    start = end;
  }
  return lines;
}

/** Joins byte strings. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** What surely fails: bytes that are no UTF-8, no JSON, no object, or half a surrogate pair in a text. */
export function certainError(line: Uint8Array): FieldError | undefined {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(line);
  } catch {
    return { field: "$", expected: "UTF-8", actual: "bytes that are none" };
  }
  let value: unknown;
  try {
    value = (JSON.parse(text) as { v: unknown }).v;
  } catch (error) {
    return { field: "$", expected: "JSON", actual: shorten((error as Error).message) };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { field: "$", expected: "a JSON object", actual: shorten(JSON.stringify(value)) };
  }
  // Only an escape can make one, so most lines need no look into their texts.
  return /\\u[dD][89a-fA-F]/.test(text) ? brokenText(value, "") : undefined;
}

function brokenText(value: unknown, path: string): FieldError | undefined {
  if (typeof value === "string") {
    return value.isWellFormed() ? undefined : {
      field: path,
      expected: "a text of whole characters",
      actual: shorten(JSON.stringify(value)),
    };
  }
  if (typeof value !== "object" || value === null) return undefined;
  for (const [key, item] of Object.entries(value)) {
    const name = path === "" ? key : `${path}.${key}`;
    const error = brokenText(key, "$") ?? brokenText(item, name);
    if (error !== undefined) return error;
  }
  return undefined;
}

function shorten(text: string): string {
  return text.length <= ACTUAL_LENGTH_MAX ? text : text.slice(0, ACTUAL_LENGTH_MAX) + "…";
}
