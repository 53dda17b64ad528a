/** Avro schemas, and the Avro schema of an Iceberg struct (spec Appendix A "Avro"). */
import { IcebergError } from "./errors.ts";
import { invalid, readArray, readInt, readObject, readString } from "./read.ts";
import { parsePrimitive } from "./schema.ts";
import type { ListType, MapType, NestedField, PrimitiveType, StructType, Type } from "./types.ts";

/** A parsed Avro schema; named types are resolved, logical types and other attributes kept. */
export type AvroSchema =
  | { type: AvroPrimitive; logicalType?: string }
  | { type: "fixed"; name: string; size: number; logicalType?: string }
  | { type: "enum"; name: string; symbols: string[] }
  | { type: "array"; items: AvroSchema; logicalType?: string; "element-id"?: number }
  | { type: "map"; values: AvroSchema }
  | { type: "union"; branches: AvroSchema[] }
  | AvroRecord;

/** An Avro record. */
export interface AvroRecord {
  type: "record";
  name: string;
  fields: AvroField[];
}

/** A field of a record; Iceberg finds fields by `field-id`. */
export interface AvroField {
  name: string;
  type: AvroSchema;
  "field-id"?: number;
}

/** Avro's primitive types. */
export type AvroPrimitive = typeof PRIMITIVES[number];

const PRIMITIVES = [
  "null",
  "boolean",
  "int",
  "long",
  "float",
  "double",
  "bytes",
  "string",
] as const;

// ---- Parse -----------------------------------------------------------------------------------------

/** Parses the JSON of a writer's schema. Throws IcebergError. */
export function parseAvroSchema(json: unknown): AvroSchema {
  return parse(json, "avro.schema", new Map());
}

function parse(json: unknown, at: string, named: Map<string, AvroSchema>): AvroSchema {
  if (typeof json === "string") {
    if ((PRIMITIVES as readonly string[]).includes(json)) return { type: json as AvroPrimitive };
    const known = named.get(json);
    if (known === undefined) throw invalid(at, "a known Avro type", json);
    return known;
  }
  if (Array.isArray(json)) {
    return { type: "union", branches: readArray(json, at, (item, to) => parse(item, to, named)) };
  }
  const object = readObject(json, at);
  const logical = typeof object.logicalType === "string" ? { logicalType: object.logicalType } : {};
  switch (object.type) {
    case "record":
      return parseRecord(object, at, named);
    case "array": {
      const items = parse(object.items, `${at}.items`, named);
      const id = object["element-id"];
      return {
        type: "array",
        items,
        ...logical,
        ...(typeof id === "number" ? { "element-id": id } : {}),
      };
    }
    case "map":
      return { type: "map", values: parse(object.values, `${at}.values`, named) };
    case "fixed": {
      const name = readString(object.name, `${at}.name`);
      const size = readInt(object.size, `${at}.size`);
      return remember(named, { type: "fixed", name, size, ...logical });
    }
    case "enum": {
      const name = readString(object.name, `${at}.name`);
      const symbols = readArray(object.symbols, `${at}.symbols`, readString);
      return remember(named, { type: "enum", name, symbols });
    }
    default:
      return { ...parse(object.type, `${at}.type`, named), ...logical };
  }
}

function parseRecord(
  json: Record<string, unknown>,
  at: string,
  named: Map<string, AvroSchema>,
): AvroRecord {
  const record: AvroRecord = {
    type: "record",
    name: readString(json.name, `${at}.name`),
    fields: [],
  };
  // Known before its fields are read: a record may refer to itself.
  remember(named, record);
  record.fields = readArray(json.fields, `${at}.fields`, (item, to) => {
    const field = readObject(item, to);
    const id = field["field-id"];
    return {
      name: readString(field.name, `${to}.name`),
      type: parse(field.type, `${to}.type`, named),
      ...(typeof id === "number" ? { "field-id": id } : {}),
    };
  });
  return record;
}

function remember<T extends AvroSchema & { name: string }>(
  named: Map<string, AvroSchema>,
  schema: T,
): T {
  named.set(schema.name, schema);
  return schema;
}

// ---- From Iceberg ----------------------------------------------------------------------------------

/**
 * The Avro schema (as JSON) of a struct, with the spec's field ids. Record names are `name` at the
 * top, `r<field id>` below and `k<id>_v<id>` for map entries, as Java names them.
 */
export function structToAvro(struct: StructType, name: string): Record<string, unknown> {
  return recordToAvro(struct, name, new Set());
}

