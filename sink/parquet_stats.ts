/** DuckDB's statistics of a file it wrote, as Iceberg metrics (spec "Data File Fields", appendix D). Pure. */
import { parsePrimitive } from "../iceberg/schema.ts";
import { type ColumnStats as IcebergStats, metricsOf } from "../iceberg/stats.ts";
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
export function metricsOfFile(
  stats: FileStats,
  schema: Schema,
  splitOffsets: readonly bigint[],
): Metrics {
  const leaves = leavesOf(schema);
  const columns = [...stats.columns].map(([path, column]) => {
    const leaf = leaves.get(path);
    if (leaf !== undefined) return icebergStats(leaf, column);
    throw new Error(`Cannot describe the Parquet file: its column ${path} is not in the schema`);
  });
  return metricsOf(schema, {
    recordCount: stats.count,
    columns,
    splitOffsets: [...splitOffsets],
  });
}

function icebergStats({ id, type, repeated }: Leaf, column: ColumnStats): IcebergStats {
  const stats: IcebergStats = { fieldId: id };
  if (column.column_size_bytes !== undefined) stats.size = BigInt(column.column_size_bytes);
  if (repeated) return stats;
  if (column.num_values !== undefined) stats.valueCount = BigInt(column.num_values);
  if (column.null_count !== undefined) stats.nullCount = BigInt(column.null_count);
  // DuckDB says whether there are NaN, not how many: only "none" is a count.
  if (column.has_nan !== "true") stats.nanCount = 0n;
  if (column.min !== undefined) stats.lower = valueOfStat(type, column.min);
  if (column.max !== undefined) stats.upper = valueOfStat(type, column.max);
  return stats;
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
