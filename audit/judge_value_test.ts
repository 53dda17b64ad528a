/** The contract by examples: a row is a raw value, the last column what it is. */
import { assertEquals } from "@std/assert";
import { Transaction, TRANSACTION_FIELDS } from "../contracts/transaction.ts";
import { judgeValue } from "./judge_value.ts";
import { TEST_TRANSACTION } from "./testing_transaction.ts";

const AT_MS = Date.UTC(2026, 0, 10, 12);
const encoder = new TextEncoder();

const FINE = TEST_TRANSACTION;

function text(changes: Record<string, unknown> = {}): string {
  return JSON.stringify({ ...FINE, ...changes });
}

function verdict(value: string | Uint8Array | null): string {
  const bytes = typeof value === "string" ? encoder.encode(value) : value;
  const judged = judgeValue({ bytes, timestampMs: AT_MS, recordBytesMax: 4096 });
  return typeof judged === "string" ? judged : "a transaction";
}

const deep = (depth: number): unknown => depth === 0 ? 1 : [deep(depth - 1)];
const extras = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`x${n}`, 1]));

const TABLE: readonly [what: string, value: string | Uint8Array | null, expected: string][] = [
  ["as it should be", text(), "a transaction"],
  ["spaces", text().replaceAll(",", " ,\n"), "a transaction"],
  ["an extra field", text({ device: { id: 1 } }), "a transaction"],
  ["200 extra fields", text(extras(200)), "a transaction"],
  ["201 extra fields", text(extras(201)), "schema"],
  ["as deep as allowed", text({ x: deep(7) }), "a transaction"],
  ["deeper", text({ x: deep(8) }), "schema"],
  ["a tombstone", null, "not_json"],
  ["nothing", "", "not_json"],
  ["no JSON", "{no", "not_json"],
  ["a list", "[1]", "not_an_object"],
  ["null", "null", "not_an_object"],
  ["no UTF-8", new Uint8Array([0x7b, 0xff, 0x7d]), "not_utf8"],
  ["too many bytes", text({ x: "y".repeat(5000) }), "too_large"],
  ["a key twice", text().replace("{", '{"status":"failed",'), "schema"],
  ["a field that the processor adds", text({ is_flagged: false }), "schema"],
  ["a forbidden key", text().replace("{", '{"__proto__":1,'), "schema"],
  ["a field that is missing", text({ status: undefined }), "schema"],
  ["an unknown currency", text({ currency: "ZZZ" }), "schema"],
  ["a blank name", text({ merchant_name: "  " }), "schema"],
  ["an amount of 0", text({ amount: 0 }), "schema"],
  ["a text for an amount", text({ amount: "5" }), "schema"],
  ["4 decimals", text().replace('"amount":5', '"amount":5.1234'), "a transaction"],
  ["5 decimals", text().replace('"amount":5', '"amount":5.12345'), "schema"],
  [
    "digits that no double holds",
    text().replace('"amount":5', '"amount":5.00000000000000000001'),
    "schema",
  ],
  ["60 s ahead of Kafka", text({ timestamp: "2026-01-10T12:01:00Z" }), "a transaction"],
  ["a microsecond more", text({ timestamp: "2026-01-10T12:01:00.000001Z" }), "schema"],
  ["before 2000", text({ timestamp: "1999-12-31T23:59:59Z" }), "schema"],
];

for (const [what, value, expected] of TABLE) {
  Deno.test(`a raw value with ${what} is ${expected}`, () => {
    assertEquals(verdict(value), expected);
  });
}

Deno.test("a transaction has its id in lower case, and exact time and amount", () => {
  const bytes = encoder.encode(
    text({ timestamp: "2026-01-10T13:00:00.0000019+01:00" }).replace(
      '"amount":5',
      '"amount":-5.10',
    ),
  );
  const judged = judgeValue({ bytes, timestampMs: AT_MS, recordBytesMax: 4096 });
  if (typeof judged === "string") throw new Error(judged);
  assertEquals(judged.transactionId, FINE.transaction_id.toLowerCase());
  assertEquals(judged.timestampUs, AT_MS * 1000 + 1);
  assertEquals(judged.amountUnits, -51_000n);
});

Deno.test("whatever stands in a field, the verdict is that of the contract's schema", () => {
  const values = [
    ...["", " ", "x", "EUR", "eur", "DE", "de", "retail", "Retail", "purchase", "completed", "XXX"],
    ...[null, 0, 1, true, [], {}, "ACC_1", "A".repeat(64), "A".repeat(65), "\u00a0", "\ud800"],
    ...["2026-01-10", "2026-01-10T12:00:00", "2026-02-30T12:00:00Z", "2000-01-01T00:00:00Z"],
    ...[
      "1999-12-31T23:59:59.999999999Z",
      "0a000000-0000-4000-8000-00000000000g",
      "2026-01-10t12:00:00z",
    ],
  ];
  for (const field of TRANSACTION_FIELDS) {
    if (field === "amount") continue; // of which the token decides
    for (const value of values) {
      const changed = { ...FINE, [field]: value };
      const { success } = Transaction.safeParse(changed);
      const expected = success ? "a transaction" : "schema";
      assertEquals(
        verdict(JSON.stringify(changed)),
        expected,
        `${field}: ${JSON.stringify(value)}`,
      );
    }
  }
});
