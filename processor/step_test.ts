import { assert, assertEquals, assertThrows } from "@std/assert";
import { Alert } from "../contracts/alert.ts";
import { DeadLetter } from "../contracts/dead_letter.ts";
import { ProcessedTransaction } from "../contracts/transaction.ts";
import { createPartitionState } from "./state.ts";
import { INFOS_MAX, step } from "./step.ts";
import {
  columnsOf,
  CONTEXT,
  documents,
  freshState,
  type RawRecord,
  recordBatch,
  testId,
  texts,
  transaction,
} from "./testing.ts";

function record(offset: number, changes: Record<string, unknown> = {}): RawRecord {
  const fields = transaction({ transaction_id: testId(offset), ...changes });
  return { offset, key: fields.account_id as string, value: JSON.stringify(fields) };
}

function run(records: RawRecord[], state = freshState().state) {
  return step(state, recordBatch(records), CONTEXT);
}

Deno.test("a valid record becomes one transaction: its own bytes and the added fields", () => {
  const value = `  { "transaction_id" : "0B0E7A6E-0B7E-4B7E-8B7E-00000000ABCD",\n` +
    `"timestamp":"2026-05-31T23:30:00.123456789-02:00","account_id":"ACC1","amount":1.50e1,` +
    `"currency":"EUR","merchant_name":"Caf\\u00e9 \\ud83e\\udd8a é","merchant_category":"dining",` +
    `"transaction_type":"purchase","location_country":"FR","status":"pending","x":{"y":[1e400]} } \r\n`;
  const { state } = freshState();
  const result = run([{ offset: 7_000_000_000, key: "ACC1", value }], state);
  assertEquals(texts(columnsOf(result.transactions).values), [
    `{ "transaction_id" : "0b0e7a6e-0b7e-4b7e-8b7e-00000000abcd", ` +
    `"timestamp":"2026-05-31T23:30:00.123456789-02:00","account_id":"ACC1","amount":1.50e1,` +
    `"currency":"EUR","merchant_name":"Caf\\u00e9 \\ud83e\\udd8a é","merchant_category":"dining",` +
    `"transaction_type":"purchase","location_country":"FR","status":"pending","x":{"y":[1e400]} ` +
    `,"processing_timestamp":"2026-06-01T12:00:01.000000Z","partition_date":"2026-06-01",` +
    `"is_flagged":true,"rules_version":"${state.rulesVersion}"}`,
  ]);
  assertEquals(texts(columnsOf(result.transactions).keys), ["ACC1"]);
  assertEquals(texts(columnsOf(result.transactions).traces), ["raw-transactions/0/7000000000"]);
  ProcessedTransaction.parse(documents(result.transactions)[0]);
});

Deno.test("ids are lower case and traces exact, whichever offset follows", () => {
  const offsets = [8, 9, 10, 11, 13, 99, 100, 9_999, 10_000, 10_001, 4_294_967_295, 4_294_967_296];
  const upper = (offset: number) =>
    `0B0E7A6E-0b7e-4B7E-8B7E-${String(offset).padStart(12, "0")}`.replace("0b7e", "0B7e");
  const { transactions, alerts } = run(
    offsets.map((offset) => record(offset, { transaction_id: upper(offset), amount: 10_000.01 })),
  );
  const ids = offsets.map((offset) => upper(offset).toLowerCase());
  assertEquals(documents(transactions).map(({ transaction_id }) => transaction_id), ids);
  const traces = offsets.map((offset) => `raw-transactions/0/${offset}`);
  assertEquals(texts(columnsOf(transactions).traces), traces);
  const high = documents(alerts).filter(({ rule_name }) => rule_name === "high-value");
  assertEquals(high.map(({ transaction_id }) => transaction_id), ids);
  assertEquals(high.map(({ transaction }) => transaction.transaction_id), ids);
});

Deno.test("outputs outlive the batch's buffer and the next step", () => {
  const { state } = freshState();
  const batch = recordBatch([record(1), record(2, { status: "?" })]);
  const result = step(state, batch, CONTEXT);
  const read = () => [result.transactions, result.deadLetters, result.changes].map(columnsOf);
  const before = read();
  batch.bytes.fill(0);
  run(Array.from({ length: 3000 }, (_, i) => record(i + 3)), state);
  assertEquals(read(), before);
  assertEquals(texts(before[1]!.keys), ["ACC1234567"]);
});

