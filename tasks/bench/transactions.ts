/** The workload of the benches: 10,000 accounts, 0.1 % malformed, about 18 % alerting. From a seed. */
import { partitionOf } from "../../broker/murmur2.ts";

const ACCOUNTS = 10_000;
const MALFORMED_EVERY = 1000;
/** Share above the threshold of high-value; the quiet hours of a day's spread add 16.7 %. */
const HIGH_SHARE = 0.016;
const CATEGORIES = ["retail", "dining", "travel", "online", "groceries", "entertainment"];

/** Columns of one partition. */
export interface RawColumns {
  keys: Uint8Array[];
  values: Uint8Array[];
}

/** Options of {@linkcode rawTransactions}. */
export interface WorkloadOptions {
  count: number;
  /** Number of the first one: ids follow from it. */
  from: number;
  partitions: number;
  /** Event times spread evenly over [startMs, endMs). */
  startMs: number;
  endMs: number;
  random: () => number;
}

const encoder = new TextEncoder();

function valueOf(number: number, account: string, options: WorkloadOptions): string {
  const { random, startMs, endMs, count, from } = options;
  if (number % MALFORMED_EVERY === 17) return `{"transaction_id": ${number}`;
  const ms = startMs + (number - from) / count * (endMs - startMs);
  const cents = random() < HIGH_SHARE
    ? 1_000_001 + Math.floor(random() * 3_000_000)
    : 50 + Math.floor(random() ** 3 * 900_000);
  const hex = number.toString(16).padStart(12, "0");
  const salt = Math.floor(random() * 2 ** 32).toString(16).padStart(8, "0");
  return JSON.stringify({
    transaction_id: `${salt}-0000-4000-8000-${hex}`,
    timestamp: new Date(Math.floor(ms)).toISOString(),
    account_id: account,
    amount: cents / 100,
    currency: "EUR",
    merchant_name: `Merchant ${number % 500}`,
    merchant_category: CATEGORIES[number % CATEGORIES.length],
    transaction_type: "purchase",
    location_country: "DE",
    status: "completed",
  });
}

/** Raw records, by partition of their account. */
export function rawTransactions(options: WorkloadOptions): RawColumns[] {
  const { count, from, partitions, random } = options;
  const columns = Array.from({ length: partitions }, (): RawColumns => ({ keys: [], values: [] }));
  for (let number = from; number < from + count; number++) {
    const account = `ACC${String(Math.floor(random() * ACCOUNTS)).padStart(7, "0")}`;
    const key = encoder.encode(account);
    const { keys, values } = columns[partitionOf(key, partitions)]!;
    keys.push(key);
    values.push(encoder.encode(valueOf(number, account, options)));
  }
  return columns;
}
