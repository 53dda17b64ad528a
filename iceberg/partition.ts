/** Partition specs and sort orders: parse, check, partition values of rows (spec "Partitioning", "Sorting"). */
import { compareBytes } from "./bytes.ts";
import { IcebergError } from "./errors.ts";
import { readArray, readInt, readObject, readOneOf, readString } from "./read.ts";
import { fieldIndex } from "./schema.ts";
import { applyTransform, humanValue, parseTransform, transformResultType } from "./transforms.ts";
import type {
  PartitionField,
  PartitionSpec,
  PartitionTuple,
  PrimitiveType,
  Schema,
  SortField,
  SortOrder,
  Value,
} from "./types.ts";

/** Partition field ids start here; 999 = none assigned yet. */
export const PARTITION_FIELD_ID_START = 1000;

/** Spec 0 without fields. */
export const UNPARTITIONED: PartitionSpec = { "spec-id": 0, fields: [] };

/** Order 0 without fields. */
export const UNSORTED: SortOrder = { "order-id": 0, fields: [] };

// ---- From JSON -------------------------------------------------------------------------------------

/**
 * Reads the fields of a partition spec; missing field ids (v1) are numbered from 1000 in order.
 */
export function partitionFieldsFromJson(value: unknown, at: string): PartitionField[] {
  let next = PARTITION_FIELD_ID_START;
  return readArray(value, at, (item, itemAt) => {
    const json = readObject(item, itemAt);
    const id = json["field-id"] === undefined
      ? next
      : readInt(json["field-id"], `${itemAt}.field-id`);
    next = Math.max(next, id) + 1;
    return {
      ...json,
      "source-id": readInt(json["source-id"], `${itemAt}.source-id`),
      "field-id": id,
      name: readString(json.name, `${itemAt}.name`),
      transform: readString(json.transform, `${itemAt}.transform`),
    };
  });
}

/** Reads a partition spec. */
export function partitionSpecFromJson(value: unknown, at: string): PartitionSpec {
  const json = readObject(value, at);
  return {
    ...json,
    "spec-id": readInt(json["spec-id"], `${at}.spec-id`),
    fields: partitionFieldsFromJson(json.fields, `${at}.fields`),
  };
}

/** Reads a sort order. */
export function sortOrderFromJson(value: unknown, at: string): SortOrder {
  const json = readObject(value, at);
  return {
    ...json,
    "order-id": readInt(json["order-id"], `${at}.order-id`),
    fields: readArray(json.fields, `${at}.fields`, sortFieldFromJson),
  };
}

function sortFieldFromJson(value: unknown, at: string): SortField {
  const json = readObject(value, at);
  return {
    ...json,
    transform: readString(json.transform, `${at}.transform`),
    "source-id": readInt(json["source-id"], `${at}.source-id`),
    direction: readOneOf(json.direction, `${at}.direction`, ["asc", "desc"]),
    "null-order": readOneOf(json["null-order"], `${at}.null-order`, ["nulls-first", "nulls-last"]),
  };
}

// ---- Checks ----------------------------------------------------------------------------------------

/**
 * Checks a spec that is to be written with: sources exist, are primitives outside lists and maps, take
 * the transform; names and field ids are unique; a name that is also a column's belongs to an identity
 * of that very column. Throws IcebergError.
 */
export function checkPartitionSpec(spec: PartitionSpec, schema: Schema): void {
  const names = new Set<string>();
  const ids = new Set<number>();
  for (const field of spec.fields) {
    const { name, transform } = field;
    const wrong = (reason: string) =>
      new IcebergError(`Cannot use partition field "${name}": ${reason}`);
    if (name === "") throw wrong("it has no name");
    if (names.has(name)) throw wrong("two fields have this name");
    if (ids.has(field["field-id"])) throw wrong(`field id ${field["field-id"]} is used twice`);
    names.add(name);
    ids.add(field["field-id"]);
    const { kind } = parseTransform(transform);
    if (kind === "unknown") throw wrong(`unknown transform "${transform}"`);
    // A column that is gone leaves a void behind in v1 tables.
    if (kind === "void" && !fieldIndex(schema).has(field["source-id"])) continue;
    transformResultType(transform, sourceType(schema, field["source-id"]));
    const column = schema.fields.find((candidate) => candidate.name === name);
    const own = column?.id === field["source-id"] && (kind === "identity" || kind === "void");
    if (column !== undefined && !own) throw wrong("a column has this name");
  }
}

