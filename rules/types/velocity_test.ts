import { assertEquals } from "@std/assert";
import { checkTable, rule } from "../testing.ts";

const burst = (parameters: Record<string, unknown>) => [rule("burst", "velocity", parameters)];
const five = burst({ at_least: 5, window_seconds: 60 });
const three = burst({ at_least: 3, window_seconds: 60 });

Deno.test("velocity fires on the transaction that completes a burst, and on each within it", () => {
  checkTable(
    five,
    `
    time      alert
    12:00:00  -
    12:00:01  -
    12:00:02  -
    12:00:03  -
    12:00:04  burst
    12:00:05  burst
    12:01:03  -
    12:01:04  -
  `,
  );
});

Deno.test("velocity: exactly 60 s apart is not within one window", () => {
  checkTable(
    five,
    `
    time             alert
    12:00:00         -
    12:00:15         -
    12:00:30         -
    12:00:45         -
    12:01:00         -
    12:01:14.999999  burst
    12:01:30         -
  `,
  );
  checkTable(
    burst({ at_least: 2, window_seconds: 60 }),
    `
    account  time             alert
    A1       12:00:00         -
    A1       12:01:00         -
    A2       12:00:00         -
    A2       12:00:59.999999  burst
    A3       12:01:00         -
    A3       12:00:00         -
    A4       12:00:59.999999  -
    A4       12:00:00         burst
  `,
  );
});

Deno.test("velocity counts each account by itself", () => {
  checkTable(
    three,
    `
    account  time      alert
    A1       12:00:00  -
    A2       12:00:01  -
    A1       12:00:02  -
    A2       12:00:03  -
    A11      12:00:04  -
    A1       12:00:05  burst
    A2       12:00:06  burst
  `,
  );
});

Deno.test("velocity: in any order the transaction that completes the burst carries the alert", () => {
  checkTable(
    five,
    `
    account  time      alert
    A1       12:00:40  -
    A1       12:00:10  -
    A1       12:00:30  -
    A1       12:00:00  -
    A1       12:00:20  burst
    A1       12:00:59  burst
    A1       11:59:59  burst
    A1       11:59:20  -
    A2       12:00:50  -
    A2       12:01:40  -
    A2       12:01:30  -
    A2       12:01:10  -
    A2       12:01:20  burst
    A2       12:00:51  burst
    A2       12:00:45  burst
    A2       12:00:00  -
    A2       12:00:30  burst
  `,
  );
});

Deno.test("velocity: several at the same instant", () => {
  checkTable(
    three,
    `
    account  time      alert
    A1       12:00:00  -
    A1       12:00:00  -
    A1       12:00:00  burst
    A1       12:00:59  burst
    A1       12:01:00  -
    A1       12:01:00  burst
    A1       11:59:01  burst
    A1       11:59:00  -
  `,
  );
});

Deno.test("velocity: last year replayed beside live traffic disturbs neither", () => {
  checkTable(
    three,
    `
    time                  alert
    2026-01-15T12:00:00Z  -
    2025-01-15T12:00:00Z  -
    2026-01-15T12:00:10Z  -
    2025-01-15T12:00:10Z  -
    2025-01-15T12:00:20Z  burst
    2026-01-15T12:00:20Z  burst
    2025-01-15T12:01:15Z  -
    2026-01-15T12:00:59Z  burst
    2025-01-15T12:00:59Z  burst
  `,
  );
});

Deno.test("velocity keeps 16 buckets of an account: the least recently touched is forgotten", () => {
  // Two a minute in 16 different minutes, then the first minute again, then a 17th minute: that takes
  // the place of 12:01, which by then is the one touched longest ago.
  const minutes = Array.from({ length: 16 }, (_, i) => String(i).padStart(2, "0"));
  checkTable(
    three,
    `
    time      alert
    ${minutes.map((m) => `12:${m}:00  -\n 12:${m}:10 -`).join("\n")}
    12:00:20  burst
    12:40:00  -
    12:01:20  -
    12:00:30  burst
    12:03:20  burst
  `,
  );
});

