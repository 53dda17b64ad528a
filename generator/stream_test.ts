import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { Transaction } from "../contracts/transaction.ts";
import { parseTimestamp } from "../contracts/timestamps.ts";
import { createAccounts } from "./accounts.ts";
import { createMerchants } from "./merchants.ts";
import { createStream, type GeneratedRecord, type StreamSettings } from "./stream.ts";

const NOON_US = Date.UTC(2026, 5, 1, 12) * 1000;
const SETTINGS: StreamSettings = {
  anomalyShare: 0.03,
  malformedShare: 0.0005,
  accounts: 1000,
  merchants: 500,
};

function take(
  count: number,
  settings: Partial<StreamSettings> = {},
  identity = { seed: 42, epoch: "0" },
): GeneratedRecord[] {
  const stream = createStream(identity, { ...SETTINGS, ...settings });
  return Array.from({ length: count }, (_, i) => stream.next(NOON_US + i * 10_000));
}

function textOf(record: GeneratedRecord): string {
  return new TextDecoder().decode(record.value);
}

function parse(record: GeneratedRecord): Transaction {
  return JSON.parse(textOf(record));
}

/** Fails unless `count` of `n` fits a share of `p`, five standard deviations wide. */
function assertShare(count: number, n: number, p: number, what: string): void {
  const slack = 5 * Math.sqrt(n * p * (1 - p));
  assert(Math.abs(count - n * p) <= slack, `${what}: ${count} of ${n}, expected ${p}`);
}

Deno.test("the same seed gives the same stream, another seed or epoch another one", () => {
  const [a, b] = [take(500).map(textOf), take(500).map(textOf)];
  assertEquals(a, b);
  assertNotEquals(a[0], textOf(take(1, {}, { seed: 43, epoch: "0" })[0]!));
  const valid = { malformedShare: 0 };
  const ids = new Set(take(5000, valid).map((record) => parse(record).transaction_id));
  for (const record of take(5000, valid, { seed: 42, epoch: "1" })) {
    assert(!ids.has(parse(record).transaction_id), "an id came again in the next epoch");
  }
});

Deno.test("99.9 % of the records are valid transactions, each with an id of its own", () => {
  const records = take(40_000);
  const ids = new Set<string>();
  let valid = 0;
  for (const record of records) {
    if (record.injected.startsWith("malformed")) continue;
    const transaction = Transaction.parse(parse(record));
    assertEquals(transaction.account_id, record.accountId);
    ids.add(transaction.transaction_id);
    valid++;
  }
  assert(valid >= 0.999 * records.length, `${valid}`);
  assertEquals(ids.size, valid);
  assertShare(records.length - valid, records.length, SETTINGS.malformedShare, "malformed");
});

Deno.test("types come 85/5/8/2, refunds are negative, the rest positive, all in 0.50 to 50,000", () => {
  const transactions = take(20_000, { anomalyShare: 0, malformedShare: 0 }).map(parse);
  const shares = { purchase: 0.85, refund: 0.05, withdrawal: 0.08, transfer: 0.02 };
  for (const [type, share] of Object.entries(shares)) {
    const count = transactions.filter((one) => one.transaction_type === type).length;
    assertShare(count, transactions.length, share, type);
  }
  for (const { amount, transaction_type } of transactions) {
    assertEquals(amount < 0, transaction_type === "refund");
    assert(Math.abs(amount) >= 0.5 && Math.abs(amount) <= 50_000, `${amount}`);
  }
});

Deno.test("amounts of a category are log-normal: their logarithms are symmetric and normally wide", () => {
  const transactions = take(30_000, { anomalyShare: 0, malformedShare: 0 }).map(parse)
    .filter((one) => one.transaction_type === "purchase" && one.merchant_category === "groceries");
  const logs = transactions.map((one) => Math.log(one.amount)).sort((a, b) => a - b);
  const mean = logs.reduce((sum, x) => sum + x, 0) / logs.length;
  const sd = Math.sqrt(logs.reduce((sum, x) => sum + (x - mean) ** 2, 0) / logs.length);
  const within = (k: number) => logs.filter((x) => Math.abs(x - mean) <= k * sd).length;
  // The normal distribution's 68.27 % and 95.45 %; the clamp at 0.50 does not reach groceries.
  assertShare(within(1), logs.length, 0.6827, "one sigma");
  assertShare(within(2), logs.length, 0.9545, "two sigma");
  assert(Math.abs(mean - logs[logs.length >> 1]!) < 0.05, "median and mean differ");
});

