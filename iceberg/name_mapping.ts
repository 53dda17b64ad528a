/**
 * Name mappings: field ids for data files that carry none (spec "Column Projection", Appendix C
 * "Name Mapping Serialization").
 */
import { IcebergError } from "./errors.ts";
import { parseJson, printJson } from "./json.ts";
import { readArray, readInt, readObject, readString } from "./read.ts";
import type { StructType, Type } from "./types.ts";

/** The table property that holds the mapping as JSON. */
export const NAME_MAPPING_PROPERTY = "schema.name-mapping.default";

/** Names that mean one field; without an id the field is ignored. */
export interface MappedField {
  "field-id"?: number;
  names: string[];
  fields?: MappedField[];
}

/** The mapping of a schema's own names; a list's item is `element`, a map's are `key` and `value`. */
export function nameMappingOf(schema: StructType): MappedField[] {
  return schema.fields.map(({ id, name, type }) => mapped(id, name, type));
}

function mapped(id: number, name: string, type: Type): MappedField {
  const fields = typeof type === "string" ? [] : children(type);
  return { "field-id": id, names: [name], ...(fields.length === 0 ? {} : { fields }) };
}

function children(type: Exclude<Type, string>): MappedField[] {
  switch (type.type) {
    case "struct":
      return nameMappingOf(type);
    case "list":
      return [mapped(type["element-id"], "element", type.element)];
    case "map":
      return [
        mapped(type["key-id"], "key", type.key),
        mapped(type["value-id"], "value", type.value),
      ];
  }
}

/** Parses the property's text. Throws SyntaxError or IcebergError. */
export function parseNameMapping(text: string): MappedField[] {
  return fieldsFromJson(parseJson(text), NAME_MAPPING_PROPERTY);
}

/** Prints a mapping for the property. */
export function printNameMapping(mapping: readonly MappedField[]): string {
  return printJson(mapping);
}

function fieldsFromJson(value: unknown, at: string): MappedField[] {
  const seen = new Set<string>();
  return readArray(value, at, (item, itemAt) => {
    const json = readObject(item, itemAt);
    const names = readArray(json.names, `${itemAt}.names`, readString);
    for (const name of names) {
      if (seen.has(name)) throw new IcebergError(`Cannot use "${at}": "${name}" is mapped twice`);
      seen.add(name);
    }
    const { "field-id": id, fields } = json;
    return {
      ...(id === undefined ? {} : { "field-id": readInt(id, `${itemAt}.field-id`) }),
      names,
      ...(fields === undefined ? {} : { fields: fieldsFromJson(fields, `${itemAt}.fields`) }),
    };
  });
}

/** The id of a field by its names from the top; undefined if nothing is mapped there. */
export function mappedFieldId(
  mapping: readonly MappedField[],
  path: readonly string[],
): number | undefined {
  let fields = mapping;
  let found: MappedField | undefined;
  for (const name of path) {
    found = fields.find((field) => field.names.includes(name));
    if (found === undefined) return undefined;
    fields = found.fields ?? [];
  }
  return found?.["field-id"];
}

/**
 * The mapping after a schema change: new fields are added, a renamed field keeps its old names and gets
 * the new one, names of dropped fields stay unless a new field takes them.
 */
export function updateNameMapping(
  mapping: readonly MappedField[],
  schema: StructType,
): MappedField[] {
  return merge(mapping, nameMappingOf(schema));
}

function merge(old: readonly MappedField[], current: readonly MappedField[]): MappedField[] {
  const taken = new Set(current.flatMap((field) => field.names));
  const kept = old.map((field) => {
    const now = current.find((one) => one["field-id"] === field["field-id"]);
    const own = now?.names ?? [];
    const names = field.names.filter((name) => own.includes(name) || !taken.has(name));
    const fields = now?.fields === undefined ? field.fields : merge(field.fields ?? [], now.fields);
    const merged = [...names, ...own.filter((name) => !names.includes(name))];
    return { ...field, names: merged, ...(fields === undefined ? {} : { fields }) };
  });
  const known = new Set(old.map((field) => field["field-id"]));
  return [...kept, ...current.filter((field) => !known.has(field["field-id"]))];
}
