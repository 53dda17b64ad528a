/**
 * Literals of SQL as values that the planner compares. A literal counts only where DuckDB would compare
 * exactly this value with the column: where types mix in a way that rounds, there is none, and the
 * condition is left to DuckDB. Pure.
 */
import { DAY_US } from "../../contracts/timestamps.ts";
import { parsePrimitive } from "../../iceberg/schema.ts";
import type { PrimitiveType, Value } from "../../iceberg/types.ts";
import { type ParsedTime, parseTime } from "../times.ts";
import type { SqlNode } from "./tree.ts";

/** A literal as it was written: its type, and its text or number. */
interface Written {
  /** DuckDB's name: VARCHAR, INTEGER, BIGINT, DECIMAL, DOUBLE, BOOLEAN, DATE, TIMESTAMP, … */
  type: string;
  value: string | number | bigint | boolean;
  /** Digits after the point of a DECIMAL, whose value is unscaled. */
  scale: number;
}

const TEXT_CASTS = ["BOOLEAN", "DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"];

function writtenOf(node: SqlNode): Written | undefined {
  if (node["class"] === "CAST" && node["try_cast"] !== true) {
    // TIMESTAMPTZ '…' and true arrive as casts of texts.
    const child = writtenOf(node["child"] as SqlNode);
    const type = String((node["cast_type"] as SqlNode)["id"]);
    return child?.type === "VARCHAR" && TEXT_CASTS.includes(type) ? { ...child, type } : undefined;
  }
  if (node["class"] !== "CONSTANT") return undefined;
  const { type, value, is_null } = node["value"] as SqlNode;
  if (is_null === true || typeof value === "object" || value === undefined) return undefined;
  const info = (type as SqlNode)["type_info"] as SqlNode | undefined;
  return {
    type: String((type as SqlNode)["id"]),
    value: value as Written["value"],
    scale: Number(info?.["scale"] ?? 0),
  };
}

const INTEGERS = ["TINYINT", "SMALLINT", "INTEGER", "BIGINT"];

/** A number as an integer of 10^-scale; undefined where it has more digits than that. */
function unscaled({ type, value, scale }: Written, wanted: number): bigint | undefined {
  if (INTEGERS.includes(type)) return BigInt(value as number) * 10n ** BigInt(wanted);
  if (type === "DECIMAL") {
    const raw = BigInt(value as number);
    if (scale <= wanted) return raw * 10n ** BigInt(wanted - scale);
    const divisor = 10n ** BigInt(scale - wanted);
    return raw % divisor === 0n ? raw / divisor : undefined;
  }
  const match = type === "VARCHAR" ? /^(-?)(\d+)(?:\.(\d+))?$/.exec(String(value)) : null;
  if (match === null) return undefined;
  const [, sign, whole, fraction = ""] = match;
  const digits = BigInt(whole! + fraction);
  return unscaled(
    { type: "DECIMAL", value: sign === "-" ? -digits : digits, scale: fraction.length },
    wanted,
  );
}

/** A time literal as DuckDB reads it; what it would round or truncate is none. */
function parseLiteralTime(text: string): ParsedTime | undefined {
  const time = parseTime(text);
  return time === undefined || time.fractionDigits > 6 ? undefined : time;
}

function timeValue({ type, value }: Written): bigint | undefined {
  if (!["VARCHAR", "DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"].includes(type)) {
    return undefined;
  }
  const time = parseLiteralTime(String(value));
  // What DATE and TIMESTAMP make of an offset is DuckDB's affair.
  if (time === undefined || (time.hasOffset && (type === "DATE" || type === "TIMESTAMP"))) {
    return undefined;
  }
  if (type === "DATE" && time.us % DAY_US !== 0) return undefined;
  return BigInt(time.us);
}

function dateValue({ type, value }: Written): number | undefined {
  if (type !== "VARCHAR" && type !== "DATE") return undefined;
  if (!/^\d{4}-\d{2}-\d{2}$/.test(String(value))) return undefined;
  const time = parseLiteralTime(String(value));
  return time === undefined ? undefined : time.us / DAY_US;
}

function booleanValue({ type, value }: Written): boolean | undefined {
  if (typeof value === "boolean") return value;
  if (type !== "BOOLEAN" && type !== "VARCHAR") return undefined;
  const text = String(value).toLowerCase();
  if (text === "t" || text === "true") return true;
  return text === "f" || text === "false" ? false : undefined;
}

function doubleValue(written: Written): number | undefined {
  const { type, value, scale } = written;
  if (type === "DOUBLE" || INTEGERS.includes(type)) {
    return Number.isSafeInteger(Number(value)) || type === "DOUBLE" ? Number(value) : undefined;
  }
  if (type !== "DECIMAL" || !Number.isSafeInteger(Number(value)) || scale > 15) return undefined;
  return Number(`${value}e-${scale}`);
}

/**
 * The value that a column of `type` is compared with; undefined where the node is no literal, or not one
 * that means exactly one value of that type.
 */
export function literalValue(node: SqlNode, type: PrimitiveType): Value | undefined {
  const written = writtenOf(node);
  if (written === undefined) return undefined;
  const shape = parsePrimitive(type);
  switch (shape.kind) {
    case "string":
      return written.type === "VARCHAR" ? String(written.value) : undefined;
    case "decimal":
      return unscaled(written, shape.scale);
    case "long":
      return unscaled(written, 0);
    case "int": {
      const value = unscaled(written, 0);
      return value === undefined || value !== BigInt.asIntN(32, value) ? undefined : Number(value);
    }
    case "double":
      return doubleValue(written);
    case "boolean":
      return booleanValue(written);
    case "date":
      return dateValue(written);
    case "timestamptz":
      return timeValue(written);
    default:
      return undefined;
  }
}

/** The text or integer of a literal, whatever its type; undefined where it is none. */
export function literalText(node: SqlNode): { type: string; text: string } | undefined {
  const written = writtenOf(node);
  if (written === undefined) return undefined;
  return { type: written.type, text: String(written.value) };
}
