/** What is known of a set of values, and whether a predicate can hold for any of them. */

import { compareValues } from "../compare.ts";
import type { PrimitiveType, Value } from "../types.ts";
import type { PredicateOp } from "./filter.ts";

/** How many of the values are something. */
export type Share = "none" | "some" | "all";

/** A set of values of one type, as far as statistics tell. */
export interface ValueRange {
  /** Not above any value that is neither null nor NaN. */
  readonly lower?: Value;
  /** Not below any value that is neither null nor NaN. */
  readonly upper?: Value;
  /** `some` also stands for unknown. */
  readonly nulls: Share;
  /** `some` also stands for unknown; `none` for types without NaN. */
  readonly nans: Share;
}

/** A condition on values of one type. */
export interface Condition {
  readonly op: PredicateOp;
  readonly type: PrimitiveType;
  readonly values: readonly Value[];
}

/** The range of a single value, as a partition has it. */
export function rangeOfValue(value: Value | null): ValueRange {
  if (value === null) return { nulls: "all", nans: "none" };
  if (typeof value === "number" && Number.isNaN(value)) return { nulls: "none", nans: "all" };
  return { lower: value, upper: value, nulls: "none", nans: "none" };
}

/** False only if no value of the range can fulfil the condition. */
export function mayMatch(condition: Condition, range: ValueRange): boolean {
  const { op, type, values } = condition;
  switch (op) {
    case "is_null":
      return range.nulls !== "none";
    case "not_null":
      return range.nulls !== "all";
    case "is_nan":
      return range.nans !== "none";
    case "not_nan":
      return range.nans !== "all";
    case "not_eq":
    case "not_in":
    case "not_starts_with":
      return !mustFulfil(condition, range);
  }
  if (range.nulls === "all") return false;
  // Where NaN lies depends on the engine (greatest, in DuckDB and Postgres).
  const nanMatters = op === "gt" || op === "gt_eq" || values.some(isNaNValue);
  if (nanMatters && range.nans !== "none") return true;
  if (values.some(isNaNValue)) return true;
  if (range.nans === "all") return false;
  const bounds = usableBounds(range);
  switch (op) {
    case "eq":
    case "in":
      return values.some((value) => contains(type, bounds, value));
    case "starts_with":
      return prefixMayMatch(bounds, values[0] as string);
    case "lt":
      return bounds.lower === undefined || compare(type, bounds.lower, values[0]!) < 0;
    case "lt_eq":
      return bounds.lower === undefined || compare(type, bounds.lower, values[0]!) <= 0;
    case "gt":
      return bounds.upper === undefined || compare(type, bounds.upper, values[0]!) > 0;
    case "gt_eq":
      return bounds.upper === undefined || compare(type, bounds.upper, values[0]!) >= 0;
  }
}

/** For the three negative operators: true if every value is certainly one of those excluded. */
function mustFulfil(condition: Condition, range: ValueRange): boolean {
  const { lower, upper } = usableBounds(range);
  if (range.nulls !== "none" || range.nans !== "none") return false;
  if (lower === undefined || upper === undefined) return false;
  if (condition.op === "not_starts_with") {
    const prefix = condition.values[0] as string;
    return (lower as string).startsWith(prefix) && (upper as string).startsWith(prefix);
  }
  if (compare(condition.type, lower, upper) !== 0) return false;
  return condition.values.some((value) => compare(condition.type, lower, value) === 0);
}

interface Bounds {
  readonly lower?: Value | undefined;
  readonly upper?: Value | undefined;
}

/** A NaN bound (older writers made them) says nothing. */
function usableBounds({ lower, upper }: ValueRange): Bounds {
  return {
    lower: isNaNValue(lower) ? undefined : lower,
    upper: isNaNValue(upper) ? undefined : upper,
  };
}

function contains(type: PrimitiveType, { lower, upper }: Bounds, value: Value): boolean {
  if (lower !== undefined && compare(type, lower, value) > 0) return false;
  return upper === undefined || compare(type, upper, value) >= 0;
}

/** A value with the prefix p lies in [p, p and anything after it]; only the first characters of bounds count. */
function prefixMayMatch({ lower, upper }: Bounds, prefix: string): boolean {
  const head = (text: string) => [...text].slice(0, [...prefix].length).join("");
  if (lower !== undefined && compareValues("string", head(lower as string), prefix) > 0) {
    return false;
  }
  return upper === undefined || compareValues("string", head(upper as string), prefix) >= 0;
}

/** As `compareValues`, but -0 equals 0, as it does in every filter. */
function compare(type: PrimitiveType, a: Value, b: Value): number {
  return a === 0 && b === 0 ? 0 : compareValues(type, a, b);
}

function isNaNValue(value: Value | undefined): boolean {
  return typeof value === "number" && Number.isNaN(value);
}
