/** Records that are damaged on purpose, so that the dead-letter path is alive. */
import { TRANSACTION_FIELDS, type TransactionField } from "../contracts/transaction.ts";
import { DAY_US, printTimestamp } from "../contracts/timestamps.ts";
import type { Prng } from "./prng.ts";

/** The parts of a value, each a JSON token, in the contract's order. */
export type Tokens = Record<TransactionField, string>;

/** What a kind of damage may use. */
export interface DamageContext {
  prng: Prng;
  /** A valid transaction that was emitted a short while ago, if there is one. */
  earlier: Tokens | undefined;
  nowUs: number;
}

/** The text of a transaction. */
export function printTokens(tokens: Tokens): string {
  return "{" + TRANSACTION_FIELDS.map((field) => `"${field}":${tokens[field]}`).join(",") + "}";
}

const encoder = new TextEncoder();

function replace(tokens: Tokens, field: TransactionField, token: string): string {
  return printTokens({ ...tokens, [field]: token });
}

type Damage = (tokens: Tokens, context: DamageContext) => string | Uint8Array;

const DAMAGES: Readonly<Record<string, Damage>> = {
  bad_json: (tokens, { prng }) => {
    const text = printTokens(tokens);
    return text.slice(0, 1 + prng.int(text.length - 2));
  },
  not_utf8: (tokens) => {
    const bytes = encoder.encode(printTokens(tokens));
    // Inside the merchant's name: a lone continuation byte.
    const at = encoder.encode(printTokens(tokens).split('"merchant_name":"')[0]).length;
    bytes[at + '"merchant_name":"'.length] = 0xbf;
    return bytes;
  },
  not_an_object: (tokens) => `[${printTokens(tokens)}]`,
  missing_field: (tokens, { prng }) => {
    const missing = prng.pick(TRANSACTION_FIELDS);
    const kept = TRANSACTION_FIELDS.filter((field) => field !== missing);
    return "{" + kept.map((field) => `"${field}":${tokens[field]}`).join(",") + "}";
  },
  wrong_type: (tokens, { prng }) =>
    prng.chance(0.5)
      ? replace(tokens, "amount", `"${tokens.amount}"`)
      : replace(tokens, prng.pick(TRANSACTION_FIELDS), prng.pick(["null", "true", "[]", "{}"])),
  bad_currency: (tokens, { prng }) =>
    replace(tokens, "currency", prng.pick(['"ZZZ"', '"usd"', '"EURO"', '"XXX"', '""'])),
  bad_country: (tokens, { prng }) =>
    replace(tokens, "location_country", prng.pick(['"ZZ"', '"de"', '"USA"', '"UK"'])),
  bad_amount: (tokens, { prng }) =>
    replace(tokens, "amount", prng.pick(["0", "1.23456", "1e12", "-100000000000"])),
  bad_timestamp: (tokens, { prng }) =>
    replace(
      tokens,
      "timestamp",
      prng.pick(['"2026-02-30T10:00:00Z"', '"yesterday"', "1700000000"]),
    ),
  future_timestamp: (tokens, { nowUs }) =>
    replace(tokens, "timestamp", `"${printTimestamp(nowUs + 2 * DAY_US)}"`),
  bad_id: (tokens, { prng }) =>
    replace(tokens, "transaction_id", prng.pick(['"TX-42"', '""', '"not-a-uuid"'])),
  blank_merchant: (tokens) => replace(tokens, "merchant_name", '"  "'),
  bad_enum: (tokens, { prng }) =>
    replace(tokens, prng.pick(["merchant_category", "transaction_type", "status"]), '"other"'),
  repeated_key: (tokens) => printTokens(tokens).slice(0, -1) + `,"amount":${tokens.amount}}`,
  duplicate_id: (tokens, { earlier }) =>
    // Of the same account, so that it meets the first in its partition; pending, so that it differs.
    earlier === undefined
      ? replace(tokens, "transaction_id", '"not-a-uuid"')
      : replace(earlier, "status", earlier.status === '"pending"' ? '"failed"' : '"pending"'),
};

/** Kinds of damage; each makes a record that the contract refuses when it arrives at once. */
export const DAMAGE_KINDS: readonly string[] = Object.keys(DAMAGES);

/** Of these, those that are refused whenever they arrive: a recording's future becomes the past. */
export const TIMELESS_DAMAGE_KINDS: readonly string[] = DAMAGE_KINDS.filter((kind) =>
  kind !== "future_timestamp"
);

/** A damaged value. */
export interface Damaged {
  kind: string;
  value: Uint8Array;
  /** The value repeats `earlier`: it must go under that one's account. */
  repeatsEarlier: boolean;
}

/** Damages a valid transaction. Throws RangeError for a kind that is none. */
export function damage(tokens: Tokens, context: DamageContext, kind: string): Damaged {
  const apply = DAMAGES[kind];
  if (apply === undefined) throw new RangeError(`Cannot damage a record by "${kind}"`);
  const value = apply(tokens, context);
  return {
    kind,
    value: typeof value === "string" ? encoder.encode(value) : value,
    repeatsEarlier: kind === "duplicate_id" && context.earlier !== undefined,
  };
}
