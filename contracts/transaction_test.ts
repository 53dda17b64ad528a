import { assert, assertEquals } from "@std/assert";
import { ADDED_FIELDS, EXPECTED, Transaction, TRANSACTION_FIELDS } from "./transaction.ts";

const GOOD = {
  transaction_id: "0b9d2b3a-6f5e-4c1d-8a7b-1234567890ab",
  timestamp: "2026-03-01T10:00:00.123456Z",
  account_id: "ACC1234567",
  amount: 12.5,
  currency: "EUR",
  merchant_name: "Corner Shop",
  merchant_category: "groceries",
  transaction_type: "purchase",
  location_country: "DE",
  status: "completed",
};

const TABLE: readonly [field: string, value: unknown, verdict: "ok" | "no"][] = [
  ["transaction_id", "0B9D2B3A-6F5E-4C1D-8A7B-1234567890AB", "ok"],
  ["transaction_id", "0b9d2b3a6f5e4c1d8a7b1234567890ab", "no"],
  ["timestamp", "1999-12-31T23:59:59.999999Z", "no"],
  ["timestamp", "2000-01-01T00:00:00Z", "ok"],
  ["timestamp", "2026-03-01T10:00:00", "no"],
  ["account_id", "a".repeat(64), "ok"],
  ["account_id", "a".repeat(65), "no"],
  ["account_id", "", "no"],
  ["account_id", "ACC-1", "no"],
  ["amount", -0.0001, "ok"],
  ["amount", 0, "no"],
  ["amount", 99999999999.9999, "ok"],
  ["amount", 1e11, "no"],
  ["amount", 0.00001, "no"],
  ["amount", "12.5", "no"],
  ["amount", Infinity, "no"],
  ["currency", "eur", "no"],
  ["currency", "XXX", "no"],
  ["currency", "DEM", "no"],
  ["currency", "JPY", "ok"],
  ["merchant_name", " \t", "no"],
  ["merchant_category", "Retail", "no"],
  ["transaction_type", "purchase ", "no"],
  ["location_country", "UK", "no"],
  ["location_country", "GB", "ok"],
  ["status", "done", "no"],
];

Deno.test("Transaction accepts and refuses field by field", () => {
  for (const [field, value, verdict] of TABLE) {
    const { success } = Transaction.safeParse({ ...GOOD, [field]: value });
    assertEquals(success, verdict === "ok", `${field} = ${JSON.stringify(value)}`);
  }
});

Deno.test("Transaction requires each of the ten fields", () => {
  assertEquals(TRANSACTION_FIELDS.length, 10);
  for (const field of TRANSACTION_FIELDS) {
    const { [field]: _, ...rest } = GOOD;
    const result = Transaction.safeParse(rest);
    assert(!result.success);
    assertEquals(result.error.issues.map((issue) => issue.path.join(".")), [field]);
  }
});

Deno.test("Transaction carries unknown fields along", () => {
  const parsed = Transaction.parse({ ...GOOD, device_id: "d1" });
  assertEquals(parsed["device_id"], "d1");
});

Deno.test("every field of the contract says what is expected of it", () => {
  assertEquals(Object.keys(Transaction.shape), Object.keys(EXPECTED));
  for (const name of ADDED_FIELDS) assert(!(name in EXPECTED));
});
