/** DuckDB's statistics of a file it wrote, as Iceberg metrics (spec "Data File Fields", appendix D). Pure. */
import { BOUND_WIDTH_DEFAULT, truncateLower, truncateUpper } from "../iceberg/bounds.ts";
import { parsePrimitive } from "../iceberg/schema.ts";
import { encodeValue } from "../iceberg/single_value.ts";
import { textToDate, textToDecimal, textToMicros } from "../iceberg/text_values.ts";
import type { Metrics, PrimitiveType, Schema, Type, Value } from "../iceberg/types.ts";

/** What `COPY … (RETURN_STATS)` says about one leaf column; all numbers as text. */
export interface ColumnStats {
  column_size_bytes?: string;
  min?: string;
  max?: string;
  null_count?: string;
  num_values?: string;
  has_nan?: string;
}

/** What `COPY … (RETURN_STATS)` says about a file. */
export interface FileStats {
  count: bigint;
  /** By path: `"errors"."element"."field"`. */
  columns: Map<string, ColumnStats>;
}

interface Leaf {
  id: number;
  type: PrimitiveType;
  /** Inside a list or map: then counts and bounds have no agreed meaning, and none are written. */
  repeated: boolean;
}

function leavesOf(schema: Schema): Map<string, Leaf> {
  const leaves = new Map<string, Leaf>();
  function visit(id: number, type: Type, path: string[], repeated: boolean): void {
    if (typeof type === "string") {
      leaves.set(statsPath(path), { id, type, repeated });
      return;
    }
    switch (type.type) {
      case "struct":
        for (const field of type.fields) {
          visit(field.id, field.type, [...path, field.name], repeated);
        }
        return;
      case "list":
        return visit(type["element-id"], type.element, [...path, "element"], true);
      case "map":
        visit(type["key-id"], type.key, [...path, "key"], true);
        return visit(type["value-id"], type.value, [...path, "value"], true);
    }
  }
  for (const field of schema.fields) visit(field.id, field.type, [field.name], false);
  return leaves;
}

function statsPath(path: readonly string[]): string {
  return path.map((name) => `"${name.replaceAll('"', '""')}"`).join(".");
}

/**
 * Metrics of a file: sizes for every leaf, counts and bounds for those outside lists and maps. String
 * and binary bounds are cut to 16 code points or bytes, the upper one rounded up.
 */
export function metricsOf(
  stats: FileStats,
  schema: Schema,
  splitOffsets: readonly bigint[],
): Metrics {
  const metrics = {
    record_count: stats.count,
    column_sizes: new Map<number, bigint>(),
    value_counts: new Map<number, bigint>(),
    null_value_counts: new Map<number, bigint>(),
    nan_value_counts: new Map<number, bigint>(),
    lower_bounds: new Map<number, Uint8Array>(),
    upper_bounds: new Map<number, Uint8Array>(),
    split_offsets: [...splitOffsets],
  };
  const leaves = leavesOf(schema);
  for (const [path, column] of stats.columns) {
    const leaf = leaves.get(path);
    if (leaf === undefined) {
      throw new Error(`Cannot describe the Parquet file: its column ${path} is not in the schema`);
    }
    const { id, type, repeated } = leaf;
    setCount(metrics.column_sizes, id, column.column_size_bytes);
    if (repeated) continue;
    setCount(metrics.value_counts, id, column.num_values);
    setCount(metrics.null_value_counts, id, column.null_count);
    // DuckDB says whether there are NaN, not how many: only "none" is a count.
    const floating = type === "float" || type === "double";
    if (floating && column.has_nan !== "true") metrics.nan_value_counts.set(id, 0n);
    const { min, max } = column;
    if (min === undefined || max === undefined) continue;
    const lower = truncateLower(type, valueOfStat(type, min), BOUND_WIDTH_DEFAULT);
    const upper = truncateUpper(type, valueOfStat(type, max), BOUND_WIDTH_DEFAULT);
    metrics.lower_bounds.set(id, encodeValue(type, lower));
    if (upper !== undefined) metrics.upper_bounds.set(id, encodeValue(type, upper));
  }
  return metrics;
}

function setCount(counts: Map<number, bigint>, id: number, text: string | undefined): void {
  if (text !== undefined) counts.set(id, BigInt(text));
}

/** A minimum or maximum as DuckDB prints it: `2026-11-21 08:00:00.5+00`, `0`/`1` for a boolean. */
function valueOfStat(type: PrimitiveType, text: string): Value {
  const value = parseStat(type, text);
  if (value !== undefined) return value;
  throw new Error(`Cannot read statistic "${text}": not a value of type ${type}`);
}

function parseStat(type: PrimitiveType, text: string): Value | undefined {
  const shape = parsePrimitive(type);
  switch (shape.kind) {
    case "boolean":
      return text === "1" || text === "true"
        ? true
        : text === "0" || text === "false"
        ? false
        : undefined;
    case "int":
      return Number(text);
    case "long":
      return BigInt(text);
    case "float":
    case "double":
      return Number(text);
    case "date":
      return textToDate(text);
    case "time":
      return textToMicros("time", text);
    case "timestamp":
      return textToMicros("timestamp", text.replace(" ", "T"));
    case "timestamptz":
      return textToMicros("timestamptz", text.replace(" ", "T").replace(/([+-]\d\d)$/, "$1:00"));
    case "decimal":
      return textToDecimal(text, shape);
    case "string":
      return text;
    case "uuid":
      return text;
    case "fixed":
    case "binary":
      return undefined;
  }
}
