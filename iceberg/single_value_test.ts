import { assertEquals, assertThrows } from "@std/assert";
import { IcebergError } from "./errors.ts";
import {
  bigintToBytes,
  decodeValue,
  encodeValue,
  valueFromJson,
  valueToJson,
} from "./single_value.ts";
import type { PrimitiveType, Value } from "./types.ts";

const UUID = "f79c3e09-677c-4bbd-a479-3f349cb785e7";

// The vectors of apache/iceberg api/src/test/java/org/apache/iceberg/types/TestConversions.java.
const BINARY: [type: PrimitiveType, value: Value, hex: string][] = [
  ["boolean", false, "00"],
  ["boolean", true, "01"],
  ["int", 84202, "ea480100"],
  ["long", 200n, "c800000000000000"],
  ["float", -4.5, "000090c0"],
  ["double", 6, "0000000000001840"],
  ["date", 1000, "e8030000"],
  ["time", 10000n, "1027000000000000"],
  ["timestamp", 400000n, "801a060000000000"],
  ["timestamptz", 400000n, "801a060000000000"],
  ["string", "ABC", "414243"],
  ["uuid", UUID, "f79c3e09677c4bbda4793f349cb785e7"],
  ["fixed[2]", Uint8Array.of(97, 98), "6162"],
  ["binary", Uint8Array.of(90), "5a"],
  ["decimal(3, 2)", 345n, "0159"],
  ["decimal(7, 4)", 1234567n, "12d687"],
  ["decimal(7, 4)", -1234567n, "ed2979"],
  ["decimal(10, 3)", 11n, "0b"],
];

for (const [type, value, hex] of BINARY) {
  Deno.test(`encodeValue() gives Java's bytes for ${type} ${value}`, () => {
    assertEquals(encodeValue(type, value).toHex(), hex);
    assertEquals(decodeValue(type, Uint8Array.fromHex(hex)), value);
  });
}

Deno.test("decodeValue() reads bounds from before a promotion (spec, Schema Evolution)", () => {
  assertEquals(decodeValue("long", Uint8Array.fromHex("ea480100")), 84202n);
  assertEquals(decodeValue("double", Uint8Array.fromHex("000090c0")), -4.5);
  assertEquals(decodeValue("decimal(18, 4)", Uint8Array.fromHex("0159")), 345n);
});

Deno.test("encodeValue() holds the whole range of long", () => {
  assertEquals(encodeValue("long", -(2n ** 63n)).toHex(), "0000000000000080");
  assertEquals(decodeValue("long", Uint8Array.fromHex("ffffffffffffff7f")), 2n ** 63n - 1n);
  assertThrows(() => encodeValue("long", 2n ** 63n), IcebergError, "not a 64-bit integer");
});

// java.math.BigInteger.toByteArray(): "the minimum number of bytes … including at least one sign bit".
const TWOS_COMPLEMENT: [bigint, string][] = [
  [0n, "00"],
  [127n, "7f"],
  [128n, "0080"],
  [255n, "00ff"],
  [256n, "0100"],
  [-1n, "ff"],
  [-128n, "80"],
  [-129n, "ff7f"],
  [-256n, "ff00"],
  [-32768n, "8000"],
  [10n ** 38n - 1n, "4b3b4ca85a86c47a098a223fffffffff"],
];

for (const [value, hex] of TWOS_COMPLEMENT) {
  Deno.test(`bigintToBytes() uses the fewest bytes for ${value}`, () => {
    assertEquals(bigintToBytes(value).toHex(), hex);
    assertEquals(decodeValue("decimal(38, 0)", Uint8Array.fromHex(hex)), value);
  });
}

Deno.test("encodeValue() refuses a value of another kind, naming both", () => {
  assertThrows(
    () => encodeValue("long", 7),
    IcebergError,
    'Cannot encode "7" as long: expected a bigint',
  );
  assertThrows(() => encodeValue("uuid", "no"), IcebergError, "not a UUID");
  assertThrows(() => encodeValue("int", 2 ** 31), IcebergError, "not a 32-bit integer");
  assertThrows(() => encodeValue("fixed[2]", new Uint8Array(3)), IcebergError, "3 bytes");
});

Deno.test("decodeValue() refuses bytes of the wrong length", () => {
  assertThrows(() => decodeValue("int", new Uint8Array(3)), IcebergError, "from 3 bytes");
  assertThrows(() => decodeValue("timestamptz", new Uint8Array(4)), IcebergError, "expected 8");
});

// The examples of the spec, Appendix D "JSON single-value serialization".
const JSON_FORM: [type: PrimitiveType, value: Value, json: unknown][] = [
  ["boolean", true, true],
  ["int", 34, 34],
  ["long", 3055729675574597004n, 3055729675574597004n],
  ["double", 1, 1],
  ["decimal(4, 2)", 1420n, "14.20"],
  ["decimal(4, 2)", -5n, "-0.05"],
  ["decimal(9, 0)", 7n, "7"],
  ["date", 17486, "2017-11-16"],
  ["date", -1, "1969-12-31"],
  ["time", 81068123456n, "22:31:08.123456"],
  ["timestamp", 1510871468123456n, "2017-11-16T22:31:08.123456"],
  ["timestamptz", 1510871468123456n, "2017-11-16T22:31:08.123456+00:00"],
  ["timestamptz", -1n, "1969-12-31T23:59:59.999999+00:00"],
  ["string", "iceberg", "iceberg"],
  ["uuid", UUID, UUID],
  ["fixed[4]", Uint8Array.of(0, 1, 2, 255), "000102ff"],
  ["binary", Uint8Array.of(0, 1, 2, 255), "000102ff"],
];

for (const [type, value, json] of JSON_FORM) {
  Deno.test(`valueToJson() gives the spec's form of ${type} ${json}`, () => {
    assertEquals(valueToJson(type, value), json);
    assertEquals(valueFromJson(type, json), value);
  });
}

Deno.test("valueFromJson() takes any offset for timestamptz and none for timestamp", () => {
  assertEquals(
    valueFromJson("timestamptz", "2017-11-16T14:31:08.123456-08:00"),
    1510871468123456n,
  );
  assertThrows(() => valueFromJson("timestamp", "2017-11-16T22:31:08Z"), IcebergError);
  assertThrows(() => valueFromJson("timestamptz", "2017-11-16T22:31:08"), IcebergError);
});

const BAD_JSON: [type: PrimitiveType, json: unknown][] = [
  ["int", 1.5],
  ["int", "1"],
  ["long", 2 ** 53],
  ["boolean", 1],
  ["date", "2017-02-29"],
  ["date", "2017-13-01"],
  ["time", "24:00:00"],
  ["decimal(4, 2)", "14.205"],
  ["decimal(4, 2)", "100.00"],
  ["uuid", "f79c3e09"],
  ["fixed[4]", "0001"],
  ["binary", "0g"],
  ["string", 5],
];

for (const [type, json] of BAD_JSON) {
  Deno.test(`valueFromJson() refuses ${JSON.stringify(json)} as ${type}`, () => {
    assertThrows(() => valueFromJson(type, json, "write-default"), IcebergError, "write-default");
  });
}
