/** Checked reading of parsed JSON: every error names the field, what was expected and what is there. */
import { IcebergError } from "./errors.ts";
import { printJson } from "./json.ts";

/** A JSON object whose fields are not checked yet. */
export type JsonObject = Record<string, unknown>;

const LONG_MIN = -(2n ** 63n);
const LONG_MAX = 2n ** 63n - 1n;
const SHOWN_CHARS_MAX = 80;

/** An error about the value at `at`, e.g. `schemas[0].fields[2].id`. */
export function invalid(at: string, expected: string, value: unknown): IcebergError {
  const text = value === undefined ? "nothing" : printJson(value) ?? typeof value;
  const shown = text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX)}…` : text;
  return new IcebergError(`Cannot read "${at}": expected ${expected}, got ${shown}`);
}

/** An object (not null, not an array). */
export function readObject(value: unknown, at: string): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid(at, "an object", value);
  }
  return value as JsonObject;
}

/** An array, each item read by `read`. */
export function readArray<T>(
  value: unknown,
  at: string,
  read: (item: unknown, at: string) => T,
): T[] {
  if (!Array.isArray(value)) throw invalid(at, "an array", value);
  return value.map((item, index) => read(item, `${at}[${index}]`));
}

/** A 32-bit integer. */
export function readInt(value: unknown, at: string): number {
  if (typeof value !== "number" || (value | 0) !== value) {
    throw invalid(at, "a 32-bit integer", value);
  }
  return value;
}

/** An integer that a number holds exactly, e.g. milliseconds since the epoch. */
export function readSafeInteger(value: unknown, at: string): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value)) {
    throw invalid(at, "an integer below 2^53", value);
  }
  return value;
}

/** A 64-bit integer. */
export function readLong(value: unknown, at: string): bigint {
  if (typeof value === "number" && Number.isSafeInteger(value)) return BigInt(value);
  if (typeof value === "bigint" && value >= LONG_MIN && value <= LONG_MAX) return value;
  throw invalid(at, "a 64-bit integer", value);
}

/** A string. */
export function readString(value: unknown, at: string): string {
  if (typeof value !== "string") throw invalid(at, "a string", value);
  return value;
}

/** A boolean. */
export function readBoolean(value: unknown, at: string): boolean {
  if (typeof value !== "boolean") throw invalid(at, "true or false", value);
  return value;
}

/** An object of strings. */
export function readStringMap(value: unknown, at: string): Record<string, string> {
  const object = readObject(value, at);
  for (const [key, item] of Object.entries(object)) readString(item, `${at}.${key}`);
  return object as Record<string, string>;
}

/** A string out of a few. */
export function readOneOf<T extends string>(value: unknown, at: string, allowed: readonly T[]): T {
  if (!allowed.includes(value as T)) throw invalid(at, `one of ${allowed.join(", ")}`, value);
  return value as T;
}
