import { assertEquals } from "@std/assert";
import type { RecordBatch } from "../broker/port.ts";
import { recordsOf } from "./testing_records.ts";
import { LineBuffer } from "./lines.ts";

function linesOf(records: RecordBatch): string {
  const lines = new LineBuffer();
  for (let index = 0; index < records.count; index++) lines.add(records, index);
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

Deno.test("LineBuffer.add() finds a line end wherever it lies, and no other byte", () => {
  for (let length = 1; length < 20; length++) {
    for (let at = 0; at < length; at++) {
      const value = new Uint8Array(length).fill(0xf0);
      value[at] = at % 2 === 0 ? 0x0a : 0x0d;
      const lines = new LineBuffer();
      lines.add(recordsOf([{ value }]), 0);
      const start = `{"p":null,"o":null,"v":`.length;
      const expected = value.map((byte) => byte < 0x20 ? 0x20 : byte);
      assertEquals(lines.bytes.slice(start, start + length), expected, `${at} of ${length}`);
      assertEquals(lines.bytes[lines.length - 1], 0x0a);
    }
  }
});

Deno.test("LineBuffer.add() grows with the lines", () => {
  const value = JSON.stringify({ text: "x".repeat(300_000) });
  const text = linesOf(recordsOf([{ value }, { value }]));
  assertEquals(text, `{"p":null,"o":null,"v":${value}}\n`.repeat(2));
});
