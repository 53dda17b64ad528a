import { assertEquals } from "@std/assert";
import { checkedRules, checkTable, rule } from "../testing.ts";

Deno.test("threshold fires strictly above the amount", () => {
  checkTable(
    [rule("high-value", "threshold", { amount: 10000 })],
    `
    amount            alert
    9999.99           -
    10000             -
    10000.00          -
    1e4               -
    10000.0001        high-value
    10000.01          high-value
    99999999999.9999  high-value
    -10000.01         -
    -99999999999      -
  `,
  );
});

Deno.test("threshold compares decimals that binary fractions cannot hold", () => {
  checkTable(
    [rule("t", "threshold", { amount: 0.3 })],
    `
    amount  alert
    0.3     -
    0.3000  -
    0.3001  t
    0.2999  -
  `,
  );
});

Deno.test("threshold with absolute counts a refund by its size", () => {
  checkTable(
    [rule("t", "threshold", { amount: 10000, absolute: true })],
    `
    type      amount      alert
    purchase  10000.01    t
    refund    -10000      -
    refund    -10000.01   t
    refund    -50         -
  `,
  );
});

Deno.test("threshold takes a currency's own amount before a category's before the general one", () => {
  const parameters = {
    amount: 10000,
    per_currency: { JPY: 1500000, EUR: 0 },
    per_category: { travel: 20000 },
  };
  checkTable(
    [rule("t", "threshold", parameters)],
    `
    currency  category  amount   alert
    USD       retail    10001    t
    USD       travel    10001    -
    USD       travel    20000    -
    USD       travel    20000.1  t
    JPY       retail    1500000  -
    JPY       retail    1500001  t
    JPY       travel    20001    -
    EUR       retail    0.01     t
    EUR       travel    0.0001   t
    EUR       retail    -0.01    -
  `,
  );
});

Deno.test("threshold explains itself with its numbers", () => {
  const [outcome] = checkTable(
    [rule("t", "threshold", { amount: 10000 })],
    `
    account     currency  category  amount     alert
    ACC1234567  EUR       dining    1234567.5  t
  `,
  );
  assertEquals(outcome!.explanations, [{
    description:
      "Account ACC1234567 moved 1,234,567.50 EUR in one transaction, above the limit of 10,000.00 EUR",
    evidence: { amount: 1234567.5, threshold: 10000, currency: "EUR", category: "dining" },
  }]);
});

Deno.test("threshold parameters are completed by their defaults", () => {
  const [checked] = checkedRules([rule("t", "threshold", { amount: 1 })]);
  assertEquals(checked!.parameters, {
    amount: 1,
    per_currency: {},
    per_category: {},
    absolute: false,
  });
});
