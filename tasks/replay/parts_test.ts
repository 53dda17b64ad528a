import { assert, assertEquals, assertThrows } from "@std/assert";
import { MisuseError } from "../../contracts/errors.ts";
import { placeLine } from "./key.ts";
import { parseRate, parseTimeout, parseWait } from "./options.ts";
import { OwnLines } from "./own_lines.ts";
import { traceOffset } from "./follow.ts";
import { printProgress } from "./progress.ts";
import { shiftLine, timestampOf } from "./retime.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function place(text: string | Uint8Array, number = 7) {
  const bytes = typeof text === "string" ? encoder.encode(text) : text;
  const { key, partition } = placeLine({ number, bytes }, 4);
  return [key === null ? null : decoder.decode(key), partition];
}

Deno.test("a line goes by its account; where that cannot be read, by its number", () => {
  // Java: Utils.toPositive(Utils.murmur2("21".getBytes())) = 1173551340 (-973932308 is Kafka's own vector).
  assertEquals(place('{"account_id":"21"}'), ["21", 1173551340 % 4]);
  assertEquals(place('{"amount":1,"account_id":"\\u0032\\u0031"}'), ["21", 1173551340 % 4]);
  for (
    const text of [
      '{"account_id":21}',
      '{"account_id":""}',
      '{"account_id":null}',
      '{"x":{"account_id":"21"}}',
      '["21"]',
      '{"account_id":"21"',
      "null",
    ]
  ) {
    assertEquals(place(text), [null, 3], text);
  }
  assertEquals(place(new Uint8Array([123, 0xff, 125]), 8), [null, 0]);
});

Deno.test("shiftLine() changes the timestamp and no other byte", () => {
  const line = '  {"x" : {"timestamp":"2020-01-01T00:00:00Z"}, "timestamp" : ' +
    '"2026-01-31T23:59:59.123456789+01:00" ,"amount":1.10,"n":"\\u00e9"} ';
  const bytes = encoder.encode(line);
  // 23:59:59.123456 at +01:00 is 22:59:59.123456 UTC; one hour and 1 µs later:
  assertEquals(
    decoder.decode(shiftLine(bytes, 3_600_000_001)),
    line.replace("2026-01-31T23:59:59.123456789+01:00", "2026-01-31T23:59:59.123457Z"),
  );
});

Deno.test("a line without a readable timestamp stays as it is", () => {
  for (const text of ["{", '{"timestamp":5}', '{"timestamp":"soon"}', "[]", '{"a":1}']) {
    const bytes = encoder.encode(text);
    assertEquals(timestampOf(bytes), undefined);
    assert(shiftLine(bytes, 1) === bytes);
  }
});

Deno.test("OwnLines knows its own and counts each once", () => {
  const own = new OwnLines();
  own.add({ topic: "raw", partition: 1, baseOffset: 10, count: 2 });
  own.add({ topic: "raw", partition: 1, baseOffset: 12, count: 1 });
  own.add({ topic: "raw", partition: 1, baseOffset: 20, count: 2000 });
  own.add({ topic: "raw", partition: 3, baseOffset: 0, count: 1 });
  assertEquals([own.count, own.partitions], [2004, [1, 3]]);
  assertEquals([9, 10, 12, 13, 19, 20, 2019, 2020].map((offset) => own.has(1, offset)), [
    false,
    true,
    true,
    false,
    false,
    true,
    true,
    false,
  ]);
  assertEquals([own.mark(1, 12), own.mark(1, 12), own.mark(1, 13), own.mark(2, 0)], [
    "first",
    "again",
    "foreign",
    "foreign",
  ]);
  assertEquals([own.accounted, own.missing(3)], [1, ["1/10", "1/11", "1/20"]]);
  for (let offset = 20; offset < 2020; offset++) own.mark(1, offset);
  assertEquals([own.accounted, own.missing(9)], [2001, ["1/10", "1/11", "3/0"]]);
  assertThrows(
    () => own.add({ topic: "raw", partition: 1, baseOffset: 2019, count: 1 }),
    RangeError,
  );
});

Deno.test("traceOffset() reads traces of its partition only", () => {
  const prefix = encoder.encode("raw/1/");
  const offsets = ["raw/1/0", "raw/1/9007199254740991", "raw/11/5", "raw/2/5", "raw/1/", "raw/1/x"]
    .map((trace) => traceOffset(encoder.encode(trace), prefix));
  assertEquals(offsets, [0, 9007199254740991, -1, -1, -1, -1]);
  assertEquals(traceOffset(undefined, prefix), -1);
});

Deno.test("flags are checked", () => {
  assertEquals([parseRate(undefined), parseRate("max"), parseRate("2.5")], ["max", "max", 2.5]);
  assertEquals([parseTimeout(undefined), parseTimeout("90"), parseTimeout("1.5h")], [
    600_000,
    90_000,
    5_400_000,
  ]);
  assertEquals([parseWait(undefined), parseWait("stored")], ["sent", "stored"]);
  for (const rate of ["", "0", "-1", "fast", "Infinity"]) {
    assertThrows(() => parseRate(rate), MisuseError, "--rate");
  }
  for (const time of ["", "0", "10 m", "-5s", "soon"]) {
    assertThrows(() => parseTimeout(time), MisuseError, "--timeout");
  }
  assertThrows(() => parseWait("done"), MisuseError, "sent, processed, stored");
});

Deno.test("the progress bar fits its terminal and stays in its bounds", () => {
  const progress = { phase: "sending", share: 0.5, lines: 12345, seconds: 2 };
  assertEquals(
    printProgress(progress, 100),
    "sending  [████████████░░░░░░░░░░░░]  50 %  12,345 lines  6,173/s",
  );
  assertEquals(printProgress(progress, 20).length, 20);
  assert(printProgress({ ...progress, share: 1.7 }, 100).includes("100 %"));
  assertEquals(
    printProgress({ ...progress, share: undefined, seconds: 0 }, 80),
    "sending  12,345 lines",
  );
});
