/**
 * Raw records with their ground truth: transactions of few accounts, bursts and disorder in event time,
 * duplicates, and values that no transaction is. From a seed, independent of any broker.
 */
import type { DeadLetterType } from "../../contracts/dead_letter.ts";
import type { NaiveTransaction } from "../../rules/naive.ts";

/** One raw record and what must become of it. */
export interface FedRecord {
  key: Uint8Array;
  value: Uint8Array;
  /** undefined: a valid transaction. */
  refusedAs: DeadLetterType | undefined;
  transactionId: string;
  /** What rules may know of it; only of valid ones. */
  transaction: Omit<NaiveTransaction, "offset"> | undefined;
}

/** Options of {@linkcode createFeed}. */
export interface FeedOptions {
  random: () => number;
  partitions: number;
  /** Accounts per partition. */
  accounts: number;
  /** Event time of the first record, in ms; each further one is `stepMs` later on average. */
  startMs: number;
  stepMs: number;
}

const CATEGORIES = ["retail", "dining", "travel", "online", "groceries"];
const encoder = new TextEncoder();

/** Makes records, partition by partition; `truth` grows with them and is indexed by offset. */
export interface Feed {
  /** Next `count` records of a partition. */
  next(partition: number, count: number): FedRecord[];
  /** Everything made so far, by partition; the index is the raw offset. */
  readonly truth: readonly FedRecord[][];
}

/** A transaction id from a running number: distinct, and nothing that code under test made. */
function idOf(partition: number, number: number): string {
  return `${String(partition).padStart(8, "0")}-0000-4000-8000-${String(number).padStart(12, "0")}`;
}

function refused(text: string | Uint8Array, refusedAs: DeadLetterType, id = ""): FedRecord {
  const value = typeof text === "string" ? encoder.encode(text) : text;
  const key = encoder.encode("none");
  return { key, value, refusedAs, transactionId: id, transaction: undefined };
}

/** Values that are none, with the error_type each must get. */
function malformed(number: number): FedRecord {
  const kinds: [string | Uint8Array, DeadLetterType][] = [
    ['{"transaction_id": "cut', "not_json"],
    [Uint8Array.of(0x7b, 0xff, 0x7d), "not_utf8"],
    ["[1, 2, 3]", "not_an_object"],
    ['{"transaction_id": "no", "amount": "12"}', "schema"],
    ["", "not_json"],
  ];
  const [text, type] = kinds[number % kinds.length]!;
  return refused(text, type);
}

/** Makes a feed. */
export function createFeed(options: FeedOptions): Feed {
  const { random, partitions, accounts, startMs, stepMs } = options;
  const truth: FedRecord[][] = Array.from({ length: partitions }, () => []);
  const accepted: FedRecord[][] = Array.from({ length: partitions }, () => []);

  function transaction(partition: number, number: number): FedRecord {
    // A quarter of all go to one account, so that bursts happen; disorder of up to 90 s.
    const account = random() < 0.25 ? number % 3 : Math.floor(random() * accounts);
    const accountId = `ACC${partition}${String(account).padStart(6, "0")}`;
    const ms = Math.floor(startMs + number * stepMs - random() ** 4 * 90_000);
    const cents = 1 + Math.floor(random() ** 6 * 1_500_000);
    const category = CATEGORIES[number % CATEGORIES.length]!;
    const transactionId = idOf(partition, number);
    const text = JSON.stringify({
      transaction_id: transactionId,
      timestamp: new Date(ms).toISOString(),
      account_id: accountId,
      amount: cents / 100,
      currency: "EUR",
      merchant_name: `Merchant ${number % 7}`,
      merchant_category: category,
      transaction_type: "purchase",
      location_country: "DE",
      status: "completed",
    });
    return {
      key: encoder.encode(accountId),
      value: encoder.encode(text),
      refusedAs: undefined,
      transactionId,
      transaction: {
        timestampUs: ms * 1000,
        accountId,
        amountUnits: BigInt(cents) * 100n,
        currency: "EUR",
        country: "DE",
        category,
        transactionType: "purchase",
        status: "completed",
      },
    };
  }

  function one(partition: number): FedRecord {
    const number = truth[partition]!.length;
    const at = random();
    const earlier = accepted[partition]!;
    if (at < 0.01) return malformed(number);
    if (at < 0.02 && earlier.length > 0) {
      const again = earlier[Math.floor(random() * earlier.length)]!;
      return { ...again, refusedAs: "duplicate", transaction: undefined };
    }
    const record = transaction(partition, number);
    earlier.push(record);
    return record;
  }

  return {
    truth,
    next: (partition, count) =>
      Array.from({ length: count }, () => {
        const record = one(partition);
        truth[partition]!.push(record);
        return record;
      }),
  };
}
