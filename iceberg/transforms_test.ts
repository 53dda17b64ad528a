import { assertEquals, assertThrows } from "@std/assert";
import { IcebergError } from "./errors.ts";
import { valueFromJson } from "./single_value.ts";
import {
  applyTransform,
  hashValue,
  humanValue,
  parseTransform,
  transformResultType,
} from "./transforms.ts";
import type { PrimitiveType, Value } from "./types.ts";

function value(type: PrimitiveType, json: unknown): Value {
  return valueFromJson(type, json) as Value;
}

// Spec Appendix B "32-bit Hash Requirements", both tables.
const HASHES: [type: PrimitiveType, json: unknown, hash: number][] = [
  ["int", 34, 2017239379],
  ["long", 34, 2017239379],
  ["decimal(4, 2)", "14.20", -500754589],
  ["date", "2017-11-16", -653330422],
  ["time", "22:31:08", -662762989],
  ["timestamp", "2017-11-16T22:31:08", -2047944441],
  ["timestamp", "2017-11-16T22:31:08.000001", -1207196810],
  ["timestamptz", "2017-11-16T14:31:08-08:00", -2047944441],
  ["timestamptz", "2017-11-16T14:31:08.000001-08:00", -1207196810],
  ["string", "iceberg", 1210000089],
  ["uuid", "f79c3e09-677c-4bbd-a479-3f349cb785e7", 1488055340],
  ["fixed[4]", "00010203", -188683207],
  ["binary", "00010203", -188683207],
  ["boolean", true, 1392991556],
  ["float", 1, -142385009],
  ["float", -0, 1669671676],
  ["double", 1, -142385009],
  ["double", 0, 1669671676],
  ["double", -0, 1669671676],
];

for (const [type, json, hash] of HASHES) {
  Deno.test(`hashValue() gives the spec's hash of ${type} ${json}`, () => {
    assertEquals(hashValue(type, value(type, json)), hash);
  });
}

// Bucket: (hash & 0x7fffffff) % N of the hashes above. Truncate: spec "Truncate Transform Details" and
// TestTruncate.java. Time: TestTimestamps.java and TestDates.java of apache/iceberg.
const TRANSFORMS: [transform: string, type: PrimitiveType, json: unknown, result: Value | null][] =
  [
    ["identity", "string", "x", "x"],
    ["void", "string", "x", null],
    ["bucket[100]", "int", 34, 79],
    ["bucket[100]", "long", 34, 79],
    ["bucket[128]", "date", "2017-11-16", 10],
    ["bucket[16]", "string", "iceberg", 9],
    ["bucket[10]", "binary", "00010203", 1],
    ["truncate[10]", "int", 1, 0],
    ["truncate[10]", "int", 11, 10],
    ["truncate[10]", "int", -1, -10],
    ["truncate[10]", "int", -10, -10],
    ["truncate[10]", "int", -11, -20],
    ["truncate[10]", "long", 9, 0n],
    ["truncate[10]", "long", -5, -10n],
    ["truncate[10]", "long", -11, -20n],
    ["truncate[50]", "decimal(4, 2)", "10.65", 1050n],
    ["truncate[10]", "decimal(9, 2)", "12.34", 1230n],
    ["truncate[10]", "decimal(9, 2)", "12.29", 1220n],
    ["truncate[10]", "decimal(9, 2)", "-0.05", -10n],
    ["truncate[3]", "string", "iceberg", "ice"],
    ["truncate[5]", "string", "abc", "abc"],
    ["truncate[2]", "string", "\u{1f600}\u{1f601}\u{1f602}", "\u{1f600}\u{1f601}"],
    ["truncate[3]", "binary", "0102030405", Uint8Array.of(1, 2, 3)],
    ["year", "timestamp", "2017-12-01T10:12:55.038194", 47],
    ["month", "timestamp", "2017-12-01T10:12:55.038194", 575],
    ["day", "timestamp", "2017-12-01T10:12:55.038194", 17501],
    ["hour", "timestamp", "2017-12-01T10:12:55.038194", 420034],
    ["year", "timestamptz", "1970-01-01T00:00:01.000001Z", 0],
    ["hour", "timestamptz", "1970-01-01T00:00:01.000001Z", 0],
    ["year", "timestamptz", "1969-12-31T23:59:59.999999Z", -1],
    ["month", "timestamptz", "1969-12-31T23:59:59.999999Z", -1],
    ["day", "timestamptz", "1969-12-31T23:59:59.999999Z", -1],
    ["hour", "timestamptz", "1969-12-31T23:59:59.999999Z", -1],
    ["year", "date", "2017-12-01", 47],
    ["month", "date", "2017-12-01", 575],
    ["day", "date", "2017-12-01", 17501],
    ["month", "date", "1969-12-31", -1],
  ];

