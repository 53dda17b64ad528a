import { assertEquals, assertThrows } from "@std/assert";
import { IcebergError } from "./errors.ts";
import {
  mappedFieldId,
  nameMappingOf,
  parseNameMapping,
  printNameMapping,
  updateNameMapping,
} from "./name_mapping.ts";
import { schemaFromJson } from "./schema.ts";

// Spec Appendix C "Name Mapping Serialization".
const SPEC_EXAMPLE = '[{"field-id":1,"names":["id","record_id"]},' +
  '{"field-id":2,"names":["data"]},' +
  '{"field-id":3,"names":["location"],"fields":[' +
  '{"field-id":4,"names":["latitude","lat"]},{"field-id":5,"names":["longitude","long"]}]}]';

Deno.test("parseNameMapping() and printNameMapping() keep the spec's example", () => {
  assertEquals(printNameMapping(parseNameMapping(SPEC_EXAMPLE)), SPEC_EXAMPLE);
});

Deno.test("mappedFieldId() finds fields by any of their names, level by level", () => {
  const mapping = parseNameMapping(SPEC_EXAMPLE);
  assertEquals(mappedFieldId(mapping, ["record_id"]), 1);
  assertEquals(mappedFieldId(mapping, ["location", "lat"]), 4);
  assertEquals(mappedFieldId(mapping, ["lat"]), undefined);
  assertEquals(mappedFieldId(mapping, ["location", "x"]), undefined);
});

Deno.test("mappedFieldId() takes a dot in a name literally", () => {
  assertEquals(mappedFieldId(parseNameMapping('[{"field-id":1,"names":["a.b"]}]'), ["a.b"]), 1);
});

Deno.test("nameMappingOf() maps lists and maps by element, key and value", () => {
  const schema = schemaFromJson({
    type: "struct",
    fields: [
      {
        id: 1,
        name: "l",
        required: false,
        type: { type: "list", "element-id": 3, "element-required": true, element: "int" },
      },
      {
        id: 2,
        name: "m",
        required: false,
        type: {
          type: "map",
          "key-id": 4,
          key: "string",
          "value-id": 5,
          "value-required": true,
          value: "int",
        },
      },
    ],
  });
  assertEquals(
    printNameMapping(nameMappingOf(schema)),
    '[{"field-id":1,"names":["l"],"fields":[{"field-id":3,"names":["element"]}]},' +
      '{"field-id":2,"names":["m"],"fields":[{"field-id":4,"names":["key"]},' +
      '{"field-id":5,"names":["value"]}]}]',
  );
});

Deno.test("updateNameMapping() keeps a renamed field's old name and adds new fields", () => {
  const field = (id: number, name: string) => ({ id, name, required: false, type: "int" });
  const schema = schemaFromJson({
    type: "struct",
    fields: [field(1, "ident"), field(6, "data"), field(7, "extra")],
  });
  const mapping = parseNameMapping(
    '[{"field-id":1,"names":["id"]},{"field-id":2,"names":["data"]}]',
  );
  // "data" now means the new column 6: the dropped column 2 loses the name.
  assertEquals(
    printNameMapping(updateNameMapping(mapping, schema)),
    '[{"field-id":1,"names":["id","ident"]},{"field-id":2,"names":[]},' +
      '{"field-id":6,"names":["data"]},{"field-id":7,"names":["extra"]}]',
  );
});

Deno.test("parseNameMapping() refuses a name that is mapped twice", () => {
  assertThrows(
    () => parseNameMapping('[{"field-id":1,"names":["a"]},{"field-id":2,"names":["a"]}]'),
    IcebergError,
    '"a" is mapped twice',
  );
});
