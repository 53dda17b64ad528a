/**
 * From the conditions of a SELECT to what the planner may skip by. Only what cannot change the answer is
 * taken: DuckDB applies every condition again, so the rest merely reads more. Pure.
 */
import { DAY_US } from "../../contracts/timestamps.ts";
import { NAMESPACE } from "../../contracts/services.ts";
import type { ComparisonOp, Filter } from "../../iceberg/scan/filter.ts";
import type { PrimitiveType, Schema } from "../../iceberg/types.ts";
import { literalValue } from "./literals.ts";
import type { SelectScope, SqlNode, TableReference } from "./tree.ts";

/** A column that a condition speaks of. */
interface Column {
  name: string;
  type: PrimitiveType;
}

const COMPARISONS: Readonly<Record<string, ComparisonOp>> = {
  COMPARE_EQUAL: "eq",
  COMPARE_NOTEQUAL: "not_eq",
  COMPARE_LESSTHAN: "lt",
  COMPARE_LESSTHANOREQUALTO: "lt_eq",
  COMPARE_GREATERTHAN: "gt",
  COMPARE_GREATERTHANOREQUALTO: "gt_eq",
};

const FLIPPED: Readonly<Record<ComparisonOp, ComparisonOp>> = {
  eq: "eq",
  not_eq: "not_eq",
  lt: "gt",
  lt_eq: "gt_eq",
  gt: "lt",
  gt_eq: "lt_eq",
};

/** What a scope's conditions say about one of its tables. */
export interface Pushdown {
  filters: Filter[];
  /** Conditions that say nothing about this table that the planner could use. */
  unused: SqlNode[];
}

/** Options of {@linkcode pushDown}. */
export interface PushdownOptions {
  reference: TableReference;
  schema: Schema;
  /** Columns whose values the query sees changed (masked), in lower case. */
  hidden: ReadonlySet<string>;
}

/** Finds the conditions of a scope that hold for every row of a table that the answer can depend on. */
export function pushDown(scope: SelectScope, options: PushdownOptions): Pushdown {
  const filters: Filter[] = [];
  const unused: SqlNode[] = [];
  for (const condition of scope.conditions) {
    const filter = toFilter(condition, { ...options, single: scope.single });
    if (filter === undefined) unused.push(condition);
    else filters.push(filter);
  }
  return { filters, unused };
}

type Context = PushdownOptions & { single: boolean };

function toFilter(node: SqlNode, context: Context): Filter | undefined {
  const children = (node["children"] ?? []) as SqlNode[];
  switch (node["class"]) {
    case "COMPARISON":
      return comparison(node, context);
    case "BETWEEN":
      return between(node, context);
    case "CONJUNCTION": {
      const filters = children.map((child) => toFilter(child, context));
      const known = filters.filter((filter) => filter !== undefined);
      if (node["type"] === "CONJUNCTION_AND") {
        return known.length === 0 ? undefined : { op: "and", filters: known };
      }
      return known.length < filters.length ? undefined : { op: "or", filters: known };
    }
    case "COLUMN_REF":
      return flag(node, true, context);
    case "OPERATOR":
      return operator(String(node["type"]), children, context);
    default:
      return undefined;
  }
}

function operator(type: string, children: SqlNode[], context: Context): Filter | undefined {
  const [first, ...rest] = children;
  if (first === undefined) return undefined;
  if (type === "OPERATOR_NOT") return flag(first, false, context);
  const column = columnOf(first, context);
  if (column === undefined) return undefined;
  switch (type) {
    case "COMPARE_IN":
    case "COMPARE_NOT_IN": {
      const values = rest.map((child) => literalValue(child, column.type));
      const known = values.filter((value) => value !== undefined);
      if (known.length < values.length || known.length === 0) return undefined;
      return { op: type === "COMPARE_IN" ? "in" : "not_in", column: column.name, values: known };
    }
    case "OPERATOR_IS_NULL":
      // Beside an outer join a row that was left out would come back as nulls, which this accepts.
      return context.single ? { op: "is_null", column: column.name } : undefined;
    case "OPERATOR_IS_NOT_NULL":
      return { op: "not_null", column: column.name };
    default:
      return undefined;
  }
}

/** `WHERE is_flagged`, `WHERE NOT is_flagged`. */
function flag(node: SqlNode, value: boolean, context: Context): Filter | undefined {
  const column = columnOf(node, context);
  return column?.type === "boolean" ? { op: "eq", column: column.name, value } : undefined;
}

function comparison(node: SqlNode, context: Context): Filter | undefined {
  const op = COMPARISONS[String(node["type"])];
  if (op === undefined) return undefined;
  const [left, right] = [node["left"] as SqlNode, node["right"] as SqlNode];
  return compare(left, op, right, context) ?? compare(right, FLIPPED[op], left, context);
}

function between(node: SqlNode, context: Context): Filter | undefined {
  const input = node["input"] as SqlNode;
  const lower = compare(input, "gt_eq", node["lower"] as SqlNode, context);
  const upper = compare(input, "lt_eq", node["upper"] as SqlNode, context);
  const filters = [lower, upper].filter((filter) => filter !== undefined);
  return filters.length === 0 ? undefined : { op: "and", filters };
}

function compare(
  left: SqlNode,
  op: ComparisonOp,
  right: SqlNode,
  context: Context,
): Filter | undefined {
  const column = columnOf(left, context);
  if (column === undefined) return compareDay(left, op, right, context);
  const value = literalValue(right, column.type);
  return value === undefined ? undefined : { op, column: column.name, value };
}

/** `timestamp::DATE >= '2026-03-01'`: days are UTC days, as the time zone of every query is UTC. */
function compareDay(
  left: SqlNode,
  op: ComparisonOp,
  right: SqlNode,
  context: Context,
): Filter | undefined {
  const isDate = left["class"] === "CAST" && left["try_cast"] !== true &&
    (left["cast_type"] as SqlNode)["id"] === "DATE";
  const column = isDate ? columnOf(left["child"] as SqlNode, context) : undefined;
  if (column?.type !== "timestamptz") return undefined;
  const day = literalValue(right, "date");
  if (day === undefined) return undefined;
  const start = BigInt(day as number) * BigInt(DAY_US);
  const next = start + BigInt(DAY_US);
  const is = (one: ComparisonOp, value: bigint): Filter => ({
    op: one,
    column: column.name,
    value,
  });
  switch (op) {
    case "eq":
      return { op: "and", filters: [is("gt_eq", start), is("lt", next)] };
    case "lt":
      return is("lt", start);
    case "lt_eq":
      return is("lt", next);
    case "gt":
      return is("gt_eq", next);
    case "gt_eq":
      return is("gt_eq", start);
    case "not_eq":
      return undefined;
  }
}

/** The column of this table that a node names, if it names one. */
function columnOf(node: SqlNode, context: Context): Column | undefined {
  if (node["class"] !== "COLUMN_REF") return undefined;
  const { reference, schema, hidden } = context;
  const names = (node["column_names"] as string[]).map((name) => name.toLowerCase());
  const name = names.at(-1)!;
  const qualifier = names.slice(0, -1).join(".");
  const own = qualifier === "" || qualifier === reference.alias ||
    (reference.named && qualifier === `${NAMESPACE}.${reference.table}`);
  if (!own || hidden.has(name)) return undefined;
  const fields = schema.fields.filter((field) => field.name.toLowerCase() === name);
  const [field] = fields;
  if (fields.length !== 1 || field === undefined || typeof field.type !== "string") {
    return undefined;
  }
  return { name: field.name, type: field.type };
}