/** `fixed` holds the names of fixed types defined so far: Avro wants them unique. */
function recordToAvro(
  struct: StructType,
  name: string,
  fixed: Set<string>,
): Record<string, unknown> {
  return { type: "record", name, fields: struct.fields.map((field) => fieldToAvro(field, fixed)) };
}

function fieldToAvro(field: NestedField, fixed: Set<string>): Record<string, unknown> {
  const name = avroName(field.name);
  const type = typeToAvro(field.type, `r${field.id}`, fixed);
  return {
    name,
    type: field.required ? type : ["null", type],
    ...(field.required ? {} : { default: null }),
    ...(name === field.name ? {} : { "iceberg-field-name": field.name }),
    "field-id": field.id,
  };
}

function typeToAvro(type: Type, recordName: string, fixed: Set<string>): unknown {
  if (typeof type === "string") return primitiveToAvro(type, fixed);
  switch (type.type) {
    case "struct":
      return recordToAvro(type, recordName, fixed);
    case "list":
      return listToAvro(type, fixed);
    case "map":
      return mapToAvro(type, fixed);
  }
}

function listToAvro(list: ListType, fixed: Set<string>): unknown {
  const element = typeToAvro(list.element, `r${list["element-id"]}`, fixed);
  return {
    type: "array",
    items: list["element-required"] ? element : ["null", element],
    "element-id": list["element-id"],
  };
}

function mapToAvro(map: MapType, fixed: Set<string>): unknown {
  const { "key-id": keyId, "value-id": valueId } = map;
  const entry: StructType = {
    type: "struct",
    fields: [
      { id: keyId, name: "key", required: true, type: map.key },
      { id: valueId, name: "value", required: map["value-required"], type: map.value },
    ],
  };
  return {
    type: "array",
    logicalType: "map",
    items: recordToAvro(entry, `k${keyId}_v${valueId}`, fixed),
  };
}

function primitiveToAvro(type: PrimitiveType, fixed: Set<string>): unknown {
  const shape = parsePrimitive(type);
  switch (shape.kind) {
    case "date":
      return { type: "int", logicalType: "date" };
    case "time":
      return { type: "long", logicalType: "time-micros" };
    case "timestamp":
      return { type: "long", logicalType: "timestamp-micros", "adjust-to-utc": false };
    case "timestamptz":
      return { type: "long", logicalType: "timestamp-micros", "adjust-to-utc": true };
    case "uuid":
      return defineFixed(fixed, { name: "uuid_fixed", size: 16, logicalType: "uuid" });
    case "binary":
      return "bytes";
    case "fixed":
      return defineFixed(fixed, { name: `fixed_${shape.length}`, size: shape.length });
    case "decimal": {
      const { precision, scale } = shape;
      const size = decimalBytes(precision);
      const name = `decimal_${precision}_${scale}`;
      return defineFixed(fixed, { name, size, logicalType: "decimal", precision, scale });
    }
    default:
      return shape.kind;
  }
}

/**
 * Defines a fixed type under a name of its own: Java's, and from the second use on with a number. Java
 * refers to the first definition instead, which Avro allows but PyIceberg 0.12 does not read.
 */
function defineFixed(
  fixed: Set<string>,
  definition: { name: string; size: number; [attribute: string]: unknown },
): unknown {
  let { name } = definition;
  for (let use = 2; fixed.has(name); use++) name = `${definition.name}_${use}`;
  fixed.add(name);
  return { type: "fixed", ...definition, name };
}

/** The fewest bytes that hold every decimal of a precision. */
export function decimalBytes(precision: number): number {
  const largest = 10n ** BigInt(precision) - 1n;
  return Math.ceil((largest.toString(2).length + 1) / 8);
}

/**
 * A name that Avro accepts, made as Java makes it: a leading digit gets `_` before it, any other
 * character outside `[A-Za-z0-9_]` becomes `_x` and its code unit in hex.
 */
export function avroName(name: string): string {
  if (name === "") throw new IcebergError("Cannot make an Avro name of an empty name");
  return Array.from({ length: name.length }, (_, index) => {
    const char = name.charAt(index);
    if (/[A-Za-z_]/.test(char) || (index > 0 && /[0-9]/.test(char))) return char;
    if (/[0-9]/.test(char)) return `_${char}`;
    return `_x${char.charCodeAt(0).toString(16).toUpperCase()}`;
  }).join("");
}
