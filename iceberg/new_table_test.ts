import { assertEquals, assertThrows } from "@std/assert";
import { IcebergError } from "./errors.ts";
import { parseTableMetadata, printTableMetadata } from "./metadata.ts";
import { newTableMetadata } from "./new_table.ts";
import { fieldIndex, schemaFromJson } from "./schema.ts";

const UUID = "9c12d441-03fe-4693-9a96-a0705ddf69c1";

const SCHEMA = schemaFromJson({
  type: "struct",
  "schema-id": 9,
  "identifier-field-ids": [20],
  fields: [
    {
      id: 10,
      name: "l",
      required: false,
      type: {
        type: "list",
        "element-id": 11,
        "element-required": true,
        element: {
          type: "struct",
          fields: [{ id: 12, name: "a", required: true, type: "string" }],
        },
      },
    },
    { id: 20, name: "id", required: true, type: "long" },
    { id: 5, name: "ts", required: true, type: "timestamptz" },
  ],
});

function create() {
  return newTableMetadata({
    uuid: UUID,
    location: "s3://b/t",
    schema: SCHEMA,
    spec: {
      "spec-id": 4,
      fields: [{ "source-id": 5, "field-id": 7, name: "d", transform: "day" }],
    },
    sortOrder: {
      "order-id": 8,
      fields: [{
        transform: "identity",
        "source-id": 20,
        direction: "desc",
        "null-order": "nulls-last",
      }],
    },
    properties: { a: "b" },
    nowMs: 1602638573590,
  });
}

Deno.test("newTableMetadata() numbers columns from 1, a struct's own before what is inside", () => {
  const [schema] = create().schemas;
  const rows = [...fieldIndex(schema as typeof SCHEMA).values()].map(({ id, path }) => [id, path]);
  assertEquals(rows, [[1, "l"], [4, "l.element"], [5, "l.element.a"], [2, "id"], [3, "ts"]]);
  assertEquals(schema?.["identifier-field-ids"], [2]);
});

Deno.test("newTableMetadata() carries spec and sort order over to the new ids", () => {
  const metadata = create();
  assertEquals(metadata["partition-specs"], [{
    "spec-id": 0,
    fields: [{ "source-id": 3, "field-id": 1000, name: "d", transform: "day" }],
  }]);
  assertEquals(metadata["sort-orders"].map((order) => order["order-id"]), [1]);
  assertEquals(metadata["sort-orders"][0]?.fields[0]?.["source-id"], 2);
  assertEquals(metadata["last-column-id"], 5);
  assertEquals(metadata["last-partition-id"], 1000);
});

Deno.test("newTableMetadata() is printed so that it parses to itself", () => {
  const metadata = create();
  assertEquals(parseTableMetadata(printTableMetadata(metadata)), metadata);
});

Deno.test("newTableMetadata() without spec and order is unpartitioned and unsorted", () => {
  const metadata = newTableMetadata({ uuid: UUID, location: "x", schema: SCHEMA, nowMs: 1 });
  assertEquals(metadata["partition-specs"], [{ "spec-id": 0, fields: [] }]);
  assertEquals(metadata["last-partition-id"], 999);
  assertEquals(metadata["default-sort-order-id"], 0);
});

Deno.test("newTableMetadata() refuses a partition by a column that is not there", () => {
  const spec = {
    "spec-id": 0,
    fields: [{ "source-id": 99, "field-id": 1000, name: "d", transform: "day" }],
  };
  assertThrows(
    () => newTableMetadata({ uuid: UUID, location: "x", schema: SCHEMA, spec, nowMs: 1 }),
    IcebergError,
    "Cannot use column 99",
  );
});