Deno.test("alerts name rule, numbers and the whole original", () => {
  const records = [0, 1, 2, 3].map((i) => record(i, { timestamp: `2026-06-01T02:00:0${i}Z` }));
  const last = { timestamp: "2026-06-01T02:00:04.5Z", amount: 12345.67, transaction_id: testId(4) };
  const { alerts, transactions, counts, alertInfos } = run([...records, record(4, last)]);
  const found = documents(alerts);
  found.forEach((alert) => Alert.parse(alert));
  const night = (n: number) => ["unusual-hour", "low", testId(n)];
  assertEquals(found.map((alert) => [alert.rule_name, alert.severity, alert.transaction_id]), [
    night(0),
    night(1),
    night(2),
    night(3),
    ["high-value", "high", testId(4)],
    ["rapid-activity", "medium", testId(4)],
    night(4),
  ]);
  const velocity = found[5];
  // UUIDv5 of "rapid-activity:<id>" in the pipeline's namespace, by Python's uuid.uuid5.
  assertEquals(velocity.alert_id, "23189a0c-a7aa-5671-9d86-9b3fbf8b7491");
  assertEquals(
    velocity.description,
    "Account ACC1234567 made 5 transactions within 4.5 s (limit: 5 in 60 s)",
  );
  assertEquals(velocity.evidence, {
    measure: "count",
    transactions: 5,
    at_least: 5,
    window_seconds: 60,
    from: "2026-06-01T02:00:00.000000Z",
    to: "2026-06-01T02:00:04.500000Z",
    transaction_ids: [0, 1, 2, 3, 4].map(testId),
  });
  assertEquals(velocity.transaction, transaction({ ...last, transaction_id: testId(4) }));
  assertEquals(velocity.alert_timestamp, "2026-06-01T12:00:01.000000Z");
  assertEquals(velocity.rules_version, documents(transactions)[0].rules_version);
  assertEquals(texts(columnsOf(alerts).keys), Array(7).fill("ACC1234567"));
  assertEquals(texts(columnsOf(alerts).traces).at(-1), "raw-transactions/0/4");
  assertEquals(counts.alerts, 7);
  assertEquals(alertInfos[4], {
    ruleName: "high-value",
    severity: "high",
    transactionId: testId(4),
    accountId: "ACC1234567",
    trace: "raw-transactions/0/4",
  });
});

Deno.test("is_flagged: earlier members of a burst stay unflagged", () => {
  const { transactions } = run([0, 1, 2, 3, 4, 5].map((i) => record(i)));
  assertEquals(documents(transactions).map(({ is_flagged }) => is_flagged), [
    false,
    false,
    false,
    false,
    true,
    true,
  ]);
});

