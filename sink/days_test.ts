import { assertEquals } from "@std/assert";
import { dayFinder } from "./days.ts";
import { recordsOf } from "./testing_records.ts";

const TAIL = (date: string, flagged = false) =>
  `,"processing_timestamp":"2026-11-21T00:00:00.000001Z","partition_date":"${date}",` +
  `"is_flagged":${flagged},"rules_version":"0123456789ab"}`;

function daysOf(
  values: (string | Uint8Array)[],
  table: "transactions" | "alerts" = "transactions",
): (string | undefined)[] {
  const find = dayFinder(table);
  const records = recordsOf(values.map((value) => ({ value })));
  return values.map((_, index) => find(records, index));
}

Deno.test("dayFinder() reads the day where the processor put it", () => {
  const body = `{"timestamp":"2020-01-01T00:00:00Z"`;
  assertEquals(
    daysOf([
      body + TAIL("2026-11-21"),
      body + TAIL("2026-11-21", true),
      body + TAIL("2026-11-22"),
      // The record's own nested field of that name, and the same in a text, are not it.
      `{"x":{"a":1,"partition_date":"1999-01-01"},"y":",\\"partition_date\\":\\"1998-01-01\\""` +
      TAIL("2026-11-23"),
    ]),
    ["2026-11-21", "2026-11-21", "2026-11-22", "2026-11-23"],
  );
});

Deno.test("dayFinder() takes the UTC day of the timestamp of records of other writers", () => {
  assertEquals(
    daysOf([
      `{"timestamp":"2026-11-21T23:30:00-01:00"}`,
      `{"timestamp":"2026-11-21T00:30:00+01:00","partition_date":"nonsense-x","is_flagged":1}`,
      `{"timestamp":"2026-11-21"}`,
      `{"timestamp":17}`,
      `{}`,
      `[]`,
      `{"timestamp":`,
      Uint8Array.of(0xff),
      "",
    ]),
    ["2026-11-22", "2026-11-20", ...Array(7).fill(undefined)],
  );
});

Deno.test("dayFinder() knows the time of alerts, dead letters and sessions", () => {
  const time = "2026-11-21T23:30:00Z";
  for (
    const [table, value] of [
      ["alerts", { alert_timestamp: "2026-01-01T00:00:00Z", transaction: { timestamp: time } }],
      ["dead_letters", { failed_at: time }],
      ["pipeline_sessions", { start_timestamp: time, end_timestamp: "2026-12-01T00:00:00Z" }],
    ] as const
  ) {
    const records = recordsOf([{ value: JSON.stringify(value) }]);
    assertEquals(dayFinder(table)(records, 0), "2026-11-21", table);
  }
});

Deno.test("dayFinder() reads the day of the transaction that an alert quotes", () => {
  const alert = (transaction: string, description = "") =>
    `{"alert_id":"a","description":"${description}","evidence":{"ids":["x"]},"transaction":${transaction}}`;
  assertEquals(
    daysOf([
      alert(
        `{"transaction_id":"x","timestamp":"2026-11-20T23:59:59.999999Z","status":"completed"}`,
      ),
      alert(`{"transaction_id":"x","timestamp":"2026-11-21T00:00:00Z","status":"completed"}`),
      // Other places in the transaction, a brace and such a name in a text.
      alert(`{"timestamp":"2026-11-22T12:00:00.5Z","merchant_name":"{\\"timestamp\\":\\""}`),
      alert(`{"merchant_name":"{","timestamp":"2026-11-23T12:00:00Z"}`, "{"),
      alert(
        `{"a":"\\"transaction\\":{","timestamp":"2026-11-24T12:00:00Z"}`,
        "2026-01-01T00:00:00Z",
      ),
      // Spaces and an escaped name are read by parsing, times with an offset too.
      alert(`{ "timestamp" : "2026-11-25T12:00:00Z" }`),
      alert(`{"time\\u0073tamp":"2026-11-26T12:00:00Z"}`),
      alert(`{"timestamp":"2026-11-27T00:30:00+01:00"}`),
      alert(`{"timestamp":"2026-11-27T23:30:00-01:00"}`),
      // Another writer's: the transaction is not last.
      `{"transaction":{"timestamp":"2026-11-29T00:00:00Z"},"evidence":{"b":1}}`,
    ], "alerts"),
    [20, 21, 22, 23, 24, 25, 26, 26, 28, 29].map((day) => `2026-11-${day}`),
  );
});

Deno.test("dayFinder() finds no day in an alert without a valid time", () => {
  assertEquals(
    daysOf([
      `{"transaction":{"timestamp":"2026-02-30T00:00:00Z"}}`,
      `{"transaction":{"timestamp":"2026-02-28T00:00Z"}}`,
      `{"transaction":{"timestamp":""}}`,
      `{"transaction":{}}`,
      `{"timestamp":"2026-02-28T00:00:00Z"}`,
      `{"transaction":{"timestamp":"`,
      `x`,
    ], "alerts"),
    Array(7).fill(undefined),
  );
});
