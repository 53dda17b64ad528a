/** Where the newest rows are, by the bounds of files alone: "the newest 50" need not open ten thousand files. Pure. */
import { decodeValue } from "../iceberg/single_value.ts";
import type { PlannedFile } from "../iceberg/scan/plan.ts";

/** Halvings of a range of time until it is narrow enough: a thousandth of a second of a year. */
const HALVINGS = 35;

/** Which rows are wanted. */
export interface NewestOptions {
  /** Field id of a timestamptz column. */
  fieldId: number;
  /** How many of the rows with the greatest values. */
  rows: number;
  /** Only values from this on. @default all */
  from?: bigint;
  /** Only values below this. @default all */
  to?: bigint;
}

interface Bounded {
  file: PlannedFile;
  lower: bigint;
  upper: bigint;
  /** Rows that certainly have a value. */
  rows: bigint;
}

function bounded(file: PlannedFile, fieldId: number): Bounded | undefined {
  const lower = file.file.lower_bounds?.get(fieldId);
  const upper = file.file.upper_bounds?.get(fieldId);
  const nulls = file.file.null_value_counts?.get(fieldId);
  // Deletes and unknown nulls make the count of rows a guess.
  if (lower === undefined || upper === undefined || nulls === undefined) return undefined;
  if (file.deletes.length > 0) return undefined;
  return {
    file,
    lower: decodeValue("timestamptz", lower) as bigint,
    upper: decodeValue("timestamptz", upper) as bigint,
    rows: file.record_count - nulls,
  };
}

/**
 * The files that can hold one of the newest rows, ties at the end included; all of them where bounds are
 * missing or there are not enough rows (then rows without a value count too).
 */
export function newestFiles(
  files: readonly PlannedFile[],
  options: NewestOptions,
): readonly PlannedFile[] {
  const { fieldId, rows, from, to } = options;
  const known = files.map((file) => bounded(file, fieldId)).filter((one) => one !== undefined);
  known.sort((a, b) => (a.lower < b.lower ? 1 : a.lower > b.lower ? -1 : 0));
  let left = BigInt(rows);
  // Of a file that reaches out of the range, not one row is certain.
  const isWithin = ({ lower, upper }: Bounded): boolean =>
    (from === undefined || lower >= from) && (to === undefined || upper < to);
  const last = known.find((one) => isWithin(one) && (left -= one.rows) <= 0n);
  if (last === undefined) return files;
  const old = new Set(known.filter((one) => one.upper < last.lower).map((one) => one.file));
  return files.filter((file) => !old.has(file));
}

/** Rows of a file from a time on, if they are evenly spread. */
function rowsFrom({ lower, upper, rows }: Span, from: number): number {
  if (from <= lower) return rows;
  return from > upper ? 0 : rows * (upper - from) / Math.max(1, upper - lower);
}

/** Times and rows of a file as numbers: an estimate need not be exact. */
interface Span {
  lower: number;
  upper: number;
  rows: number;
}

function spanOf({ lower, upper, rows }: Bounded, { from, to }: NewestOptions): Span {
  const [first, last] = [Number(lower), Number(upper)];
  const span = { lower: first, upper: last, rows: Number(rows) };
  const within = {
    lower: Math.max(first, Number(from ?? lower)),
    upper: Math.min(last, Number(to ?? upper)),
  };
  if (within.upper < within.lower) return { ...within, rows: 0 };
  const left = rowsFrom(span, within.lower) - rowsFrom(span, within.upper);
  // A file within the range has all of its rows in it, those at its last moment too.
  return { ...within, rows: last <= within.upper ? rowsFrom(span, within.lower) : left };
}

/** How many of the newest rows. */
export interface LikelyOptions extends NewestOptions {
  /** At least this share of all, 0 to 1. @default {0} */
  share?: number;
}

/**
 * A time that so many of the newest rows are probably not older than, if times are about evenly spread within each file;
 * undefined where there are hardly more rows than that, so that it would not be worth knowing.
 */
export function likelyStart(
  files: readonly PlannedFile[],
  options: LikelyOptions,
): bigint | undefined {
  const { fieldId, share = 0 } = options;
  const spans = files.map((file) => bounded(file, fieldId)).filter((one) => one !== undefined)
    .map((one) => spanOf(one, options)).filter((span) => span.rows > 0);
  const rowsSince = (from: number): number =>
    spans.reduce((sum, span) => sum + rowsFrom(span, from), 0);
  let enough = spans.reduce((least, { lower }) => Math.min(least, lower), Infinity);
  const all = rowsSince(enough);
  const rows = Math.max(options.rows, share * all);
  if (all < 2 * rows) return undefined;
  let tooFew = spans.reduce((most, { upper }) => Math.max(most, upper), -Infinity);
  for (let halving = 0; halving < HALVINGS && tooFew - enough > 1; halving++) {
    const middle = (enough + tooFew) / 2;
    if (rowsSince(middle) < rows) tooFew = middle;
    else enough = middle;
  }
  return BigInt(Math.floor(enough));
}
