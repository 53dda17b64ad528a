/**
 * What the contract says of one raw value (design section 3): valid, or dead letter of which type. Written
 * anew on the contract's schema, so that it cannot share a mistake with the processor. Pure.
 */
import type { DeadLetterType } from "../contracts/dead_letter.ts";
import { COUNTRIES, CURRENCIES } from "../contracts/codes.ts";
import {
  ACCOUNT_ID_LENGTH_MAX,
  DEPTH_MAX,
  EXTRA_FIELDS_MAX,
  TIMESTAMP_AHEAD_MAX_US,
  TIMESTAMP_MIN_US,
} from "../contracts/limits.ts";
import { parseAmount } from "../contracts/money.ts";
import { parseTimestamp } from "../contracts/timestamps.ts";
import {
  ACCOUNT_ID_PATTERN,
  ADDED_FIELDS,
  MERCHANT_CATEGORIES,
  Transaction,
  TRANSACTION_FIELDS,
  TRANSACTION_STATUSES,
  TRANSACTION_TYPES,
  UUID_PATTERN,
} from "../contracts/transaction.ts";
import { FORBIDDEN_KEYS, outline } from "./json_outline.ts";

/** A valid transaction in the terms of rules. */
export interface JudgedTransaction {
  /** In lower case. */
  transactionId: string;
  timestampUs: number;
  accountId: string;
  /** Ten-thousandths. */
  amountUnits: bigint;
  fields: Transaction;
}

/** What a raw value is, duplicates aside. */
export type ValueVerdict = JudgedTransaction | Exclude<DeadLetterType, "duplicate" | "unstorable">;

/** A raw value with what else decides on it. */
export interface RawValue {
  /** null is a tombstone. */
  bytes: Uint8Array | null;
  /** Kafka timestamp, ms. */
  timestampMs: number;
  recordBytesMax: number;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const contractNames: ReadonlySet<string> = new Set(TRANSACTION_FIELDS);
const categories: ReadonlySet<unknown> = new Set(MERCHANT_CATEGORIES);
const types: ReadonlySet<unknown> = new Set(TRANSACTION_TYPES);
const statuses: ReadonlySet<unknown> = new Set(TRANSACTION_STATUSES);
const refusedNames: ReadonlySet<string> = new Set([...ADDED_FIELDS, ...FORBIDDEN_KEYS]);

/** Judges one raw value. */
export function judgeValue(raw: RawValue): ValueVerdict {
  const { bytes, timestampMs, recordBytesMax } = raw;
  if (bytes === null) return "not_json";
  if (bytes.length > recordBytesMax) return "too_large";
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    return "not_utf8";
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "not_json";
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "not_an_object";
  const object = value as Record<string, unknown>;
  const amountToken = wellFormed(object, text);
  if (amountToken === undefined) return "schema";
  return judgeFields(object, amountToken, timestampMs) ?? "schema";
}

/** The amount's token where the object as such is as the contract wants it; empty where there is none. */
function wellFormed(value: Record<string, unknown>, text: string): string | undefined {
  const names = Object.keys(value);
  const plain = names.every((name) => contractNames.has(name) && typeof value[name] !== "object");
  // Printed the same, it has no key twice, and its numbers are spelled as JavaScript spells them.
  if (plain && JSON.stringify(value) === text) return String(value.amount ?? "");
  const { keys, tokens, depth, forbidden } = outline(text);
  const extras = new Set(keys.filter((key) => !contractNames.has(key)));
  const fits = new Set(keys).size === keys.length && depth <= DEPTH_MAX && !forbidden &&
    extras.size <= EXTRA_FIELDS_MAX && extras.isDisjointFrom(refusedNames);
  return fits ? tokens.get("amount") ?? "" : undefined;
}

function judgeFields(
  value: Record<string, unknown>,
  amountToken: string,
  timestampMs: number,
): JudgedTransaction | undefined {
  const fields: Record<string, unknown> = {};
  for (const name of TRANSACTION_FIELDS) if (Object.hasOwn(value, name)) fields[name] = value[name];
  const amount = typeof fields.amount === "number" ? parseAmount(amountToken) : undefined;
  if (amount === undefined || !amount.ok) return undefined;
  if (!isOrdinary(fields)) {
    const { success, error } = Transaction.safeParse(fields);
    // The token decides on the amount, not the double that the schema sees.
    if (!success && !error.issues.every(({ path }) => path[0] === "amount")) return undefined;
  }
  const transaction = fields as Transaction;
  const timestampUs = parseTimestamp(transaction.timestamp)!;
  if (timestampUs > timestampMs * 1000 + TIMESTAMP_AHEAD_MAX_US) return undefined;
  return {
    transactionId: transaction.transaction_id.toLowerCase(),
    timestampUs,
    accountId: transaction.account_id,
    amountUnits: amount.units,
    fields: transaction,
  };
}

/**
 * True only if the schema has nothing against the nine fields besides amount. Nearly every record is told by this, in
 * a tenth of the schema's time; where it says no, the schema decides.
 */
function isOrdinary(fields: Record<string, unknown>): boolean {
  const { transaction_id, timestamp, account_id, merchant_name } = fields;
  return typeof transaction_id === "string" && UUID_PATTERN.test(transaction_id) &&
    typeof timestamp === "string" && (parseTimestamp(timestamp) ?? -1) >= TIMESTAMP_MIN_US &&
    typeof account_id === "string" && account_id.length <= ACCOUNT_ID_LENGTH_MAX &&
    ACCOUNT_ID_PATTERN.test(account_id) &&
    typeof merchant_name === "string" && merchant_name.trim() !== "" &&
    CURRENCIES.has(fields.currency as string) && COUNTRIES.has(fields.location_country as string) &&
    categories.has(fields.merchant_category) && types.has(fields.transaction_type) &&
    statuses.has(fields.status);
}
