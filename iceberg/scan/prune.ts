/**
 * Which manifests and files a filter rules out, each with the reason: the proof of what was skipped.
 */

import { IcebergError } from "../errors.ts";
import { partitionTypes } from "../partition.ts";
import { parsePrimitive } from "../schema.ts";
import { decodeValue, valueToJson } from "../single_value.ts";
import { humanValue } from "../transforms.ts";
import type {
  DataFile,
  FieldSummary,
  ManifestFile,
  PartitionField,
  PartitionSpec,
  PrimitiveType,
  Schema,
  Value,
} from "../types.ts";
import type { BoundFilter, BoundPredicate } from "./filter.ts";
import { projectCondition } from "./project.ts";
import { mayMatch, rangeOfValue, type ValueRange } from "./range.ts";

/** What is known about a predicate's column: why it cannot hold, or undefined if it may. */
type Look = (predicate: BoundPredicate) => string | undefined;

/** Why no row can pass the filter; undefined if one may. */
function whyNone(filter: BoundFilter, look: Look): string | undefined {
  switch (filter.op) {
    case "true":
      return undefined;
    case "false":
      return filter.reason;
    case "predicate":
      return look(filter.predicate);
    case "and": {
      for (const one of filter.filters) {
        const reason = whyNone(one, look);
        if (reason !== undefined) return reason;
      }
      return undefined;
    }
    case "or": {
      const reasons: string[] = [];
      for (const one of filter.filters) {
        const reason = whyNone(one, look);
        if (reason === undefined) return undefined;
        reasons.push(reason);
      }
      return reasons.length === 0 ? "no alternative is left" : reasons.join(" and ");
    }
  }
}

/** What pruning needs to know about one partition spec. */
export interface SpecContext {
  readonly spec: PartitionSpec;
  readonly schema: Schema;
  /** Types of the partition values. */
  readonly types: readonly PrimitiveType[];
}

/** Makes the context of a spec. */
export function specContext(spec: PartitionSpec, schema: Schema): SpecContext {
  return { spec, schema, types: partitionTypes(spec, schema) };
}

/** Why no file of a manifest can have a matching row, by its partition summaries. */
export function whySkipManifest(
  filter: BoundFilter,
  manifest: ManifestFile,
  context: SpecContext,
): string | undefined {
  const summaries = manifest.partitions;
  if (summaries === undefined) return undefined;
  return whyNone(filter, (predicate) =>
    lookAtPartition(predicate, context, (index) => {
      const summary = summaries[index];
      return summary === undefined ? undefined : rangeOfSummary(summary, context.types[index]!);
    }));
}

/** Why no row of a file can match, by its partition, then by its column bounds. */
export function whySkipFile(
  filter: BoundFilter,
  file: DataFile,
  context: SpecContext,
): string | undefined {
  return whyNone(
    filter,
    (predicate) =>
      lookAtPartition(predicate, context, (index) => rangeOfValue(file.partition[index] ?? null)) ??
        lookAtBounds(predicate, file),
  );
}

function lookAtPartition(
  predicate: BoundPredicate,
  context: SpecContext,
  rangeAt: (index: number) => ValueRange | undefined,
): string | undefined {
  for (const [index, field] of context.spec.fields.entries()) {
    if (field["source-id"] !== predicate.fieldId) continue;
    const condition = projectCondition(field.transform, predicate);
    if (condition === undefined) continue;
    const range = rangeAt(index);
    if (range === undefined || mayMatch(condition, range)) continue;
    return `${describePredicate(predicate)} excludes ${field.name} ${
      describePartition(range, field, predicate.type)
    }`;
  }
  return undefined;
}

function lookAtBounds(predicate: BoundPredicate, file: DataFile): string | undefined {
  const range = rangeOfColumn(file, predicate);
  if (mayMatch(predicate, range)) return undefined;
  return `${describePredicate(predicate)} excludes ${predicate.column} ${
    describeRange(range, (value) => describeValue(predicate.type, value))
  }`;
}

function rangeOfSummary(summary: FieldSummary, type: PrimitiveType): ValueRange {
  const { lower_bound: lower, upper_bound: upper, contains_null: hasNull } = summary;
  const hasNaN = isFloat(type) ? summary.contains_nan ?? true : false;
  return {
    ...(lower === undefined ? {} : { lower: decodeValue(type, lower) }),
    ...(upper === undefined ? {} : { upper: decodeValue(type, upper) }),
    nulls: !hasNull ? "none" : lower === undefined && !hasNaN ? "all" : "some",
    nans: hasNaN ? "some" : "none",
  };
}

/** The range of a column in a file. A column without statistics (added later, not collected) may hold anything. */
export function rangeOfColumn(
  file: DataFile,
  column: Pick<BoundPredicate, "fieldId" | "type">,
): ValueRange {
  const { fieldId, type } = column;
  const values = file.value_counts?.get(fieldId);
  const nulls = file.null_value_counts?.get(fieldId);
  const nans = file.nan_value_counts?.get(fieldId);
  const lower = file.lower_bounds?.get(fieldId);
  const upper = file.upper_bounds?.get(fieldId);
  return {
    ...(lower === undefined ? {} : { lower: decodeValue(type, lower) }),
    ...(upper === undefined ? {} : { upper: decodeValue(type, upper) }),
    nulls: nulls === 0n ? "none" : nulls !== undefined && nulls === values ? "all" : "some",
    nans: !isFloat(type) || nans === 0n
      ? "none"
      : nans !== undefined && nans === values
      ? "all"
      : "some",
  };
}

function isFloat(type: PrimitiveType): boolean {
  const { kind } = parsePrimitive(type);
  return kind === "float" || kind === "double";
}

const SYMBOLS: Readonly<Record<string, string>> = {
  eq: "=",
  not_eq: "!=",
  lt: "<",
  lt_eq: "<=",
  gt: ">",
  gt_eq: ">=",
};

function describePredicate({ op, column, type, values }: BoundPredicate): string {
  const shown = values.slice(0, 3).map((value) => describeValue(type, value)).join(", ");
  const list = values.length > 3 ? `${shown}, … ${values.length} values` : shown;
  if (op === "in" || op === "not_in") return `${column} ${op} (${list})`;
  return [column, SYMBOLS[op] ?? op, list].filter((part) => part !== "").join(" ");
}

function describePartition(range: ValueRange, field: PartitionField, type: PrimitiveType): string {
  return describeRange(range, (value) => humanValue(field.transform, type, value));
}

function describeRange(range: ValueRange, show: (value: Value) => string): string {
  if (range.nulls === "all") return "null";
  if (range.nans === "all") return "NaN";
  const lower = range.lower === undefined ? "?" : show(range.lower);
  const upper = range.upper === undefined ? "?" : show(range.upper);
  return lower === upper ? lower : `${lower} to ${upper}`;
}

function describeValue(type: PrimitiveType, value: Value): string {
  try {
    return value instanceof Uint8Array ? value.toHex() : String(valueToJson(type, value));
  } catch (error) {
    // A filter may hold a value that the type cannot print (NaN); the reason must still be told.
    if (error instanceof IcebergError) return String(value);
    throw error;
  }
}
