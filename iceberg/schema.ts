/** Types and schemas: parse, check, look up (spec "Schemas and Data Types", Appendix C "Schemas"). */
import { IcebergError } from "./errors.ts";
import {
  invalid,
  readArray,
  readBoolean,
  readInt,
  readObject,
  readOneOf,
  readString,
} from "./read.ts";
import type { NestedField, PrimitiveType, Schema, StructType, Type } from "./types.ts";

/** A primitive type taken apart. `length` is in bytes. */
export type PrimitiveShape =
  | { kind: SimpleKind }
  | { kind: "decimal"; precision: number; scale: number }
  | { kind: "fixed"; length: number };

/** The primitive types without parameters. */
export type SimpleKind = typeof SIMPLE_KINDS[number];

const SIMPLE_KINDS = [
  "boolean",
  "int",
  "long",
  "float",
  "double",
  "date",
  "time",
  "timestamp",
  "timestamptz",
  "string",
  "uuid",
  "binary",
] as const;

const DECIMAL = /^decimal\(\s*(\d+)\s*,\s*(\d+)\s*\)$/;
const FIXED = /^fixed\[\s*(\d+)\s*\]$/;
const DECIMAL_PRECISION_MAX = 38;

const shapes = new Map<string, PrimitiveShape>(SIMPLE_KINDS.map((kind) => [kind, { kind }]));

/**
 * Takes a primitive type apart: `"decimal(18, 4)"` → `{ kind: "decimal", precision: 18, scale: 4 }`.
 * Throws IcebergError for a type that format v2 does not have.
 */
export function parsePrimitive(type: string): PrimitiveShape {
  const known = shapes.get(type);
  if (known !== undefined) return known;
  const shape = parseParameters(type);
  if (shape === undefined) {
    throw new IcebergError(`Cannot read type "${type}": not a type of format v2`);
  }
  shapes.set(type, shape);
  return shape;
}

function parseParameters(type: string): PrimitiveShape | undefined {
  const decimal = DECIMAL.exec(type);
  if (decimal !== null) {
    const precision = Number(decimal[1]);
    const scale = Number(decimal[2]);
    if (precision < 1 || precision > DECIMAL_PRECISION_MAX || scale > precision) {
      throw new IcebergError(
        `Cannot read type "${type}": precision must be 1 to ${DECIMAL_PRECISION_MAX}, scale at most the precision`,
      );
    }
    return { kind: "decimal", precision, scale };
  }
  const fixed = FIXED.exec(type);
  if (fixed !== null && Number(fixed[1]) > 0) return { kind: "fixed", length: Number(fixed[1]) };
  return undefined;
}

/** Whether a type is a primitive: its JSON form is a string. */
export function isPrimitive(type: Type): type is PrimitiveType {
  return typeof type === "string";
}

/** Canonical spelling as Java prints it: `decimal(18, 4)`, `fixed[16]`. */
export function canonicalPrimitive(type: PrimitiveType): PrimitiveType {
  const shape = parsePrimitive(type);
  switch (shape.kind) {
    case "decimal":
      return `decimal(${shape.precision}, ${shape.scale})`;
    case "fixed":
      return `fixed[${shape.length}]`;
    default:
      return shape.kind;
  }
}

// ---- From JSON -------------------------------------------------------------------------------------

/** Reads a type from parsed JSON; unknown keys are kept. */
export function typeFromJson(value: unknown, at: string): Type {
  if (typeof value === "string") {
    parsePrimitive(value);
    return value as PrimitiveType;
  }
  const json = readObject(value, at);
  switch (readOneOf(json.type, `${at}.type`, ["struct", "list", "map"])) {
    case "struct":
      return { ...json, type: "struct", fields: readArray(json.fields, `${at}.fields`, readField) };
    case "list":
      return {
        ...json,
        type: "list",
        "element-id": readInt(json["element-id"], `${at}.element-id`),
        "element-required": readBoolean(json["element-required"], `${at}.element-required`),
        element: typeFromJson(json.element, `${at}.element`),
      };
    case "map":
      return {
        ...json,
        type: "map",
        "key-id": readInt(json["key-id"], `${at}.key-id`),
        key: typeFromJson(json.key, `${at}.key`),
        "value-id": readInt(json["value-id"], `${at}.value-id`),
        "value-required": readBoolean(json["value-required"], `${at}.value-required`),
        value: typeFromJson(json.value, `${at}.value`),
      };
  }
}

