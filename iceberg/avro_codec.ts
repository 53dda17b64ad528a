/**
 * Decoders and encoders compiled from Avro schemas. Raw values: int → number, long → bigint, bytes and
 * fixed → Uint8Array, array → array, array with logical type `map` and map → Map, record → object,
 * null → null.
 */
import type { AvroReader, AvroWriter } from "./avro_binary.ts";
import type { AvroField, AvroRecord, AvroSchema } from "./avro_schema.ts";
import { IcebergError } from "./errors.ts";

/** Reads one value. */
export type Decode = (reader: AvroReader) => unknown;

/** Writes one value. */
export type Encode = (writer: AvroWriter, value: unknown) => void;

/** What to do with a field of a record that is read. */
export interface FieldPlan {
  /** Key in the object that is made. */
  key: string;
  /** Makes the decoder of the field's schema (without null). @default {compileDecoder} */
  compile?: (schema: AvroSchema) => Decode;
}

// ---- Decoding --------------------------------------------------------------------------------------

/** A decoder for every field of a schema. */
export function compileDecoder(schema: AvroSchema): Decode {
  switch (schema.type) {
    case "null":
      return () => null;
    case "boolean":
      return (reader) => reader.readBoolean();
    case "int":
      return (reader) => reader.readInt();
    case "long":
      return (reader) => reader.readLong();
    case "float":
      return (reader) => reader.readFloat();
    case "double":
      return (reader) => reader.readDouble();
    case "bytes":
      return (reader) => reader.readBytes();
    case "string":
      return (reader) => reader.readString();
    case "fixed":
      return (reader) => reader.readFixed(schema.size);
    case "enum":
      return (reader) => branch(schema.symbols, reader.readInt());
    case "union": {
      const branches = schema.branches.map(compileDecoder);
      return (reader) => branch(branches, reader.readInt())(reader);
    }
    case "array":
      return schema.logicalType === "map"
        ? compileMapDecoder(schema)
        : compileArrayDecoder(schema.items);
    case "map": {
      const value = compileDecoder(schema.values);
      return (reader) => {
        const map = new Map<string, unknown>();
        readBlocks(reader, () => void map.set(reader.readString(), value(reader)));
        return map;
      };
    }
    case "record":
      return compileRecordDecoder(schema, ({ name }) => ({ key: name }));
  }
}

function compileArrayDecoder(items: AvroSchema): Decode {
  const item = compileDecoder(items);
  return (reader) => {
    const array: unknown[] = [];
    readBlocks(reader, () => void array.push(item(reader)));
    return array;
  };
}

/** Key and value of the entries of an array that stands for a map. */
function entryFields(schema: AvroSchema): [AvroField, AvroField] {
  const fields = schema.type === "array" && schema.items.type === "record"
    ? schema.items.fields
    : [];
  const [key, value] = fields;
  if (key === undefined || value === undefined || fields.length !== 2) {
    throw new IcebergError("Cannot read Avro map: its entries are not records of key and value");
  }
  return [key, value];
}

/**
 * A decoder for an array that stands for a map. With `keys`, other entries are skipped: planning
 * needs the bounds of a few columns, and making the rest would be most of the work.
 */
export function compileMapDecoder(schema: AvroSchema, keys?: ReadonlySet<number>): Decode {
  const [key, value] = entryFields(schema);
  const readKey = compileDecoder(key.type);
  const readValue = compileDecoder(value.type);
  const skipValue = compileSkip(value.type);
  return (reader) => {
    const map = new Map<unknown, unknown>();
    readBlocks(reader, () => {
      const entry = readKey(reader);
      if (keys === undefined || keys.has(entry as number)) map.set(entry, readValue(reader));
      else skipValue(reader);
    });
    return map;
  };
}

/** A decoder for a record: `planOf` says which fields to keep and how; the others are skipped. */
export function compileRecordDecoder(
  schema: AvroRecord,
  planOf: (field: AvroField) => FieldPlan | undefined,
): Decode {
  const steps = schema.fields.map((field) => {
    const plan = planOf(field);
    if (plan === undefined) return { key: undefined, run: compileSkip(field.type) };
    return { key: plan.key, run: compileNullable(field.type, plan.compile ?? compileDecoder) };
  });
  return (reader) => {
    const record: Record<string, unknown> = {};
    for (const { key, run } of steps) {
      if (key === undefined) run(reader);
      else record[key] = run(reader);
    }
    return record;
  };
}

/** Applies `compile` to the schema inside a union with null, or to the schema itself. */
function compileNullable(schema: AvroSchema, compile: (schema: AvroSchema) => Decode): Decode {
  if (schema.type !== "union") return compile(schema);
  const branches = schema.branches.map((one) => one.type === "null" ? () => null : compile(one));
  return (reader) => branch(branches, reader.readInt())(reader);
}

