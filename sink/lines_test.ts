import { assertEquals } from "@std/assert";
import type { RecordBatch } from "../broker/port.ts";
import { recordsOf } from "./testing_records.ts";
import { dayFinder, LineBuffer, LineEnds, traceOf } from "./lines.ts";

function linesOf(records: RecordBatch): string {
  const lines = new LineBuffer();
  const ends = new LineEnds();
  for (let index = 0; index < records.count; index++) {
    const lineEnds = ends.within(records, index);
    lines.add(records, index, { trace: traceOf(records, index), lineEnds });
  }
  return new TextDecoder().decode(lines.bytes.subarray(0, lines.length));
}

Deno.test("LineBuffer.add() puts the trace beside the untouched value", () => {
  const records = recordsOf([
    { value: `{"a":1}`, trace: "raw-transactions/0/0" },
    { value: `{"a":"p"}`, trace: "raw.x_y/12/9007199254740991" },
    { value: `{}` },
  ]);
  assertEquals(
    linesOf(records),
    `{"p":0,"o":0,"v":{"a":1}}\n` +
      `{"p":12,"o":9007199254740991,"v":{"a":"p"}}\n` +
      `{"p":null,"o":null,"v":{}}\n`,
  );
});

Deno.test("LineBuffer.add() takes no header for a trace that is none", () => {
  const traces = [
    "",
    "/",
    "raw",
    "raw/1",
    "1/2",
    "raw//2",
    "raw/1/",
    "raw/x/2",
    "raw/1/2x",
    "/1/2",
  ];
  const odd = [...traces, "raw/01/2", "raw/1/02", `raw/1/${"9".repeat(17)}`];
  for (const trace of odd) {
    assertEquals(linesOf(recordsOf([{ value: "1", trace }])), `{"p":null,"o":null,"v":1}\n`, trace);
  }
});

Deno.test("LineBuffer.add() makes one line of a record with line ends between its tokens", () => {
  const records = recordsOf([{ value: `{\r\n "a": 1\n}` }, { value: `{\n}` }]);
  assertEquals(
    linesOf(records),
    `{"p":null,"o":null,"v":{   "a": 1 }}\n{"p":null,"o":null,"v":{ }}\n`,
  );
});

Deno.test("LineBuffer.add() grows with the lines", () => {
  const value = JSON.stringify({ text: "x".repeat(300_000) });
  const text = linesOf(recordsOf([{ value }, { value }]));
  assertEquals(text, `{"p":null,"o":null,"v":${value}}\n`.repeat(2));
});

const TAIL = (date: string, flagged = false) =>
  `,"processing_timestamp":"2026-11-21T00:00:00.000001Z","partition_date":"${date}",` +
  `"is_flagged":${flagged},"rules_version":"0123456789ab"}`;

function daysOf(values: (string | Uint8Array)[]): (string | undefined)[] {
  const find = dayFinder("transactions");
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
