/** Which files hold the newest rows, by their bounds alone: "the newest 50" need not open ten thousand files. */
import { decodeValue } from "../iceberg/single_value.ts";
import type { PlannedFile } from "../iceberg/scan/plan.ts";

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