Deno.test("velocity keeps so many accounts: the least recently touched is forgotten", () => {
  checkTable(
    three,
    `
    account  time      alert
    A1       12:00:00  -
    A2       12:00:00  -
    A1       12:00:01  -
    A2       12:00:01  -
    A1       12:00:02  burst
    A3       12:00:02  -
    A1       12:00:03  burst
    A2       12:00:03  -
    A2       12:00:04  -
    A2       12:00:05  burst
    A1       12:00:06  burst
  `,
    { accountsMax: 2 },
  );
});

Deno.test("velocity looks only at what its filter lets through", () => {
  const only = { currencies: ["EUR", "CHF"], categories: ["online"], statuses: ["completed"] };
  checkTable(
    burst({ at_least: 3, window_seconds: 60, only }),
    `
    time      currency  category  status     alert
    12:00:00  EUR       online    completed  -
    12:00:01  CHF       online    completed  -
    12:00:02  USD       online    completed  -
    12:00:03  EUR       retail    completed  -
    12:00:04  EUR       online    failed     -
    12:00:05  EUR       online    completed  burst
  `,
  );
  checkTable(
    burst({ at_least: 2, window_seconds: 60, only: { transaction_types: ["refund"] } }),
    `
    time      type      amount  alert
    12:00:00  refund    -5      -
    12:00:01  purchase  5       -
    12:00:02  refund    -5      burst
  `,
  );
});

Deno.test("velocity with other windows and counts", () => {
  checkTable(
    burst({ at_least: 2, window_seconds: 1 }),
    `
    time             alert
    12:00:00         -
    12:00:01         -
    12:00:01.999999  burst
    12:00:02.999999  -
  `,
  );
  checkTable(
    burst({ at_least: 2, window_seconds: 7 * 86400 }),
    `
    time                  alert
    2026-01-01T00:00:00Z  -
    2026-01-08T00:00:00Z  -
    2026-01-14T23:59:59Z  burst
  `,
  );
});

Deno.test("velocity names the burst: how many, when, and which", () => {
  const outcomes = checkTable(
    three,
    `
    account  time             alert
    A1       12:00:30         -
    A1       12:00:00.250     -
    A1       12:00:10         burst
    A1       12:00:20         burst
    A1       12:01:05         burst
  `,
  );
  assertEquals(outcomes[2]!.explanations, [{
    description: "Account A1 made 3 transactions within 29.8 s (limit: 3 in 60 s)",
    evidence: {
      measure: "count",
      transactions: 3,
      at_least: 3,
      window_seconds: 60,
      from: "2026-01-15T12:00:00.250000Z",
      to: "2026-01-15T12:00:30.000000Z",
      transaction_ids: ["#1", "#0", "#2"],
    },
  }]);
  assertEquals(outcomes[3]!.explanations[0]!.evidence.transaction_ids, ["#1", "#2", "#0", "#3"]);
  // Of the bucket before, only the two nearest are known: what is said is true, if not the whole.
  assertEquals(outcomes[4]!.explanations[0]!.evidence, {
    measure: "count",
    transactions: 3,
    at_least: 3,
    window_seconds: 60,
    from: "2026-01-15T12:00:20.000000Z",
    to: "2026-01-15T12:01:05.000000Z",
    transaction_ids: ["#3", "#0", "#4"],
  });
});

Deno.test("velocity names at most 20 transactions, its own among them", () => {
  const rows = Array.from({ length: 40 }, (_, i) => `12:00:${String(i).padStart(2, "0")}`);
  const outcomes = checkTable(
    burst({ at_least: 30, window_seconds: 60 }),
    `
    time  alert
    ${rows.map((time, i) => `${time} ${i >= 29 ? "burst" : "-"}`).join("\n")}
  `,
  );
  const { evidence } = outcomes.at(-1)!.explanations[0]!;
  const ids = evidence.transaction_ids as string[];
  assertEquals(evidence.transactions, 40);
  assertEquals(ids.length, 20);
  assertEquals(new Set(ids).size, 20);
  assertEquals(ids.at(-1), "#39");
});
