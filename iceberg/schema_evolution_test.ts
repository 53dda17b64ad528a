import { assertEquals, assertThrows } from "@std/assert";
import { IcebergError } from "./errors.ts";
import { fieldIndex, schemaFromJson } from "./schema.ts";
import { canPromote, evolveSchema, type SchemaChange } from "./schema_evolution.ts";
import type { PrimitiveType, Schema, Type } from "./types.ts";

const optional = (id: number, name: string, type: unknown) => ({ id, name, required: false, type });

const SCHEMA = schemaFromJson({
  type: "struct",
  "schema-id": 0,
  "identifier-field-ids": [1],
  fields: [
    { id: 1, name: "id", required: true, type: "int" },
    optional(2, "address", {
      type: "struct",
      fields: [optional(5, "city", "string"), optional(6, "zip", "string")],
    }),
    optional(3, "tags", {
      type: "list",
      "element-id": 7,
      "element-required": false,
      element: { type: "struct", fields: [optional(8, "text", "string")] },
    }),
    optional(4, "amount", "decimal(9, 2)"),
  ],
});

/** Ids 9 and 10 belonged to columns that were dropped. */
const LAST = 10;

function paths(schema: Schema): string[] {
  return [...fieldIndex(schema).values()].map(({ id, path, type }) =>
    `${id} ${path}${typeof type === "string" ? ` ${type}` : ""}`
  );
}

const BEFORE = [
  "1 id int",
  "2 address",
  "5 address.city string",
  "6 address.zip string",
  "3 tags",
  "7 tags.element",
  "8 tags.element.text string",
  "4 amount decimal(9, 2)",
];

function evolve(...changes: SchemaChange[]) {
  return evolveSchema(SCHEMA, changes, { lastColumnId: LAST });
}

Deno.test("evolveSchema() adds a column with an id that was never used, optional", () => {
  const { schema, lastColumnId } = evolve({ action: "add-column", name: "x", type: "string" });
  assertEquals(paths(schema), [...BEFORE, "11 x string"]);
  assertEquals(lastColumnId, 11);
  assertEquals(schema.fields.at(-1)?.required, false);
  assertEquals(paths(SCHEMA), BEFORE, "the input is left alone");
});

Deno.test("evolveSchema() numbers a nested type as Java does: fields first, then what is inside", () => {
  const type: Type = {
    type: "struct",
    fields: [
      {
        id: 1,
        name: "m",
        required: false,
        type: {
          type: "map",
          "key-id": 2,
          key: "string",
          "value-id": 3,
          "value-required": true,
          value: "int",
        },
      },
      { id: 4, name: "n", required: false, type: "int" },
    ],
  };
  const { schema, lastColumnId } = evolve({ action: "add-column", name: "s", type });
  assertEquals(paths(schema).slice(BEFORE.length), [
    "11 s",
    "12 s.m",
    "14 s.m.key string",
    "15 s.m.value int",
    "13 s.n int",
  ]);
  assertEquals(lastColumnId, 15);
});

Deno.test("evolveSchema() adds to a struct, and to the structs of a list", () => {
  const { schema } = evolve(
    { action: "add-column", parent: "address", name: "street", type: "string", doc: "d" },
    { action: "add-column", parent: "tags", name: "code", type: "int" },
    { action: "add-column", parent: "tags.element", name: "rank", type: "int" },
  );
  assertEquals(paths(schema), [
    "1 id int",
    "2 address",
    "5 address.city string",
    "6 address.zip string",
    "11 address.street string",
    "3 tags",
    "7 tags.element",
    "8 tags.element.text string",
    "12 tags.element.code int",
    "13 tags.element.rank int",
    "4 amount decimal(9, 2)",
  ]);
});

Deno.test("evolveSchema() renames, promotes, drops and moves without changing ids", () => {
  const { schema, lastColumnId } = evolve(
    { action: "rename-column", column: "address.city", name: "town" },
    { action: "promote-column", column: "id", type: "long" },
    { action: "promote-column", column: "amount", type: "decimal(18, 2)" },
    { action: "drop-column", column: "tags" },
    { action: "move-column", column: "amount", place: "first" },
    { action: "move-column", column: "address.zip", place: { before: "town" } },
    { action: "set-doc", column: "amount", doc: "money" },
  );
  assertEquals(paths(schema), [
    "4 amount decimal(18, 2)",
    "1 id long",
    "2 address",
    "6 address.zip string",
    "5 address.town string",
  ]);
  assertEquals(schema.fields[0]?.doc, "money");
  assertEquals(lastColumnId, LAST);
});

Deno.test("evolveSchema() gives a dropped and re-added name a new id", () => {
  const { schema } = evolve(
    { action: "drop-column", column: "amount" },
    { action: "add-column", name: "amount", type: "string" },
  );
  assertEquals(paths(schema).at(-1), "11 amount string");
});

Deno.test("evolveSchema() moves after a sibling, and removes a doc", () => {
  const { schema } = evolve(
    { action: "set-doc", column: "id", doc: "x" },
    { action: "set-doc", column: "id", doc: "" },
    { action: "move-column", column: "id", place: { after: "tags" } },
  );
  assertEquals(schema.fields.map((field) => field.name), ["address", "tags", "id", "amount"]);
  assertEquals("doc" in (schema.fields[2] as object), false);
});

const REFUSED: [change: SchemaChange, message: string][] = [
  [{ action: "add-column", name: "id", type: "int" }, "there is one with this name"],
  [{ action: "add-column", parent: "id", name: "x", type: "int" }, "not a struct"],
  [{ action: "add-column", parent: "nope", name: "x", type: "int" }, 'Cannot find column "nope"'],
  [{ action: "rename-column", column: "id", name: "amount" }, "the name is taken"],
  [{ action: "rename-column", column: "tags.element", name: "x" }, "not a field of a struct"],
  [{ action: "drop-column", column: "id" }, "an identifier field"],
  [{ action: "make-optional", column: "id" }, "an identifier field"],
  [{ action: "promote-column", column: "address.city", type: "int" }, "from string to int"],
  [{ action: "promote-column", column: "amount", type: "decimal(9, 3)" }, "Cannot promote"],
  [{ action: "promote-column", column: "tags", type: "int" }, "from list to int"],
  [{ action: "move-column", column: "id", place: { after: "city" } }, 'no sibling "city"'],
];

for (const [change, message] of REFUSED) {
  Deno.test(`evolveSchema() refuses ${JSON.stringify(change)}`, () => {
    assertThrows(() => evolve(change), IcebergError, message);
  });
}

// Spec "Schema Evolution", column "v1, v2 valid type promotions".
const PROMOTIONS: [from: PrimitiveType, to: PrimitiveType, allowed: boolean][] = [
  ["int", "long", true],
  ["long", "int", false],
  ["float", "double", true],
  ["double", "float", false],
  ["decimal(9, 2)", "decimal(10, 2)", true],
  ["decimal(9, 2)", "decimal(8, 2)", false],
  ["decimal(9, 2)", "decimal(10, 3)", false],
  ["int", "double", false],
  ["int", "string", false],
  // v3 only.
  ["date", "timestamp", false],
  ["fixed[4]", "fixed[8]", false],
  ["string", "string", true],
];

for (const [from, to, allowed] of PROMOTIONS) {
  Deno.test(`canPromote() ${from} to ${to}: ${allowed}`, () => {
    assertEquals(canPromote(from, to), allowed);
  });
}
