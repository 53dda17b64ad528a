/**
 * Filters as data: a tree of predicates on columns, bound to field ids before use. Planning only asks
 * what a filter can exclude, so wherever engines differ (nulls under NOT, the order of NaN) it keeps the file.
 */

import { IcebergError } from "../errors.ts";
import { fieldIndex } from "../schema.ts";
import { parsePrimitive } from "../schema.ts";
import type { PrimitiveType, Schema, Value } from "../types.ts";

/** Operators with one value. */
export type ComparisonOp = "eq" | "not_eq" | "lt" | "lt_eq" | "gt" | "gt_eq";
/** Operators on strings with one value. */
export type PrefixOp = "starts_with" | "not_starts_with";
/** Operators with a list of values. */
export type SetOp = "in" | "not_in";
/** Operators without a value. */
export type UnaryOp = "is_null" | "not_null" | "is_nan" | "not_nan";
/** Any operator of a predicate. */
export type PredicateOp = ComparisonOp | PrefixOp | SetOp | UnaryOp;

/**
 * A filter. Columns are named from the top (`address.city`); values are as `Value` in types.ts says for
 * the column's type (`valueFromJson` reads them from JSON).
 */
export type Filter =
  | { readonly op: "true" }
  | { readonly op: "false" }
  | { readonly op: "and" | "or"; readonly filters: readonly Filter[] }
  | { readonly op: "not"; readonly filter: Filter }
  | { readonly op: ComparisonOp | PrefixOp; readonly column: string; readonly value: Value }
  | { readonly op: SetOp; readonly column: string; readonly values: readonly Value[] }
  | { readonly op: UnaryOp; readonly column: string };

/** A predicate on a field id. */
export interface BoundPredicate {
  readonly op: PredicateOp;
  readonly fieldId: number;
  readonly column: string;
  readonly type: PrimitiveType;
  /** None for unary operators, one for comparisons, any number for sets. */
  readonly values: readonly Value[];
}

/** A bound filter; no `not` is left in it. */
export type BoundFilter =
  | { readonly op: "true" }
  | { readonly op: "false"; readonly reason: string }
  | { readonly op: "and" | "or"; readonly filters: readonly BoundFilter[] }
  | { readonly op: "predicate"; readonly predicate: BoundPredicate };

/**
 * Binds a filter to a schema and removes every `not`.
 *
 * @throws {IcebergError} for a column that is not there, is nested in a list or map, or is no primitive, and for a
 * value of another type
 */
export function bindFilter(filter: Filter, schema: Schema): BoundFilter {
  switch (filter.op) {
    case "true":
      return { op: "true" };
    case "false":
      return { op: "false", reason: "the filter is false" };
    case "and":
    case "or":
      return { op: filter.op, filters: filter.filters.map((one) => bindFilter(one, schema)) };
    case "not":
      return negateFilter(bindFilter(filter.filter, schema));
    default:
      return { op: "predicate", predicate: bindPredicate(filter, schema) };
  }
}

function bindPredicate(
  filter: Extract<Filter, { column: string }>,
  schema: Schema,
): BoundPredicate {
  const { op, column } = filter;
  const field = [...fieldIndex(schema).values()].find((one) => one.path === column);
  const problem = (reason: string) => new IcebergError(`Cannot filter by "${column}": ${reason}`);
  if (field === undefined) throw problem("there is no such column");
  if (field.repeated) throw problem("it is inside a list or a map");
  if (typeof field.type !== "string") throw problem("it is not of a primitive type");
  const type = field.type;
  const { kind } = parsePrimitive(type);
  if ((op === "starts_with" || op === "not_starts_with") && kind !== "string") {
    throw problem(`${op} takes a string column, this one is ${type}`);
  }
  if ((op === "is_nan" || op === "not_nan") && kind !== "float" && kind !== "double") {
    throw problem(`${op} takes a float or double column, this one is ${type}`);
  }
  const values = "value" in filter ? [filter.value] : "values" in filter ? filter.values : [];
  for (const value of values) {
    const expected = VALUE_TYPES[kind];
    const found = value instanceof Uint8Array ? "Uint8Array" : typeof value;
    if (found !== expected) throw problem(`${type} takes a ${expected}, got a ${found}`);
  }
  return { op, fieldId: field.id, column, type, values };
}

const VALUE_TYPES: Readonly<Record<string, string>> = {
  boolean: "boolean",
  int: "number",
  date: "number",
  float: "number",
  double: "number",
  long: "bigint",
  time: "bigint",
  timestamp: "bigint",
  timestamptz: "bigint",
  decimal: "bigint",
  string: "string",
  uuid: "string",
  fixed: "Uint8Array",
  binary: "Uint8Array",
};

const NEGATED: Readonly<Record<PredicateOp, PredicateOp>> = {
  eq: "not_eq",
  not_eq: "eq",
  lt: "gt_eq",
  lt_eq: "gt",
  gt: "lt_eq",
  gt_eq: "lt",
  in: "not_in",
  not_in: "in",
  starts_with: "not_starts_with",
  not_starts_with: "starts_with",
  is_null: "not_null",
  not_null: "is_null",
  is_nan: "not_nan",
  not_nan: "is_nan",
};

/** A filter that holds at least for every row for which the given one does not hold, nulls included. */
export function negateFilter(filter: BoundFilter): BoundFilter {
  switch (filter.op) {
    case "true":
      return { op: "false", reason: "the filter is false" };
    case "false":
      return { op: "true" };
    case "and":
    case "or":
      return {
        op: filter.op === "and" ? "or" : "and",
        filters: filter.filters.map(negateFilter),
      };
    case "predicate":
      return negatePredicate(filter.predicate);
  }
}

function negatePredicate(predicate: BoundPredicate): BoundFilter {
  const { op, type } = predicate;
  const leaf = (other: PredicateOp, values = predicate.values): BoundFilter => ({
    op: "predicate",
    predicate: { ...predicate, op: other, values },
  });
  const negated = leaf(NEGATED[op]);
  if (op === "is_null" || op === "not_null") return negated;
  // A comparison with null is neither true nor false; one with NaN depends on the engine.
  const filters = [negated, leaf("is_null", [])];
  if (type === "float" || type === "double") filters.push(leaf("is_nan", []));
  return { op: "or", filters };
}

/** The field ids a filter looks at. */
export function filterFieldIds(filter: BoundFilter): Set<number> {
  switch (filter.op) {
    case "and":
    case "or":
      return new Set(filter.filters.flatMap((one) => [...filterFieldIds(one)]));
    case "predicate":
      return new Set([filter.predicate.fieldId]);
    default:
      return new Set();
  }
}
