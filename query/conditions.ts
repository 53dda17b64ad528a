/** Conditions on columns: one description that makes both the SQL and the pruning filter. */
import { parseAmount } from "../contracts/money.ts";
import { parseTimestamp, printTimestamp } from "../contracts/timestamps.ts";
import type { ComparisonOp, Filter } from "../iceberg/scan/filter.ts";
import type { Value } from "../iceberg/types.ts";

/** How a column is compared. */
export type Comparison = "=" | "<" | "<=" | ">" | ">=";

/**
 * `column op value` or `column IN values`; all of a list hold at once. Values are SQL-typed texts:
 * timestamps as ISO 8601 in UTC, decimals and numbers as digits, booleans as `true`/`false`.
 */
export interface Condition {
  column: string;
  op: Comparison | "in";
  values: readonly string[];
  type: "string" | "timestamptz" | "decimal" | "boolean" | "number";
}

/** A text as an SQL literal. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A name as an SQL identifier. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function literal(type: Condition["type"], value: string): string {
  if (type === "string") return quoteText(value);
  if (type === "timestamptz") return `TIMESTAMPTZ ${quoteText(value)}`;
  return value;
}

/** The condition as SQL; `alias` names the relation. */
export function conditionSql(condition: Condition, alias: string): string {
  const { column, op, values, type } = condition;
  const left = `${alias}.${quoteName(column)}`;
  if (op === "in") return `${left} IN (${values.map((v) => literal(type, v)).join(", ")})`;
  return `${left} ${op} ${literal(type, values[0]!)}`;
}

const OPERATORS: Readonly<Record<Comparison, ComparisonOp>> = {
  "=": "eq",
  "<": "lt",
  "<=": "lt_eq",
  ">": "gt",
  ">=": "gt_eq",
};

/** The value as the planner compares it: µs and ten-thousandths as bigint. */
function plannerValue(type: Condition["type"], text: string): Value | undefined {
  switch (type) {
    case "string":
      return text;
    case "boolean":
      return text === "true";
    case "timestamptz": {
      const us = parseTimestamp(text);
      return us === undefined ? undefined : BigInt(us);
    }
    case "decimal": {
      const verdict = parseAmount(text);
      return verdict.ok ? verdict.units : verdict.reason === "zero" ? 0n : undefined;
    }
    case "number":
      return undefined;
  }
}

/**
 * What the planner may skip files by. A value that it cannot compare leaves its condition to DuckDB,
 * which applies all of them anyway: pruning only ever saves reading.
 */
export function pruningFilter(conditions: readonly Condition[]): Filter {
  const filters = conditions.flatMap(({ column, op, values, type }): Filter[] => {
    const planned = values.map((value) => plannerValue(type, value));
    if (planned.includes(undefined)) return [];
    const known = planned as Value[];
    return op === "in"
      ? [{ op: "in", column, values: known }]
      : [{ op: OPERATORS[op], column, value: known[0]! }];
  });
  return { op: "and", filters };
}

/** Half-open event-time range as conditions on `column`. */
export function rangeConditions(
  column: string,
  range: { fromUs: number; toUs?: number },
): Condition[] {
  const from: Condition = {
    column,
    op: ">=",
    values: [printTimestamp(range.fromUs)],
    type: "timestamptz",
  };
  if (range.toUs === undefined) return [from];
  return [from, { column, op: "<", values: [printTimestamp(range.toUs)], type: "timestamptz" }];
}
