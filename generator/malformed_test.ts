import { assert, assertEquals } from "@std/assert";
import { Transaction } from "../contracts/transaction.ts";
import { damage, DAMAGE_KINDS, printTokens, type Tokens } from "./malformed.ts";
import { createPrng } from "./prng.ts";

const NOW_US = Date.UTC(2026, 5, 1, 12) * 1000;
const TOKENS: Tokens = {
  transaction_id: '"1a2e9267-0b8c-4680-969b-20f5ee47d7f8"',
  timestamp: '"2026-06-01T11:59:59.944982Z"',
  account_id: '"ACC4961160"',
  amount: "78.98",
  currency: '"GBP"',
  merchant_name: '"Åke\'s \\"Foods\\""',
  merchant_category: '"groceries"',
  transaction_type: '"purchase"',
  location_country: '"GB"',
  status: '"completed"',
};

/** What only the processor can see: it has the bytes, the record's time and the ids before. */
const SEEN_BY_PROCESSOR = ["future_timestamp", "repeated_key", "duplicate_id"];

function damaged(kind: string, seed: number) {
  const context = { prng: createPrng(seed, "test"), earlier: TOKENS, nowUs: NOW_US };
  return damage(TOKENS, context, kind);
}

Deno.test("the undamaged transaction is valid", () => {
  assert(Transaction.safeParse(JSON.parse(printTokens(TOKENS))).success);
});

Deno.test("every kind of damage makes a record that the contract refuses", () => {
  for (const kind of DAMAGE_KINDS.filter((kind) => !SEEN_BY_PROCESSOR.includes(kind))) {
    for (let seed = 0; seed < 200; seed++) {
      const { value } = damaged(kind, seed);
      let parsed: unknown;
      try {
        parsed = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(value));
      } catch {
        continue;
      }
      const text = new TextDecoder().decode(value);
      assert(!Transaction.safeParse(parsed).success, `${kind} left it valid: ${text}`);
      assert(kind !== "bad_json" && kind !== "not_utf8", `${kind} left it readable: ${text}`);
    }
  }
});

Deno.test("damage that only the processor can see", () => {
  const text = (kind: string) => new TextDecoder().decode(damaged(kind, 1).value);
  const ahead = Date.parse(JSON.parse(text("future_timestamp")).timestamp) - NOW_US / 1000;
  assertEquals(ahead, 2 * 86_400_000);
  assertEquals(text("repeated_key").match(/"amount":/g)!.length, 2);
  const repeated = JSON.parse(text("duplicate_id"));
  assertEquals(repeated.transaction_id, JSON.parse(TOKENS.transaction_id));
  assert(text("duplicate_id") !== printTokens(TOKENS));
});

Deno.test("no damaged record holds a line end: files have one record a line", () => {
  for (const kind of DAMAGE_KINDS) {
    for (let seed = 0; seed < 50; seed++) assert(!damaged(kind, seed).value.includes(10));
  }
});
