import { assertEquals, assertThrows } from "@std/assert";
import { IcebergError } from "./errors.ts";
import {
  checkPartitionSpec,
  checkSortOrder,
  partitionFieldsFromJson,
  partitionKey,
  partitionPath,
  partitionTypes,
  partitionValueOf,
  samePartition,
  sameSpec,
} from "./partition.ts";
import { schemaFromJson } from "./schema.ts";
import type { PartitionField, PartitionSpec, PartitionTuple, SortOrder, Value } from "./types.ts";

const SCHEMA = schemaFromJson({
  type: "struct",
  "schema-id": 0,
  fields: [
    { id: 1, name: "id", required: true, type: "long" },
    { id: 2, name: "ts", required: true, type: "timestamptz" },
    { id: 3, name: "data", required: false, type: "string" },
    {
      id: 4,
      name: "tags",
      required: false,
      type: { type: "list", "element-id": 5, "element-required": true, element: "string" },
    },
  ],
});

function spec(...fields: [source: number, transform: string, name: string][]): PartitionSpec {
  return {
    "spec-id": 0,
    fields: fields.map(([source, transform, name], index): PartitionField => ({
      "source-id": source,
      "field-id": 1000 + index,
      name,
      transform,
    })),
  };
}

const SPEC = spec([2, "day", "ts_day"], [1, "bucket[16]", "id_bucket"], [3, "identity", "data"]);

Deno.test("partitionValueOf() applies each transform to its source column", () => {
  // 34 hashes to 2017239379 (spec Appendix B), which is 3 modulo 16; 17486 days is 2017-11-16.
  const row = new Map<number, Value | null>([[1, 34n], [2, 1510871468000000n], [3, null]]);
  assertEquals(
    partitionValueOf(SPEC, SCHEMA, (id) => row.get(id) ?? null),
    [17486, 2017239379 % 16, null],
  );
  assertEquals(partitionTypes(SPEC, SCHEMA), ["date", "int", "string"]);
});

Deno.test("partitionTypes() still knows what it can when a source column is gone", () => {
  const old = spec([9, "day", "d"], [9, "bucket[4]", "b"], [9, "identity", "i"]);
  assertEquals(partitionTypes(old, SCHEMA), ["date", "int", "string"]);
});

// PartitionSpec.partitionToPath of Java: java.net.URLEncoder over names and human values.
const PATHS: [tuple: PartitionTuple, path: string][] = [
  [[17486, 3, "a"], "ts_day=2017-11-16/id_bucket=3/data=a"],
  [[17486, 3, null], "ts_day=2017-11-16/id_bucket=3/data=null"],
  [[17486, 3, "a b/c=d&é*-._~"], "ts_day=2017-11-16/id_bucket=3/data=a+b%2Fc%3Dd%26%C3%A9*-._%7E"],
  [[17486, 3, "../x"], "ts_day=2017-11-16/id_bucket=3/data=..%2Fx"],
];

for (const [tuple, path] of PATHS) {
  Deno.test(`partitionPath() is ${path}`, () => {
    assertEquals(partitionPath(SPEC, SCHEMA, tuple), path);
  });
}

Deno.test("partitionPath() of an unpartitioned spec is empty", () => {
  assertEquals(partitionPath(spec(), SCHEMA, []), "");
});

const TUPLES: PartitionTuple[] = [
  [null],
  [0],
  [-0],
  [NaN],
  [1n],
  ["null"],
  ["n"],
  [""],
  [Uint8Array.of(1, 2)],
  [Uint8Array.of(1)],
  ["a", "b"],
  ["ab", ""],
  ["1:a", ""],
  [null, null],
];

Deno.test("samePartition() and partitionKey() tell different tuples apart, and only those", () => {
  TUPLES.forEach((a, i) =>
    TUPLES.forEach((b, j) => {
      assertEquals(samePartition(a, structuredClone(b)), i === j, `${a} and ${b}`);
      assertEquals(partitionKey(a) === partitionKey(structuredClone(b)), i === j, `${a} and ${b}`);
    })
  );
});

Deno.test("checkPartitionSpec() accepts a good spec", () => checkPartitionSpec(SPEC, SCHEMA));

const BAD: [spec: PartitionSpec, message: string][] = [
  [spec([2, "day", "d"], [2, "hour", "d"]), "two fields have this name"],
  [spec([2, "day", "id"]), "a column has this name"],
  [spec([1, "identity", "data"]), "a column has this name"],
  [spec([9, "identity", "x"]), "Cannot use column 9"],
  [spec([4, "identity", "x"]), 'Cannot use column "tags" as a source'],
  [spec([5, "identity", "x"]), 'Cannot use column "tags.element" as a source'],
  [spec([1, "day", "x"]), 'Cannot apply "day" to a long'],
  [spec([1, "zorder", "x"]), 'unknown transform "zorder"'],
  [spec([1, "identity", ""]), "no name"],
];

for (const [bad, message] of BAD) {
  Deno.test(`checkPartitionSpec() refuses ${JSON.stringify(bad.fields.at(-1))}`, () => {
    assertThrows(() => checkPartitionSpec(bad, SCHEMA), IcebergError, message);
  });
}

Deno.test("partitionFieldsFromJson() numbers v1 fields from 1000", () => {
  const json = [
    { "source-id": 2, name: "d", transform: "day" },
    { "source-id": 1, name: "b", transform: "bucket[4]" },
  ];
  const ids = partitionFieldsFromJson(json, "partition-spec").map((field) => field["field-id"]);
  assertEquals(ids, [1000, 1001]);
});

Deno.test("sameSpec() compares sources, transforms and names, not ids", () => {
  const other = { "spec-id": 7, fields: SPEC.fields.map((one) => ({ ...one, "field-id": 1 })) };
  assertEquals(sameSpec(SPEC, other), true);
  assertEquals(sameSpec(SPEC, spec([2, "day", "ts_day"])), false);
});

Deno.test("checkSortOrder() wants order 0 exactly for no fields", () => {
  const order = (id: number, fields: SortOrder["fields"]) => ({ "order-id": id, fields });
  const field = {
    transform: "identity",
    "source-id": 2,
    direction: "asc",
    "null-order": "nulls-first",
  } as const;
  checkSortOrder(order(0, []), SCHEMA);
  checkSortOrder(order(1, [field]), SCHEMA);
  assertThrows(() => checkSortOrder(order(0, [field]), SCHEMA), IcebergError);
  assertThrows(() => checkSortOrder(order(1, []), SCHEMA), IcebergError);
  assertThrows(() => checkSortOrder(order(1, [{ ...field, "source-id": 8 }]), SCHEMA));
});