/** Skips one value. */
function compileSkip(schema: AvroSchema): Decode {
  switch (schema.type) {
    case "null":
      return () => null;
    case "boolean":
      return (reader) => reader.skip(1);
    case "int":
    case "long":
    case "enum":
      return (reader) => reader.skipLong();
    case "float":
      return (reader) => reader.skip(4);
    case "double":
      return (reader) => reader.skip(8);
    case "bytes":
    case "string":
      return (reader) => reader.skipBytes();
    case "fixed":
      return (reader) => reader.skip(schema.size);
    case "union": {
      const branches = schema.branches.map(compileSkip);
      return (reader) => branch(branches, reader.readInt())(reader);
    }
    case "array": {
      const item = compileSkip(schema.items);
      return (reader) => readBlocks(reader, item, true);
    }
    case "map": {
      const value = compileSkip(schema.values);
      return (reader) =>
        readBlocks(reader, () => {
          reader.skipBytes();
          value(reader);
        }, true);
    }
    case "record": {
      const steps = schema.fields.map((field) => compileSkip(field.type));
      return (reader) => {
        for (const step of steps) step(reader);
      };
    }
  }
}

/** The blocks of an array or map; a negative count is followed by the block's size in bytes. */
function readBlocks(reader: AvroReader, item: Decode, skip = false): void {
  for (let count = reader.readInt(); count !== 0; count = reader.readInt()) {
    if (count > 0) {
      for (let index = 0; index < count; index++) item(reader);
      continue;
    }
    const size = reader.readInt();
    if (skip) reader.skip(size);
    else for (let index = 0; index < -count; index++) item(reader);
  }
}

function branch<T>(branches: readonly T[], index: number): T {
  const chosen = branches[index];
  if (chosen === undefined) {
    throw new IcebergError(`Cannot read Avro data: there is no branch ${index}`);
  }
  return chosen;
}

// ---- Encoding --------------------------------------------------------------------------------------

/**
 * An encoder for a schema. Records are objects by field name; undefined and null take the null branch.
 * Throws IcebergError naming the field that has no value though it must.
 */
export function compileEncoder(schema: AvroSchema, at = "record"): Encode {
  switch (schema.type) {
    case "null":
      return () => {};
    case "boolean":
      return (writer, value) => writer.writeBoolean(value as boolean);
    case "int":
      return (writer, value) => writer.writeInt(value as number);
    case "long":
      return (writer, value) => writer.writeLong(value as bigint);
    case "float":
      return (writer, value) => writer.writeFloat(value as number);
    case "double":
      return (writer, value) => writer.writeDouble(value as number);
    case "bytes":
      return (writer, value) => writer.writeBytes(value as Uint8Array);
    case "string":
      return (writer, value) => writer.writeString(value as string);
    case "fixed":
      return (writer, value) => writer.writeFixed(checkSize(value as Uint8Array, schema.size, at));
    case "union":
      return compileNullableEncoder(schema.branches, at);
    case "array":
      return schema.logicalType === "map"
        ? compileMapEncoder(schema, at)
        : compileArrayEncoder(schema.items, at);
    case "record":
      return compileRecordEncoder(schema, at);
    case "enum":
    case "map":
      throw new IcebergError(`Cannot write Avro ${schema.type} "${at}": Iceberg does not use it`);
  }
}

function compileNullableEncoder(branches: AvroSchema[], at: string): Encode {
  const [first, second] = branches;
  if (first?.type !== "null" || second === undefined || branches.length !== 2) {
    throw new IcebergError(`Cannot write Avro union "${at}": it is not null and one other type`);
  }
  const encode = compileEncoder(second, at);
  return (writer, value) => {
    if (value === undefined || value === null) return writer.writeInt(0);
    writer.writeInt(1);
    encode(writer, value);
  };
}

function compileArrayEncoder(items: AvroSchema, at: string): Encode {
  const item = compileEncoder(items, `${at}[]`);
  return (writer, value) => {
    const array = value as readonly unknown[];
    if (array.length > 0) writer.writeInt(array.length);
    for (const one of array) item(writer, one);
    writer.writeInt(0);
  };
}

function compileMapEncoder(schema: AvroSchema, at: string): Encode {
  const [keyField, valueField] = entryFields(schema);
  const key = compileEncoder(keyField.type, `${at}.key`);
  const value = compileEncoder(valueField.type, `${at}.value`);
  return (writer, input) => {
    const map = input as ReadonlyMap<unknown, unknown>;
    if (map.size > 0) writer.writeInt(map.size);
    for (const [entryKey, entryValue] of map) {
      key(writer, entryKey);
      value(writer, entryValue);
    }
    writer.writeInt(0);
  };
}

function compileRecordEncoder(schema: AvroRecord, at: string): Encode {
  const steps = schema.fields.map(({ name, type }) => {
    const field = `${at}.${name}`;
    return { name, field, optional: type.type === "union", run: compileEncoder(type, field) };
  });
  return (writer, value) => {
    const record = value as Record<string, unknown>;
    for (const { name, field, optional, run } of steps) {
      const item = record[name];
      if (!optional && (item === undefined || item === null)) {
        throw new IcebergError(`Cannot write "${field}": a value is required`);
      }
      run(writer, item);
    }
  };
}

function checkSize(bytes: Uint8Array, size: number, at: string): Uint8Array {
  if (bytes.length === size) return bytes;
  throw new IcebergError(`Cannot write "${at}": expected ${size} bytes, got ${bytes.length}`);
}
