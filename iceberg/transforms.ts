/** Partition transforms (spec "Partition Transforms", Appendix B). All are pure; null stays null. */
import { encodeUtf8 } from "./bytes.ts";
import { firstCodePoints } from "./bounds.ts";
import { IcebergError } from "./errors.ts";
import { murmur3 } from "./murmur3.ts";
import { parsePrimitive, type PrimitiveShape } from "./schema.ts";
import { bigintToBytes, uuidToBytes, valueToJson } from "./single_value.ts";
import { civilDate, dateToText, floorDiv, yearToText } from "./text_values.ts";
import type { PrimitiveType, Transform, Value } from "./types.ts";

/** A transform taken apart. `width` is the number of buckets or the width to truncate to. */
export type TransformShape =
  | { kind: "identity" | "void" | TimeUnit }
  | { kind: "bucket" | "truncate"; width: number }
  | { kind: "unknown" };

type TimeUnit = "year" | "month" | "day" | "hour";

const HOUR_MICROS = 3_600_000_000n;
const DAY_MICROS = 86_400_000_000n;
const WITH_WIDTH = /^(bucket|truncate)\[\s*(\d+)\s*\]$/;
const INT32_MAX = 0x7fffffff;
const TEMPORAL = ["date", "timestamp", "timestamptz"];
const BUCKETED = [
  "int",
  "long",
  "decimal",
  "time",
  ...TEMPORAL,
  "string",
  "uuid",
  "fixed",
  "binary",
];
const TRUNCATED = ["int", "long", "decimal", "string", "binary"];

const parsed = new Map<string, TransformShape>();

/** Takes a transform apart; one this library does not know is `{ kind: "unknown" }`, never an error. */
export function parseTransform(transform: Transform): TransformShape {
  let shape = parsed.get(transform);
  if (shape === undefined) parsed.set(transform, shape = parse(transform));
  return shape;
}

function parse(transform: string): TransformShape {
  const text = transform.toLowerCase();
  switch (text) {
    case "identity":
    case "void":
    case "year":
    case "month":
    case "day":
    case "hour":
      return { kind: text };
  }
  const match = WITH_WIDTH.exec(text);
  const width = Number(match?.[2]);
  if (match === null || width < 1 || width > INT32_MAX) return { kind: "unknown" };
  return { kind: match[1] as "bucket" | "truncate", width };
}

/** The type of the partition values. Throws IcebergError if the transform does not take the type. */
export function transformResultType(transform: Transform, source: PrimitiveType): PrimitiveType {
  const shape = parseTransform(transform);
  checkSource(transform, shape, source);
  switch (shape.kind) {
    case "identity":
    case "void":
    case "truncate":
      return source;
    case "day":
      return "date";
    case "unknown":
      // What the writer stored is not known; Java, too, reads such partition values as text.
      return "string";
    default:
      return "int";
  }
}

function checkSource(transform: Transform, shape: TransformShape, source: PrimitiveType): void {
  const { kind } = parsePrimitive(source);
  const allowed = {
    identity: undefined,
    void: undefined,
    unknown: undefined,
    year: TEMPORAL,
    month: TEMPORAL,
    day: TEMPORAL,
    hour: ["timestamp", "timestamptz"],
    bucket: BUCKETED,
    truncate: TRUNCATED,
  }[shape.kind];
  if (allowed === undefined || allowed.includes(kind)) return;
  throw new IcebergError(`Cannot apply "${transform}" to a ${source}: takes ${allowed.join(", ")}`);
}

/**
 * The partition value of a column's value. Throws IcebergError for a transform this library does not
 * know: writers must not write such a table (spec "Partitioning").
 */
export function applyTransform(
  transform: Transform,
  source: PrimitiveType,
  value: Value | null,
): Value | null {
  const shape = parseTransform(transform);
  checkSource(transform, shape, source);
  if (value === null) return null;
  switch (shape.kind) {
    case "identity":
      return value;
    case "void":
      return null;
    case "unknown":
      throw new IcebergError(`Cannot apply "${transform}": unknown transform`);
    case "bucket":
      return (hashValue(source, value) & INT32_MAX) % shape.width;
    case "truncate":
      return truncate(parsePrimitive(source), value, shape.width);
    default:
      return timeUnit(shape.kind, source, value);
  }
}

function timeUnit(unit: TimeUnit, source: PrimitiveType, value: Value): number {
  if (unit === "hour") return Number(floorDiv(value as bigint, HOUR_MICROS));
  const days = source === "date" ? value as number : Number(floorDiv(value as bigint, DAY_MICROS));
  if (unit === "day") return days;
  const { year, month } = civilDate(days);
  return unit === "year" ? year - 1970 : (year - 1970) * 12 + month - 1;
}

function truncate(source: PrimitiveShape, value: Value, width: number): Value {
  switch (source.kind) {
    case "int": {
      const int = value as number;
      return int - (((int % width) + width) % width);
    }
    case "string":
      return firstCodePoints(value as string, width);
    case "binary":
      return (value as Uint8Array).slice(0, width);
    default:
      return floorDiv(value as bigint, BigInt(width)) * BigInt(width);
  }
}

/** The 32-bit hash of a value (spec Appendix B), also of the types that `bucket` does not take. */
export function hashValue(source: PrimitiveType, value: Value): number {
  switch (parsePrimitive(source).kind) {
    case "boolean":
      return hashLong(value ? 1n : 0n);
    case "int":
    case "date":
      return hashLong(BigInt(value as number));
    case "long":
    case "time":
    case "timestamp":
    case "timestamptz":
      return hashLong(value as bigint);
    case "float":
    case "double":
      return hashDouble(value as number);
    case "decimal":
      return murmur3(bigintToBytes(value as bigint));
    case "string":
      return murmur3(encodeUtf8(value as string));
    case "uuid":
      return murmur3(uuidToBytes(value as string));
    case "fixed":
    case "binary":
      return murmur3(value as Uint8Array);
  }
}

function hashLong(value: bigint): number {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, value, true);
  return murmur3(bytes);
}

function hashDouble(value: number): number {
  const bytes = new Uint8Array(8);
  // One zero and one NaN: -0 and other NaN patterns must hash alike (Appendix B, note 5).
  new DataView(bytes.buffer).setFloat64(0, value === 0 ? 0 : value, true);
  return murmur3(bytes);
}

/**
 * A partition value as text for people and for partition paths: `2026`, `2026-11`, `2026-11-21`,
 * `2026-11-21-07`, `null`; bytes as base64, everything else as in JSON.
 */
export function humanValue(
  transform: Transform,
  source: PrimitiveType,
  value: Value | null,
): string {
  if (value === null) return "null";
  switch (parseTransform(transform).kind) {
    case "year":
      return yearToText((value as number) + 1970);
    case "month": {
      const months = value as number;
      const year = 1970 + Math.floor(months / 12);
      return `${yearToText(year)}-${String(((months % 12) + 12) % 12 + 1).padStart(2, "0")}`;
    }
    case "day":
      return dateToText(value as number);
    case "hour": {
      const hours = value as number;
      const days = Math.floor(hours / 24);
      return `${dateToText(days)}-${String(hours - days * 24).padStart(2, "0")}`;
    }
    case "bucket":
      return String(value);
    case "unknown":
      return String(value);
    default:
      if (value instanceof Uint8Array) return value.toBase64();
      return String(valueToJson(source, value));
  }
}
