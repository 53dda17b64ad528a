/**
 * Checks join on partition and raw offset alone. So they are run on one range of offsets after the other, with
 * a bounded number of records each: some of DuckDB's joins cannot spill to disk.
 */
import { LARGE_TABLES } from "./facts.ts";
import type { Scratch } from "./scratch.ts";

/** Most raw offsets in one slice. */
export const SLICE_OFFSETS_MAX = 60_000;

/** A range of raw offsets, from (inclusive) to (exclusive). */
export interface Slice {
  /** Undefined: partitions that do not exist, and what has no lineage at all. */
  partition: number | undefined;
  /** Undefined: from the first on; records that name no raw offset are in it too. */
  from: number | undefined;
  /** Undefined: to the last, however far beyond the end that is. */
  to: number | undefined;
}

/** What belongs to no partition of the raw topic. */
export const REST_SLICE: Slice = { partition: undefined, from: undefined, to: undefined };

/** Cuts up one partition. Pure. */
export function slicesOf(
  { partition, start, end }: { partition: number; start: number; end: number },
): Slice[] {
  const slices: Slice[] = [];
  let from: number | undefined;
  for (let to = start + SLICE_OFFSETS_MAX; to < end; to += SLICE_OFFSETS_MAX) {
    slices.push({ partition, from, to });
    from = to;
  }
  slices.push({ partition, from, to: undefined });
  return slices;
}

/** Puts a slice of each large table under its plain name. */
export async function cutSlice(scratch: Scratch, slice: Slice): Promise<void> {
  const { partition, from, to } = slice;
  const conditions = partition === undefined
    ? ["p NOT IN (SELECT p FROM cut)"]
    : [`p = ${partition}`, ...rangeOf(from, to)];
  for (const name of Object.keys(LARGE_TABLES)) {
    // Rows of unstorable alerts carry an offset of another topic.
    const own = name === "table_row" ? ["of_alert = 0"] : [];
    await scratch.run(
      `CREATE OR REPLACE TEMP TABLE ${name} AS SELECT * FROM all_${name}
        WHERE ${[...conditions, ...own].join(" AND ")}`,
    );
  }
}

function rangeOf(from: number | undefined, to: number | undefined): string[] {
  if (from === undefined) return to === undefined ? [] : [`(o < ${to} OR o IS NULL)`];
  return to === undefined ? [`o >= ${from}`] : [`o >= ${from}`, `o < ${to}`];
}