function readField(value: unknown, at: string): NestedField {
  const json = readObject(value, at);
  if (json.doc !== undefined) readString(json.doc, `${at}.doc`);
  return {
    ...json,
    id: readInt(json.id, `${at}.id`),
    name: readString(json.name, `${at}.name`),
    required: readBoolean(json.required, `${at}.required`),
    type: typeFromJson(json.type, `${at}.type`),
  };
}

/**
 * Reads and checks a schema from parsed JSON. A missing `schema-id` (v1) counts as 0; key order and
 * unknown keys are kept.
 */
export function schemaFromJson(value: unknown, at = "schema"): Schema {
  const json = readObject(value, at);
  const type = typeFromJson("type" in json ? json : { type: "struct", ...json }, at);
  if (typeof type === "string" || type.type !== "struct") throw invalid(at, "a struct", value);
  const schema: Schema = {
    ...type,
    "schema-id": json["schema-id"] === undefined
      ? 0
      : readInt(json["schema-id"], `${at}.schema-id`),
  };
  if (json["identifier-field-ids"] !== undefined) {
    schema["identifier-field-ids"] = readArray(
      json["identifier-field-ids"],
      `${at}.identifier-field-ids`,
      readInt,
    );
  }
  checkSchema(schema);
  return schema;
}

// ---- Index and checks ------------------------------------------------------------------------------

/** A field anywhere in a schema. */
export interface IndexedField {
  id: number;
  /** Last part of the path; `element`, `key` or `value` inside collections. */
  name: string;
  /** Names from the top, joined by dots: `address.city`, `tags.element`, `prices.value.amount`. */
  path: string;
  type: Type;
  required: boolean;
  parentId: number | undefined;
  /** Inside a list or a map: has no partition values and no single-value bounds of its own rows. */
  repeated: boolean;
  /** The struct field itself; undefined for elements, keys and values. */
  field: NestedField | undefined;
}

const indexes = new WeakMap<StructType, Map<number, IndexedField>>();

/** All fields by id, nested ones included, in schema order. Throws IcebergError if an id is used twice. */
export function fieldIndex(schema: StructType): ReadonlyMap<number, IndexedField> {
  const cached = indexes.get(schema);
  if (cached !== undefined) return cached;
  const index = new Map<number, IndexedField>();
  indexStruct(schema, index, { prefix: "", parentId: undefined, repeated: false });
  indexes.set(schema, index);
  return index;
}

interface Place {
  prefix: string;
  parentId: number | undefined;
  repeated: boolean;
}

function indexStruct(struct: StructType, index: Map<number, IndexedField>, place: Place): void {
  for (const field of struct.fields) {
    const { id, name, type, required } = field;
    indexOne(index, { id, name, type, required, field }, place);
  }
}

function indexOne(
  index: Map<number, IndexedField>,
  entry: Pick<IndexedField, "id" | "name" | "type" | "required" | "field">,
  place: Place,
): void {
  const { id, type } = entry;
  const path = place.prefix + entry.name;
  const other = index.get(id);
  if (other !== undefined) {
    throw new IcebergError(
      `Cannot use schema: field id ${id} is given to "${other.path}" and "${path}"`,
    );
  }
  index.set(id, { ...entry, path, parentId: place.parentId, repeated: place.repeated });
  if (typeof type === "string") return;
  const inside = { prefix: `${path}.`, parentId: id, repeated: place.repeated };
  if (type.type === "struct") return indexStruct(type, index, inside);
  const items = { ...inside, repeated: true };
  const field = undefined;
  if (type.type === "list") {
    const required = type["element-required"];
    indexOne(
      index,
      { id: type["element-id"], name: "element", type: type.element, required, field },
      items,
    );
  } else {
    const key = { id: type["key-id"], name: "key", type: type.key, required: true, field };
    indexOne(index, key, items);
    const required = type["value-required"];
    const value = { id: type["value-id"], name: "value", type: type.value, required, field };
    indexOne(index, value, items);
  }
}

