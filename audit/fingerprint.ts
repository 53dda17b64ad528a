/**
 * Short numbers for long values, so that 100 M of them fit a scratch table: both sides of a comparison
 * are computed from the same text, here or by DuckDB (row_sql.ts). Pure.
 */
import { createHash } from "node:crypto";
import { parseTimestamp } from "../contracts/timestamps.ts";

/** Marks "not compared". */
export const NO_FINGERPRINT = -1;

/**
 * A UUID as one number: its first 13 and its last 12 hex digits, added. The last ones tell apart ids that begin
 * with the time. -1 where it is none.
 */
export function idBits(uuid: unknown): number {
  if (typeof uuid !== "string") return NO_FINGERPRINT;
  const first = parseInt(uuid.slice(0, 8), 16) * 2 ** 20 +
    parseInt(uuid.slice(9, 13) + uuid.slice(14, 15), 16);
  const bits = first + parseInt(uuid.slice(24), 16);
  return Number.isNaN(bits) ? NO_FINGERPRINT : bits;
}

/** A rules_version (12 hex digits) as a number; -1 where it is none. */
export function versionBits(version: unknown): number {
  return typeof version === "string" && /^[0-9a-f]{12}$/.test(version)
    ? parseInt(version, 16)
    : NO_FINGERPRINT;
}

/** {@linkcode versionBits} back to text. */
export function printVersion(bits: number): string {
  return bits < 0 ? "none" : bits.toString(16).padStart(12, "0");
}

/** First 52 bits of the MD5 of the parts, joined by `|`. */
export function textBits(parts: readonly (string | number | bigint)[]): number {
  const digest = createHash("md5").update(parts.join("|"), "utf8").digest("hex");
  return parseInt(digest.slice(0, 13), 16);
}

/** The ten fields, as the contract compares them. */
export function transactionBits(
  fields: Record<string, unknown>,
  amountUnits: bigint | number,
): number {
  return textBits([
    String(fields.transaction_id).toLowerCase(),
    parseTimestamp(String(fields.timestamp)) ?? "",
    String(fields.account_id),
    amountUnits,
    String(fields.currency),
    String(fields.merchant_name),
    String(fields.merchant_category),
    String(fields.transaction_type),
    String(fields.location_country),
    String(fields.status),
  ]);
}

/** Ten-thousandths of a JSON number that is known to have at most four decimals and 15 digits. */
export function unitsOf(amount: unknown): number {
  return typeof amount === "number" ? Math.round(amount * 10_000) : NaN;
}
