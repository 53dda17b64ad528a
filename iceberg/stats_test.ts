import { assertEquals, assertThrows } from "@std/assert";
import { IcebergError } from "./errors.ts";
import { schemaFromJson } from "./schema.ts";
import { decodeValue } from "./single_value.ts";
import { encodeBounds, metricsOf } from "./stats.ts";

const SCHEMA = schemaFromJson({
  type: "struct",
  "schema-id": 0,
  fields: [
    { id: 1, name: "id", required: true, type: "long" },
    { id: 2, name: "x", required: false, type: "double" },
    { id: 3, name: "s", required: false, type: "string" },
    {
      id: 4,
      name: "l",
      required: false,
      type: { type: "list", "element-id": 5, "element-required": true, element: "string" },
    },
  ],
});

Deno.test("metricsOf() keys everything by field id and leaves out what is not known", () => {
  const metrics = metricsOf(SCHEMA, {
    recordCount: 3n,
    splitOffsets: [4n],
    columns: [
      { fieldId: 1, size: 10n, valueCount: 3n, nullCount: 0n, nanCount: 0n, lower: -1n, upper: 7n },
      { fieldId: 2, valueCount: 3n, nullCount: 1n, nanCount: 2n, lower: NaN, upper: NaN },
      { fieldId: 3, valueCount: 3n, nullCount: 3n, lower: null, upper: null },
    ],
  });
  assertEquals(metrics, {
    record_count: 3n,
    split_offsets: [4n],
    column_sizes: new Map([[1, 10n]]),
    value_counts: new Map([[1, 3n], [2, 3n], [3, 3n]]),
    null_value_counts: new Map([[1, 0n], [2, 1n], [3, 3n]]),
    // Only float and double columns have NaN counts.
    nan_value_counts: new Map([[2, 2n]]),
    lower_bounds: new Map([[1, Uint8Array.fromHex("ffffffffffffffff")]]),
    upper_bounds: new Map([[1, Uint8Array.fromHex("0700000000000000")]]),
  });
});

Deno.test("encodeBounds() gives zero the sign that keeps it a bound (spec, Data File Fields, note 2)", () => {
  const { lower, upper } = encodeBounds("double", { lower: 0, upper: -0 }, 16);
  assertEquals(decodeValue("double", lower as Uint8Array), -0);
  assertEquals(decodeValue("double", upper as Uint8Array), 0);
});

Deno.test("encodeBounds() cuts strings to the width, downwards and upwards", () => {
  const { lower, upper } = encodeBounds("string", { lower: "abcdef", upper: "xyz" }, 2);
  assertEquals(decodeValue("string", lower as Uint8Array), "ab");
  assertEquals(decodeValue("string", upper as Uint8Array), "xz");
});

Deno.test("encodeBounds() has no upper bound where none can be rounded up", () => {
  const { lower, upper } = encodeBounds("binary", {
    lower: new Uint8Array(3).fill(255),
    upper: new Uint8Array(3).fill(255),
  }, 2);
  assertEquals(lower, Uint8Array.of(255, 255));
  assertEquals(upper, undefined);
});

Deno.test("metricsOf() takes a width per column", () => {
  const { upper_bounds: upper } = metricsOf(SCHEMA, {
    recordCount: 1n,
    columns: [{ fieldId: 3, upper: "abcd" }, { fieldId: 5, upper: "abcd" }],
    boundWidth: (id) => id === 3 ? 4 : 1,
  });
  assertEquals(upper?.get(3), new TextEncoder().encode("abcd"));
  assertEquals(upper?.get(5), new TextEncoder().encode("b"));
});

Deno.test("metricsOf() refuses columns that are not there or not primitive", () => {
  const of = (fieldId: number) => metricsOf(SCHEMA, { recordCount: 1n, columns: [{ fieldId }] });
  assertThrows(() => of(9), IcebergError, "Cannot describe column 9: no such field");
  assertThrows(() => of(4), IcebergError, "not a primitive");
});