for (const [transform, type, json, result] of TRANSFORMS) {
  Deno.test(`applyTransform() gives ${transform} of ${type} ${json} as ${result}`, () => {
    assertEquals(applyTransform(transform, type, value(type, json)), result);
    assertEquals(applyTransform(transform, type, null), null);
  });
}

Deno.test("bucket drops the sign bit before the modulus", () => {
  // -500754589 & 0x7fffffff = 1646729059 (spec "Bucket Transform Details").
  assertEquals(applyTransform("bucket[1000]", "decimal(4, 2)", 1420n), 59);
});

const RESULT_TYPES: [transform: string, source: PrimitiveType, result: PrimitiveType][] = [
  ["identity", "uuid", "uuid"],
  ["bucket[16]", "decimal(9, 2)", "int"],
  ["truncate[4]", "decimal(9, 2)", "decimal(9, 2)"],
  ["year", "date", "int"],
  ["month", "timestamp", "int"],
  ["day", "timestamptz", "date"],
  ["hour", "timestamptz", "int"],
  ["void", "string", "string"],
];

for (const [transform, source, result] of RESULT_TYPES) {
  Deno.test(`transformResultType() of ${transform} over ${source} is ${result}`, () => {
    assertEquals(transformResultType(transform, source), result);
  });
}

const REFUSED: [transform: string, source: PrimitiveType][] = [
  ["bucket[16]", "double"],
  ["bucket[16]", "boolean"],
  ["truncate[4]", "timestamp"],
  ["truncate[4]", "uuid"],
  ["hour", "date"],
  ["day", "long"],
];

for (const [transform, source] of REFUSED) {
  Deno.test(`transformResultType() refuses ${transform} of a ${source}`, () => {
    assertThrows(
      () => transformResultType(transform, source),
      IcebergError,
      `Cannot apply "${transform}" to a ${source}`,
    );
  });
}

Deno.test("parseTransform() keeps what it does not know, and only writing refuses it", () => {
  assertEquals(parseTransform("zorder[3]"), { kind: "unknown" });
  assertEquals(parseTransform("bucket[0]"), { kind: "unknown" });
  assertThrows(() => applyTransform("zorder[3]", "int", 1), IcebergError, "unknown transform");
});

// TestTimestamps.java and TestDates.java, …ToHumanString.
const HUMAN: [transform: string, type: PrimitiveType, json: unknown, text: string][] = [
  ["year", "timestamp", "2017-12-01T10:12:55.038194", "2017"],
  ["month", "timestamp", "2017-12-01T10:12:55.038194", "2017-12"],
  ["day", "timestamp", "2017-12-01T10:12:55.038194", "2017-12-01"],
  ["hour", "timestamp", "2017-12-01T10:12:55.038194", "2017-12-01-10"],
  ["year", "timestamp", "1969-12-30T10:12:55.038194", "1969"],
  ["month", "timestamp", "1969-12-30T10:12:55.038194", "1969-12"],
  ["day", "timestamp", "1969-12-30T10:12:55.038194", "1969-12-30"],
  ["hour", "timestamp", "1969-12-30T10:12:55.038194", "1969-12-30-10"],
  ["month", "date", "1969-01-01", "1969-01"],
  ["identity", "decimal(4, 2)", "14.20", "14.20"],
  ["bucket[16]", "string", "iceberg", "9"],
];

for (const [transform, type, json, text] of HUMAN) {
  Deno.test(`humanValue() of ${transform}(${json}) is ${text}`, () => {
    const result = applyTransform(transform, type, value(type, json));
    assertEquals(humanValue(transform, type, result), text);
  });
}