/**
 * Checks ids (unique), names (not empty, unique within their struct) and identifier fields (required
 * primitives outside collections, not float or double). Throws IcebergError.
 */
export function checkSchema(schema: Schema): void {
  const index = fieldIndex(schema);
  checkNames(schema, "");
  for (const { path, type } of index.values()) {
    if (typeof type !== "string" && type.type === "struct") checkNames(type, `${path}.`);
  }
  for (const id of schema["identifier-field-ids"] ?? []) checkIdentifier(index, id);
}

function checkNames(struct: StructType, prefix: string): void {
  const names = new Set<string>();
  for (const { id, name } of struct.fields) {
    if (name === "") throw new IcebergError(`Cannot use schema: field ${id} has no name`);
    if (names.has(name)) {
      throw new IcebergError(`Cannot use schema: two fields are named "${prefix}${name}"`);
    }
    names.add(name);
  }
}

function checkIdentifier(index: ReadonlyMap<number, IndexedField>, id: number): void {
  const field = index.get(id);
  if (field === undefined) {
    throw new IcebergError(`Cannot use field ${id} as identifier: no such field`);
  }
  const reason = typeof field.type !== "string"
    ? "not a primitive"
    : field.type === "float" || field.type === "double"
    ? "a floating point type"
    : field.repeated
    ? "inside a list or map"
    : !field.required
    ? "not required"
    : undefined;
  if (reason !== undefined) {
    throw new IcebergError(`Cannot use "${field.path}" as identifier: the field is ${reason}`);
  }
}

/** The struct field with this id, at any depth (not a list's element or a map's key or value). */
export function findFieldById(schema: StructType, id: number): NestedField | undefined {
  return fieldIndex(schema).get(id)?.field;
}

/** The field with this dotted path, at any depth; names are case-sensitive. */
export function findFieldByName(schema: StructType, path: string): NestedField | undefined {
  for (const entry of fieldIndex(schema).values()) {
    if (entry.path === path) return entry.field;
  }
  return undefined;
}

/** The highest field id in use; 0 for an empty schema. */
export function highestFieldId(schema: StructType): number {
  let highest = 0;
  for (const id of fieldIndex(schema).keys()) highest = Math.max(highest, id);
  return highest;
}

/** Whether two schemas have the same fields (ids, names, types, docs, order) and identifier fields. */
export function sameSchema(a: Schema, b: Schema): boolean {
  const ids = (schema: Schema) => (schema["identifier-field-ids"] ?? []).toSorted().join();
  return ids(a) === ids(b) && sameType(a, b);
}

/** Whether two types are equal, field ids, names and docs included. */
export function sameType(a: Type, b: Type): boolean {
  if (typeof a === "string" || typeof b === "string") {
    return typeof a === "string" && typeof b === "string" &&
      canonicalPrimitive(a) === canonicalPrimitive(b);
  }
  if (a.type === "struct" && b.type === "struct") {
    return a.fields.length === b.fields.length &&
      a.fields.every((field, index) => sameField(field, b.fields[index]));
  }
  if (a.type === "list" && b.type === "list") {
    return a["element-id"] === b["element-id"] &&
      a["element-required"] === b["element-required"] && sameType(a.element, b.element);
  }
  if (a.type === "map" && b.type === "map") {
    return a["key-id"] === b["key-id"] && a["value-id"] === b["value-id"] &&
      a["value-required"] === b["value-required"] && sameType(a.key, b.key) &&
      sameType(a.value, b.value);
  }
  return false;
}

function sameField(a: NestedField, b: NestedField | undefined): boolean {
  return b !== undefined && a.id === b.id && a.name === b.name && a.required === b.required &&
    (a.doc ?? null) === (b.doc ?? null) && sameType(a.type, b.type);
}
