import { assertEquals, assertThrows } from "@std/assert";
import { IcebergError } from "./errors.ts";
import {
  canonicalPrimitive,
  fieldIndex,
  findFieldById,
  findFieldByName,
  highestFieldId,
  parsePrimitive,
  sameSchema,
  schemaFromJson,
} from "./schema.ts";
import type { PrimitiveType, Schema } from "./types.ts";

/** The nested example of the spec's Appendix C, with an id, a unit price map and an unknown key. */
const JSON_SCHEMA = {
  type: "struct",
  "schema-id": 3,
  "identifier-field-ids": [1],
  fields: [
    { id: 1, name: "id", required: true, type: "uuid", doc: "identity" },
    {
      id: 2,
      name: "lines",
      required: false,
      type: {
        type: "list",
        "element-id": 4,
        "element-required": true,
        element: {
          type: "struct",
          fields: [{ id: 5, name: "text", required: true, type: "string" }],
        },
      },
    },
    {
      id: 3,
      name: "prices",
      required: false,
      type: {
        type: "map",
        "key-id": 6,
        key: "string",
        "value-id": 7,
        "value-required": false,
        value: "decimal(9,2)",
      },
      "x-unknown": { kept: true },
    },
  ],
};

Deno.test("schemaFromJson() keeps every key, known or not", () => {
  assertEquals<unknown>(schemaFromJson(JSON_SCHEMA), JSON_SCHEMA);
});

Deno.test("fieldIndex() finds fields, elements, keys and values with their paths", () => {
  const rows = [...fieldIndex(schemaFromJson(JSON_SCHEMA)).values()]
    .map(({ id, path, required, repeated }) => [id, path, required, repeated]);
  assertEquals(rows, [
    [1, "id", true, false],
    [2, "lines", false, false],
    [4, "lines.element", true, true],
    [5, "lines.element.text", true, true],
    [3, "prices", false, false],
    [6, "prices.key", true, true],
    [7, "prices.value", false, true],
  ]);
});

Deno.test("findField… find struct fields only", () => {
  const schema = schemaFromJson(JSON_SCHEMA);
  assertEquals(findFieldByName(schema, "lines.element.text")?.id, 5);
  assertEquals(findFieldById(schema, 1)?.doc, "identity");
  assertEquals(findFieldById(schema, 4), undefined);
  assertEquals(findFieldByName(schema, "ID"), undefined);
  assertEquals(highestFieldId(schema), 7);
});

Deno.test("parsePrimitive() accepts spaces around parameters (Appendix C)", () => {
  const decimal = { kind: "decimal", precision: 9, scale: 2 };
  for (const text of ["decimal(9,2)", "decimal(9, 2)", "decimal( 9 , 2 )"]) {
    assertEquals<unknown>(parsePrimitive(text), decimal);
    assertEquals(canonicalPrimitive(text as PrimitiveType), "decimal(9, 2)");
  }
  assertEquals(parsePrimitive("fixed[16]"), { kind: "fixed", length: 16 });
});

for (const text of ["varchar", "decimal(39, 0)", "decimal(2, 3)", "fixed[0]", "timestamp_ns", ""]) {
  Deno.test(`parsePrimitive() refuses "${text}"`, () => {
    assertThrows(() => parsePrimitive(text), IcebergError, `Cannot read type "${text}"`);
  });
}

const field = (id: number, name: string, rest: object = {}) => ({
  id,
  name,
  required: true,
  type: "string",
  ...rest,
});

const BAD: [what: string, json: unknown, message: string][] = [
  ["an array", [], 'Cannot read "schema": expected an object, got []'],
  [
    "an id that is no integer",
    { type: "struct", fields: [field(1.5, "a")] },
    'Cannot read "schema.fields[0].id": expected a 32-bit integer, got 1.5',
  ],
  [
    "a missing required",
    { type: "struct", fields: [{ id: 1, name: "a", type: "int" }] },
    'Cannot read "schema.fields[0].required": expected true or false, got nothing',
  ],
  ["an id used twice", { type: "struct", fields: [field(1, "a"), field(1, "b")] }, "field id 1"],
  ["a name used twice", { type: "struct", fields: [field(1, "a"), field(2, "a")] }, '"a"'],
  ["an empty name", { type: "struct", fields: [field(1, "")] }, "has no name"],
  [
    "an optional identifier",
    {
      type: "struct",
      fields: [field(1, "a", { required: false })],
      "identifier-field-ids": [1],
    },
    'Cannot use "a" as identifier: the field is not required',
  ],
  [
    "a floating point identifier",
    { type: "struct", fields: [field(1, "a", { type: "double" })], "identifier-field-ids": [1] },
    "a floating point type",
  ],
  [
    "an identifier that is not there",
    { type: "struct", fields: [field(1, "a")], "identifier-field-ids": [2] },
    "Cannot use field 2 as identifier",
  ],
];

for (const [what, json, message] of BAD) {
  Deno.test(`schemaFromJson() refuses ${what}`, () => {
    assertThrows(() => schemaFromJson(json), IcebergError, message);
  });
}

Deno.test("sameSchema() ignores the schema's id and the spelling of types, nothing else", () => {
  const schema = schemaFromJson(JSON_SCHEMA);
  const change = (edit: (copy: Schema) => void) => {
    const copy = structuredClone(schema);
    edit(copy);
    return sameSchema(schema, copy);
  };
  const first = (copy: Schema) => copy.fields[0] as Schema["fields"][0];
  assertEquals(change((copy) => copy["schema-id"] = 9), true);
  assertEquals(
    change((copy) => {
      const type = copy.fields[2]?.type;
      if (typeof type === "object" && type.type === "map") type.value = "decimal(9, 2)";
    }),
    true,
  );
  assertEquals(change((copy) => first(copy).doc = "other"), false);
  assertEquals(change((copy) => first(copy).name = "other"), false);
  assertEquals(change((copy) => copy.fields.reverse()), false);
  assertEquals(change((copy) => copy["identifier-field-ids"] = []), false);
});