Deno.test("each record gives exactly one output; dead letters keep key, original and errors", () => {
  const result = run([
    record(0),
    { offset: 1, key: "k", value: "{" },
    { offset: 2, key: null, value: new Uint8Array([0xff, 0x00, 0xfe]) },
    { offset: 3, value: null },
    record(4, { amount: "1", currency: "XX" }),
    record(5, { transaction_id: testId(0).toUpperCase() }),
    { offset: 9, key: "big", value: "[".repeat(300_000) },
    record(10),
  ]);
  assertEquals(texts(columnsOf(result.transactions).traces), [
    "raw-transactions/0/0",
    "raw-transactions/0/10",
  ]);
  const letters = documents(result.deadLetters);
  letters.forEach((letter) => DeadLetter.parse(letter));
  assertEquals(letters.map((letter) => [letter.source.offset, letter.error_type]), [
    ["1", "not_json"],
    ["2", "not_utf8"],
    ["3", "not_json"],
    ["4", "schema"],
    ["5", "duplicate"],
    ["9", "too_large"],
  ]);
  assertEquals(texts(columnsOf(result.deadLetters).keys), [
    "k",
    null,
    null,
    "ACC1234567",
    "ACC1234567",
    "big",
  ]);
  assertEquals(
    texts(columnsOf(result.deadLetters).traces),
    [1, 2, 3, 4, 5, 9].map((n) => `raw-transactions/0/${n}`),
  );
  assertEquals(letters[1], {
    // By the same.
    dead_letter_id: "d821156d-606b-500a-a0ff-c0751eabcd6d",
    error_type: "not_utf8",
    errors: [{ field: "$", expected: "UTF-8", actual: "3 bytes that are not UTF-8" }],
    original: "/wD+",
    original_encoding: "base64",
    truncated: false,
    original_bytes: 3,
    failed_at: "2026-06-01T12:00:01.000000Z",
    source: {
      topic: "raw-transactions",
      partition: 0,
      offset: "2",
      timestamp: "2026-06-01T12:00:00.000000Z",
    },
    schema_version: "1",
  });
  assertEquals(letters[4].errors, [{
    field: "transaction_id",
    expected: "an id that is not among the last 1024 accepted ids of its partition",
    actual: `"${testId(0)}"`,
  }]);
  assertEquals([letters[5].original.length, letters[5].truncated, letters[5].original_bytes], [
    10240,
    true,
    300_000,
  ]);
  assertEquals(result.counts.deadLettered, 6);
  assertEquals([...result.counts.errorsByType], [
    ["not_json", 2],
    ["not_utf8", 1],
    ["schema", 1],
    ["duplicate", 1],
    ["too_large", 1],
  ]);
  assertEquals([...result.counts.failuresByField], [["$", 4], ["amount", 1], ["currency", 1], [
    "transaction_id",
    1,
  ]]);
  assertEquals(result.deadLetterInfos[3], {
    errorType: "schema",
    fields: ["amount", "currency"],
    trace: "raw-transactions/0/4",
  });
});

Deno.test("a long original is cut between characters", () => {
  for (const shift of [0, 1, 2, 3]) {
    const value = "x".repeat(shift) + "🦊".repeat(5000);
    const [letter] = documents(run([{ offset: 0, value }]).deadLetters);
    assertEquals(letter.original_encoding, "utf8");
    assertEquals(letter.original, value.slice(0, letter.original.length));
    const bytes = new TextEncoder().encode(letter.original).length;
    assert(bytes <= 10240 && bytes > 10236, String(bytes));
  }
});

Deno.test("a record of control characters fits the dead-letter topic even when every byte is escaped", () => {
  const { deadLetters } = run([{ offset: 0, value: new Uint8Array(200_000).fill(1) }]);
  assert(columnsOf(deadLetters).values[0]!.length < 100_000);
});

Deno.test("a thousand errors with long names stay below the dead-letter topic's message size", () => {
  const members = Array.from({ length: 1200 }, (_, i) => `"${"n".repeat(90)}${i}":1`);
  const value = `{${[...members, ...members].join(",")}}`;
  assert(value.length < 256 * 1024, String(value.length));
  const { deadLetters } = run([{ offset: 0, value }]);
  assert(
    columnsOf(deadLetters).values[0]!.length < 512 * 1024,
    String(columnsOf(deadLetters).values[0]!.length),
  );
});

Deno.test("a record whose key is not its account is accepted and counted", () => {
  const { counts } = run([
    record(0),
    { ...record(1), key: "ACC1234568" },
    { ...record(2), key: null },
    { ...record(3), key: "" },
  ]);
  assertEquals([counts.accepted, counts.keyMismatch], [4, 3]);
});

Deno.test("names for the audit log, and labels for the metrics, are bounded", () => {
  const odd = Array.from(
    { length: 300 },
    (_, i) => ({ offset: i, value: `{"f${i}":1,"f${i}":2}` }),
  );
  const { counts, deadLetterInfos } = run(odd);
  assertEquals(deadLetterInfos.length, INFOS_MAX);
  assertEquals(
    [...counts.failuresByField.keys()].sort(),
    [...Object.keys(transaction()), "other"].sort(),
  );
  assertEquals(counts.failuresByField.get("other"), 300);
});

Deno.test("step refuses to judge before rules are in force", () => {
  const state = createPartitionState({ dedupIdsMax: 1024, accountsMax: 10 });
  assertThrows(() => run([record(0)], state), Error, `Cannot judge partition "0"`);
});
