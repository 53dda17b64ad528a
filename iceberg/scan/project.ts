/**
 * What a condition on a column implies for its partition value (spec "Partition Transforms": inclusive
 * projection): the projected condition holds for the partition of every row for which the condition holds.
 */

import { applyTransform, parseTransform, transformResultType } from "../transforms.ts";
import { parsePrimitive } from "../schema.ts";
import type { PrimitiveType, Transform, Value } from "../types.ts";
import type { Condition } from "./range.ts";

/** The condition on partition values; undefined if nothing follows for them. */
export function projectCondition(
  transform: Transform,
  condition: Condition,
): Condition | undefined {
  const shape = parseTransform(transform);
  const { op, type: source } = condition;
  if (shape.kind === "void" || shape.kind === "unknown") return undefined;
  const type = transformResultType(transform, source);
  if (shape.kind === "identity") return { ...condition, type };
  if (op === "is_null" || op === "not_null") return { op, type, values: [] };
  if (shape.kind === "bucket") {
    if (op !== "eq" && op !== "in") return undefined;
    return { op: "in", type, values: transformAll(transform, condition) };
  }
  const widened = shape.kind === "truncate"
    ? projectMonotonic(transform, condition, type)
    : widenNegative(projectMonotonic(transform, condition, type));
  return op === "starts_with" && shape.kind === "truncate"
    ? projectPrefix(shape.width, transform, condition, type)
    : widened;
}

function transformAll(transform: Transform, { type, values }: Condition): Value[] {
  return values.map((value) => applyTransform(transform, type, value) as Value);
}

/** Truncation and the units of time never decrease, so an order on values is one on partitions. */
function projectMonotonic(
  transform: Transform,
  condition: Condition,
  type: PrimitiveType,
): Condition | undefined {
  const { op, type: source, values } = condition;
  const at = (value: Value) => applyTransform(transform, source, value) as Value;
  switch (op) {
    case "lt":
      return { op: "lt_eq", type, values: [at(neighbour(source, values[0]!, -1))] };
    case "lt_eq":
      return { op: "lt_eq", type, values: [at(values[0]!)] };
    case "gt":
      return { op: "gt_eq", type, values: [at(neighbour(source, values[0]!, 1))] };
    case "gt_eq":
      return { op: "gt_eq", type, values: [at(values[0]!)] };
    case "eq":
    case "in":
      return { op: "in", type, values: transformAll(transform, condition) };
    default:
      return undefined;
  }
}

/** The next smaller or larger value of a discrete type; the value itself of others, which is only less sharp. */
function neighbour(type: PrimitiveType, value: Value, step: 1 | -1): Value {
  switch (parsePrimitive(type).kind) {
    case "int":
    case "date":
      return (value as number) + step;
    case "long":
    case "decimal":
    case "timestamp":
    case "timestamptz":
      return (value as bigint) + BigInt(step);
    default:
      return value;
  }
}

/**
 * Old Java writers rounded times before 1970 towards zero, one unit too late; as Java does, projections of negative
 * units also admit the next one.
 */
function widenNegative(condition: Condition | undefined): Condition | undefined {
  if (condition === undefined) return undefined;
  const { op, values } = condition;
  const next = (value: Value) => (value as number) < 0 ? (value as number) + 1 : value;
  if (op === "lt_eq") return { ...condition, values: values.map(next) };
  if (op === "in") return { ...condition, values: [...new Set([...values, ...values.map(next)])] };
  return condition;
}

function projectPrefix(
  width: number,
  transform: Transform,
  condition: Condition,
  type: PrimitiveType,
): Condition {
  const prefix = condition.values[0] as string;
  if ([...prefix].length < width) return { op: "starts_with", type, values: [prefix] };
  return { op: "eq", type, values: transformAll(transform, condition) };
}