Deno.test("anomalies have their share, bursts included, and are what they say", () => {
  for (const anomalyShare of [0.01, 0.05, 0.5]) {
    const records = take(40_000, { anomalyShare, malformedShare: 0 });
    const injected = records.filter((record) => record.injected !== "none");
    // Burst members come together, so the count varies more than single draws would.
    const measured = injected.length / records.length;
    assert(Math.abs(measured - anomalyShare) < 0.1 * anomalyShare + 0.002, `${measured}`);
    for (const record of injected) {
      const { amount, timestamp, location_country } = parse(record);
      const hour = new Date(timestamp).getUTCHours();
      if (record.injected === "high_amount") assert(amount > 10_000 && amount <= 50_000);
      if (record.injected === "night") assert(hour >= 1 && hour < 5, timestamp);
      else assertEquals(hour >= 11, true, timestamp);
      if (record.injected === "foreign") assert(!["US", "GB", "DE"].includes(location_country));
    }
  }
});

Deno.test("a burst is five or more of one account within 60 s", () => {
  const bursts = new Map<string, number[]>();
  let name = "";
  for (const record of take(20_000, { anomalyShare: 0.2, malformedShare: 0 })) {
    const match = /^burst:(\d+)\/(\d+)$/.exec(record.injected);
    if (match === null) continue;
    if (match[1] === "1") name = `${bursts.size}/${record.accountId}/${match[2]}`;
    assertEquals(name.split("/").slice(1), [record.accountId, match[2]!]);
    bursts.set(name, [...bursts.get(name) ?? [], parseTimestamp(parse(record).timestamp)!]);
  }
  assert(bursts.size > 100);
  for (const [key, times] of [...bursts].slice(0, -1)) {
    assertEquals(times.length, Number(key.split("/")[2]));
    assert(times.length >= 5);
    assertEquals(times, times.toSorted((a, b) => a - b));
    assert(times.at(-1)! - times[0]! < 60_000_000);
  }
});

Deno.test("times are now less a small delay, never ahead", () => {
  const stream = createStream({ seed: 1, epoch: "0" }, { ...SETTINGS, anomalyShare: 0 });
  for (let i = 0; i < 5000; i++) {
    const record = stream.next(NOON_US);
    if (record.injected !== "none") continue;
    const at = parseTimestamp(parse(record).timestamp)!;
    assert(at <= NOON_US && NOON_US - at < 100_000, `${NOON_US - at} µs`);
  }
});

Deno.test("configure() changes shares and pools, and the ids go on", () => {
  const stream = createStream({ seed: 7, epoch: "0" }, { ...SETTINGS, malformedShare: 0 });
  const seen = new Set<string>();
  const accounts = new Set<string>();
  for (let i = 0; i < 2000; i++) seen.add(parse(stream.next(NOON_US)).transaction_id);
  stream.configure({ anomalyShare: 0, malformedShare: 0, accounts: 3, merchants: 7 });
  for (let i = 0; i < 2000; i++) {
    const record = stream.next(NOON_US);
    assertEquals(record.injected, "none");
    accounts.add(record.accountId);
    seen.add(parse(record).transaction_id);
  }
  assertEquals([accounts.size, seen.size], [3, 4000]);
});

Deno.test("a larger pool begins with the smaller one, ids differ, currency fits the home", () => {
  const small = createAccounts(5, 100);
  const large = createAccounts(5, 20_000);
  assertEquals(large.slice(0, 100), small);
  assertEquals(new Set(large.map((account) => account.id)).size, 20_000);
  for (const account of small) assert(/^ACC\d{7}$/.test(account.id));
  const swiss = large.filter((account) => account.country === "CH");
  assert(swiss.length > 0 && swiss.every((account) => account.currency === "CHF"));
});

Deno.test("every category has a merchant, however few there are", () => {
  const merchants = createMerchants(3, 7);
  assertEquals(Object.values(merchants).map((list) => list.length), Array(7).fill(1));
});
