/** Where a recorded line goes: by its account where that can be read. Pure. */
import { partitionOf } from "../../broker/murmur2.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** The object that a line holds; undefined where it is not UTF-8, not JSON or not an object. */
export function parseLine(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(decoder.decode(bytes));
    return value !== null && typeof value === "object" && !Array.isArray(value)
      ? value as Record<string, unknown>
      : undefined;
  } catch {
    return undefined;
  }
}

/** Key and partition of a line: murmur2 of its account_id as Java does it, else its number. */
export function placeLine(
  line: { number: number; bytes: Uint8Array },
  partitions: number,
): { key: Uint8Array | null; partition: number } {
  const account = parseLine(line.bytes)?.account_id;
  if (typeof account !== "string" || account === "") {
    return { key: null, partition: line.number % partitions };
  }
  const key = encoder.encode(account);
  return { key, partition: partitionOf(key, partitions) };
}
