/**
 * Short numbers for long values, so that 100 M of them fit a scratch table: both sides of a comparison
 * are computed from the same text, here or by DuckDB (row_sql.ts). Pure.
 */
import { createHash } from "node:crypto";
import { parseTimestamp } from "../contracts/timestamps.ts";

/** Marks "not compared". */
export const NO_FINGERPRINT = -1;

/** Value of each character code that is a hex digit; 255 else. */
const DIGITS = new Uint8Array(128).fill(255);
for (const [value, digit] of [..."0123456789abcdef"].entries()) {
  DIGITS[digit.charCodeAt(0)] = DIGITS[digit.toUpperCase().charCodeAt(0)] = value;
}

/** Where the digits of a UUID stand. */
const PLACES = Array.from({ length: 36 }, (_, at) => at).filter((at) =>
  ![8, 13, 18, 23].includes(at)
);

/** The 32 digits of a UUID (8-4-4-4-12) as four words; false where they are not all digits. */
export function uuidWords(uuid: string, words: Uint32Array): boolean {
  let wrong = uuid.length === 36 ? 0 : 255;
  for (let word = 0; word < 4; word++) {
    let value = 0;
    for (let digit = 0; digit < 8; digit++) {
      const code = DIGITS[uuid.charCodeAt(PLACES[word * 8 + digit]!)] ?? 255;
      wrong |= code;
      value = (value << 4) | code;
    }
    words[word] = value;
  }
  return wrong < 16;
}

const words = new Uint32Array(4);

/**
 * A UUID as one number: its first 13 and its last 12 hex digits, added. The last ones tell apart ids that begin
 * with the time. -1 where it is none.
 */
export function idBits(uuid: unknown): number {
  if (typeof uuid !== "string" || !uuidWords(uuid, words)) return NO_FINGERPRINT;
  const [a, b, c, d] = words as unknown as [number, number, number, number];
  return a * 2 ** 20 + (b >>> 12) + (c & 0xffff) * 2 ** 32 + d;
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
