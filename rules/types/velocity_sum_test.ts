import { assertEquals } from "@std/assert";
import { checkTable, rule } from "../testing.ts";

const sum = (at_least: number, window_seconds: number, more: Record<string, unknown> = {}) => [
  rule("flow", "velocity", {
    measure: "sum",
    at_least,
    window_seconds,
    only: { currencies: ["USD"], ...more },
  }),
];

Deno.test("velocity by sum fires when the window holds at least the amount", () => {
  checkTable(
    sum(1000, 60),
    `
    time      amount    alert
    12:00:00  400       -
    12:00:10  599.9999  -
    12:00:20  0.0001    flow
    12:00:59  1         flow
    12:01:00  1         -
    12:02:30  1000      flow
  `,
  );
});

Deno.test("velocity by sum: refunds take away, other currencies and accounts do not count", () => {
  checkTable(
    sum(1000, 60),
    `
    account  time      currency  amount  alert
    A1       12:00:00  USD       900     -
    A1       12:00:01  USD       -200    -
    A1       12:00:02  EUR       5000    -
    A2       12:00:03  USD       900     -
    A1       12:00:04  USD       299     -
    A1       12:00:05  USD       1       flow
    A1       12:00:06  USD       -0.01   -
  `,
  );
});

// A pane is a second here: 12:00:00.900 and 12:00:59.999999 lie in sixty consecutive ones.
Deno.test("velocity by sum is exact to a sixtieth of the window", () => {
  checkTable(
    sum(100, 60),
    `
    time             amount  alert
    12:00:00.900     60      -
    12:00:59.999999  40      flow
    12:01:00.100     30      -
    12:01:00.200     30      flow
  `,
  );
});

Deno.test("velocity by sum: in any order the transaction that completes the amount fires", () => {
  checkTable(
    sum(100, 3600),
    `
    time      amount  alert
    12:50:00  30      -
    11:55:00  30      -
    12:10:00  30      -
    12:40:00  5       -
    12:30:00  5       flow
    11:00:00  500     flow
    11:57:00  1       flow
    13:39:59  30      -
    13:29:59  5       -
    13:05:00  30      flow
  `,
  );
});

Deno.test("velocity by sum stays exact far beyond 2^53 ten-thousandths", () => {
  const rows = Array.from({ length: 40 }, () => "12:00:00  99999999999.9999  flow").join("\n");
  checkTable(
    sum(99999999999.9999, 60),
    `
    time      amount            alert
    ${rows}
    12:00:00  -99999999999.9999 flow
  `,
  );
  checkTable(
    sum(0.0002, 60),
    `
    time      amount             alert
    12:00:00  0.0001             -
    ${rows}
    ${Array.from({ length: 39 }, () => "12:00:00 -99999999999.9999 flow").join("\n")}
    12:00:00 -99999999999.9999 -
    12:00:00  0.0001             flow
  `,
  );
});

Deno.test("velocity by sum says how much, in what, since when", () => {
  const outcomes = checkTable(
    sum(1000, 60),
    `
    account  time      amount  alert
    A1       12:00:30  600     -
    A1       12:01:10  650.5   flow
  `,
  );
  assertEquals(outcomes[1]!.explanations, [{
    description: "Account A1 moved 1,250.50 USD within 60 s (limit: 1,000.00 USD)",
    evidence: {
      measure: "sum",
      sum: 1250.5,
      currency: "USD",
      at_least: 1000,
      window_seconds: 60,
      from: "2026-01-15T12:00:11.000000Z",
      to: "2026-01-15T12:01:11.000000Z",
    },
  }]);
});
