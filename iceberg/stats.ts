/** Column statistics of a data file, from values to the maps of a manifest entry (spec "Data File Fields"). */
import { BOUND_WIDTH_DEFAULT, truncateLower, truncateUpper } from "./bounds.ts";
import { IcebergError } from "./errors.ts";
import { fieldIndex } from "./schema.ts";
import { encodeValue } from "./single_value.ts";
import type { Metrics, PrimitiveType, Schema, Value } from "./types.ts";

/** What is known of one column of one file, as plain values. */
export interface ColumnStats {
  fieldId: number;
  /** Bytes on disk. */
  size?: bigint;
  /** Values, nulls and NaN included; for a column inside a list, of all items. */
  valueCount?: bigint;
  nullCount?: bigint;
  nanCount?: bigint;
  /** Smallest and largest of the values that are neither null nor NaN; null or absent = none known. */
  lower?: Value | null;
  upper?: Value | null;
}

/** How {@linkcode metricsOf} works. */
export interface MetricsOptions {
  recordCount: bigint;
  columns: readonly ColumnStats[];
  /** Offsets of the row groups in bytes, ascending. */
  splitOffsets?: bigint[];
  /**
   * Bounds of strings and bytes are cut to this many code points or bytes; a UUID-like column needs 36.
   * @default {BOUND_WIDTH_DEFAULT}
   */
  boundWidth?: number | ((fieldId: number) => number);
}

/**
 * The statistics of a file by field id. Bounds are cut so that they still hold (lower rounded down,
 * upper up); a bound that is NaN, or an upper bound that cannot be rounded up, is left out. Zeros get
 * the sign that makes the bound safe (-0 below, +0 above). Throws IcebergError for a column that the
 * schema does not have or a value that does not fit its type.
 */
export function metricsOf(schema: Schema, options: MetricsOptions): Metrics {
  const { recordCount, columns, splitOffsets, boundWidth = BOUND_WIDTH_DEFAULT } = options;
  const widthOf = typeof boundWidth === "number" ? () => boundWidth : boundWidth;
  const metrics = {
    record_count: recordCount,
    column_sizes: new Map<number, bigint>(),
    value_counts: new Map<number, bigint>(),
    null_value_counts: new Map<number, bigint>(),
    nan_value_counts: new Map<number, bigint>(),
    lower_bounds: new Map<number, Uint8Array>(),
    upper_bounds: new Map<number, Uint8Array>(),
    ...(splitOffsets === undefined ? {} : { split_offsets: splitOffsets }),
  };
  for (const column of columns) {
    const { fieldId: id, size, valueCount, nullCount, nanCount } = column;
    const type = columnType(schema, id);
    if (size !== undefined) metrics.column_sizes.set(id, size);
    if (valueCount !== undefined) metrics.value_counts.set(id, valueCount);
    if (nullCount !== undefined) metrics.null_value_counts.set(id, nullCount);
    if (nanCount !== undefined && isFloat(type)) metrics.nan_value_counts.set(id, nanCount);
    const { lower, upper } = encodeBounds(type, column, widthOf(id));
    if (lower !== undefined) metrics.lower_bounds.set(id, lower);
    if (upper !== undefined) metrics.upper_bounds.set(id, upper);
  }
  return metrics;
}

function columnType(schema: Schema, id: number): PrimitiveType {
  const field = fieldIndex(schema).get(id);
  if (field !== undefined && typeof field.type === "string") return field.type;
  throw new IcebergError(
    `Cannot describe column ${id}: ${field === undefined ? "no such field" : "not a primitive"}`,
  );
}

function isFloat(type: PrimitiveType): boolean {
  return type === "float" || type === "double";
}

/** The encoded bounds of a column; undefined where there is none. */
export function encodeBounds(
  type: PrimitiveType,
  { lower, upper }: Pick<ColumnStats, "lower" | "upper">,
  width: number,
): { lower: Uint8Array | undefined; upper: Uint8Array | undefined } {
  const low = usable(lower) ? truncateLower(type, lower, width) : undefined;
  const high = usable(upper) ? truncateUpper(type, upper, width) : undefined;
  return {
    lower: low === undefined ? undefined : encodeValue(type, low === 0 && isFloat(type) ? -0 : low),
    upper: high === undefined
      ? undefined
      : encodeValue(type, high === 0 && isFloat(type) ? 0 : high),
  };
}

function usable(value: Value | null | undefined): value is Value {
  return value !== null && value !== undefined && !Number.isNaN(value);
}
