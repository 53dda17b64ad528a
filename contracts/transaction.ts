/** The transaction: the contract of `raw-transactions` and `transactions` (design section 3). */
import { z } from "zod";
import { COUNTRIES, CURRENCIES } from "./codes.ts";
import { ACCOUNT_ID_LENGTH_MAX, AMOUNT_SIZE_LIMIT, TIMESTAMP_MIN_US } from "./limits.ts";
import { parseTimestamp } from "./timestamps.ts";
import { ACCOUNT_ID_PATTERN, MERCHANT_CATEGORIES } from "./vocabulary.ts";

export { ACCOUNT_ID_PATTERN, MERCHANT_CATEGORIES };

/** What a transaction does to the account. */
export const TRANSACTION_TYPES = ["purchase", "withdrawal", "transfer", "refund"] as const;

/** Where a transaction stands: pending → completed | failed; completed → reversed. */
export const TRANSACTION_STATUSES = ["pending", "completed", "failed", "reversed"] as const;

/** Canonical 8-4-4-4-12 form of any version, in either case. */
export const UUID_PATTERN =
  /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/;

/** The expectation of each field, as dead letters quote it. */
export const EXPECTED = {
  transaction_id: "a UUID",
  timestamp:
    "an ISO 8601 date and time with Z or an offset, at most 9 fraction digits, not before 2000-01-01",
  account_id: `1 to ${ACCOUNT_ID_LENGTH_MAX} letters and digits`,
  amount: "a JSON number, not 0, below 100000000000 in size, at most 4 decimals",
  currency: "an ISO 4217 alphabetic code in use",
  merchant_name: "a text that is not blank",
  merchant_category: `one of ${MERCHANT_CATEGORIES.join(", ")}`,
  transaction_type: `one of ${TRANSACTION_TYPES.join(", ")}`,
  location_country: "an ISO 3166-1 alpha-2 code",
  status: `one of ${TRANSACTION_STATUSES.join(", ")}`,
} as const;

/** Name of one of the ten fields. */
export type TransactionField = keyof typeof EXPECTED;

/** The ten fields, in the contract's order. */
export const TRANSACTION_FIELDS = Object.keys(EXPECTED) as TransactionField[];

/** Fields that the processor adds; a raw record that carries one of them is a schema error. */
export const ADDED_FIELDS = [
  "processing_timestamp",
  "partition_date",
  "is_flagged",
  "rules_version",
] as const;

function isTimestamp(text: string): boolean {
  const us = parseTimestamp(text);
  return us !== undefined && us >= TIMESTAMP_MIN_US;
}

function hasFourDecimalsAtMost(amount: number): boolean {
  return Number(amount.toFixed(4)) === amount;
}

/**
 * A transaction as produced. Unknown fields are accepted and carried along.
 *
 * What needs the record's own bytes or its Kafka timestamp (digits that a double cannot hold,
 * duplicate keys, size, a time in the future) is checked by the processor on top of this.
 */
export const Transaction = z.looseObject({
  transaction_id: z.string().regex(UUID_PATTERN, EXPECTED.transaction_id)
    .meta({ description: "Unique id of the transaction; compared in lower case" }),
  timestamp: z.string().refine(isTimestamp, EXPECTED.timestamp)
    .meta({
      description: "When the transaction happened (event time)",
      format: "date-time",
      pattern: "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,9})?(Z|[+-]\\d{2}:\\d{2})$",
    }),
  account_id: z.string().max(ACCOUNT_ID_LENGTH_MAX, EXPECTED.account_id)
    .regex(ACCOUNT_ID_PATTERN, EXPECTED.account_id)
    .meta({ description: "Account that pays or is paid", examples: ["ACC1234567"] }),
  amount: z.number().gt(-AMOUNT_SIZE_LIMIT, EXPECTED.amount).lt(AMOUNT_SIZE_LIMIT, EXPECTED.amount)
    .refine((amount) => amount !== 0, EXPECTED.amount)
    .refine(hasFourDecimalsAtMost, EXPECTED.amount)
    .meta({
      description: "Amount in units of the currency; negative = refund",
      not: { const: 0 },
    }),
  currency: z.string().refine((code) => CURRENCIES.has(code), EXPECTED.currency)
    .meta({ description: "ISO 4217 alphabetic code", enum: [...CURRENCIES].sort() }),
  merchant_name: z.string().refine((name) => name.trim() !== "", EXPECTED.merchant_name)
    .meta({ description: "Name of the merchant", pattern: "\\S" }),
  merchant_category: z.enum(MERCHANT_CATEGORIES).meta({ description: "What the merchant sells" }),
  transaction_type: z.enum(TRANSACTION_TYPES)
    .meta({ description: "What the transaction does to the account" }),
  location_country: z.string().refine((code) => COUNTRIES.has(code), EXPECTED.location_country)
    .meta({ description: "ISO 3166-1 alpha-2 code", enum: [...COUNTRIES].sort() }),
  status: z.enum(TRANSACTION_STATUSES)
    .meta({ description: "State that the transaction had reached when it was recorded" }),
}).meta({ title: "Transaction", description: "Value of raw-transactions" });

/** A transaction as produced. */
export type Transaction = z.infer<typeof Transaction>;

/** A transaction that was judged: the value of `transactions`. */
export const ProcessedTransaction = Transaction.extend({
  transaction_id: z.string().regex(UUID_PATTERN).meta({ description: "In lower case" }),
  processing_timestamp: z.string()
    .meta({ description: "When the processor judged it", format: "date-time" }),
  partition_date: z.string().regex(/^\d{4}-\d{2}-\d{2}$/)
    .meta({ description: "UTC day of timestamp" }),
  is_flagged: z.boolean().meta({ description: "At least one rule fired on arrival" }),
  rules_version: z.string().regex(/^[0-9a-f]{12}$/)
    .meta({ description: "Rule set that judged it" }),
}).meta({ title: "ProcessedTransaction", description: "Value of transactions" });

/** A transaction that was judged. */
export type ProcessedTransaction = z.infer<typeof ProcessedTransaction>;