/** Checks a sort order against a schema. Throws IcebergError. */
export function checkSortOrder(order: SortOrder, schema: Schema): void {
  if ((order["order-id"] === 0) !== (order.fields.length === 0)) {
    throw new IcebergError(
      `Cannot use sort order ${order["order-id"]}: 0 is the one without fields, and no other`,
    );
  }
  for (const field of order.fields) {
    transformResultType(field.transform, sourceType(schema, field["source-id"]));
  }
}

function sourceType(schema: Schema, id: number): PrimitiveType {
  const source = fieldIndex(schema).get(id);
  if (source === undefined) throw new IcebergError(`Cannot use column ${id}: no such field`);
  if (typeof source.type !== "string" || source.repeated) {
    throw new IcebergError(
      `Cannot use column "${source.path}" as a source: not a primitive outside lists and maps`,
    );
  }
  return source.type;
}

/** The highest partition field id of a spec; 999 without fields. */
export function lastPartitionFieldId(spec: PartitionSpec): number {
  return Math.max(
    PARTITION_FIELD_ID_START - 1,
    ...spec.fields.map((field) => field["field-id"]),
  );
}

/** Whether two specs are equivalent: same sources, transforms and names in the same order. */
export function sameSpec(a: PartitionSpec, b: PartitionSpec): boolean {
  return a.fields.length === b.fields.length && a.fields.every((field, index) => {
    const other = b.fields[index];
    return other !== undefined && samePartitionField(field, other);
  });
}

/** Whether two partition fields are equivalent but for their field id. */
export function samePartitionField(a: PartitionField, b: PartitionField): boolean {
  return a["source-id"] === b["source-id"] && a.transform === b.transform && a.name === b.name;
}

/** Whether two sort orders sort alike. */
export function sameSortOrder(a: SortOrder, b: SortOrder): boolean {
  return a.fields.length === b.fields.length && a.fields.every((field, index) => {
    const other = b.fields[index];
    return other !== undefined && field.transform === other.transform &&
      field["source-id"] === other["source-id"] && field.direction === other.direction &&
      field["null-order"] === other["null-order"];
  });
}

// ---- Values ----------------------------------------------------------------------------------------

/**
 * The types of a spec's partition values, in the spec's order. A source column that the schema no
 * longer has gives the transform's own type, or `string` where that depends on the column.
 */
export function partitionTypes(spec: PartitionSpec, schema: Schema): PrimitiveType[] {
  const index = fieldIndex(schema);
  return spec.fields.map(({ transform, "source-id": id }) => {
    const source = index.get(id)?.type;
    if (typeof source === "string") return transformResultType(transform, source);
    const { kind } = parseTransform(transform);
    if (kind === "day") return "date";
    return kind === "year" || kind === "month" || kind === "hour" || kind === "bucket"
      ? "int"
      : "string";
  });
}

/** The partition of a row: `valueOf` gives the row's value of a column by field id. */
export function partitionValueOf(
  spec: PartitionSpec,
  schema: Schema,
  valueOf: (sourceId: number) => Value | null,
): PartitionTuple {
  return spec.fields.map(({ transform, "source-id": id }) =>
    applyTransform(transform, sourceType(schema, id), valueOf(id))
  );
}

/** Whether two tuples of one spec are equal; NaN equals NaN, -0 differs from 0. */
export function samePartition(a: PartitionTuple, b: PartitionTuple): boolean {
  return a.length === b.length && a.every((value, index) => {
    const other = b[index] ?? null;
    return value instanceof Uint8Array
      ? other instanceof Uint8Array && compareBytes(value, other) === 0
      : Object.is(value, other);
  });
}

/** A tuple as text, equal exactly for equal tuples of one spec: a Map key, not for people. */
export function partitionKey(tuple: PartitionTuple): string {
  return tuple.map((value) => {
    if (value === null) return "n";
    const text = value instanceof Uint8Array
      ? value.toHex()
      : Object.is(value, -0)
      ? "-0"
      : String(value);
    return `${text.length}:${text}`;
  }).join("");
}

/** `ts_day=2026-11-21/id_bucket=3`, escaped as Java does (form encoding); "" for an unpartitioned spec. */
export function partitionPath(
  spec: PartitionSpec,
  schema: Schema,
  tuple: PartitionTuple,
): string {
  const index = fieldIndex(schema);
  return spec.fields.map(({ name, transform, "source-id": id }, position) => {
    const source = index.get(id)?.type;
    const type = typeof source === "string" ? source : "string";
    const text = humanValue(transform, type, tuple[position] ?? null);
    return `${formEncode(name)}=${formEncode(text)}`;
  }).join("/");
}

/** `application/x-www-form-urlencoded`, as java.net.URLEncoder: space is +, `*-._` stay. */
function formEncode(text: string): string {
  return new URLSearchParams({ "": text }).toString().slice(1);
}
