/** Partition tuples in manifests: as Avro values, and summarised over a manifest. */
import type { AvroField } from "./avro_schema.ts";
import { avroName, decimalBytes } from "./avro_schema.ts";
import { decodeUtf8 } from "./bytes.ts";
import { compareValues } from "./compare.ts";
import { IcebergError } from "./errors.ts";
import { partitionTypes } from "./partition.ts";
import { parsePrimitive } from "./schema.ts";
import {
  bigintToBytes,
  bytesToBigint,
  bytesToUuid,
  encodeValue,
  uuidToBytes,
} from "./single_value.ts";
import type {
  FieldSummary,
  PartitionSpec,
  PartitionTuple,
  PrimitiveType,
  Schema,
  StructType,
  Value,
} from "./types.ts";

/** The struct of a spec's partition tuples; the field ids are those of the spec. */
export function partitionStruct(spec: PartitionSpec, schema: Schema): StructType {
  const types = partitionTypes(spec, schema);
  return {
    type: "struct",
    fields: spec.fields.map((field, index) => ({
      id: field["field-id"],
      name: field.name,
      required: false,
      type: types[index] as PrimitiveType,
    })),
  };
}

// ---- As Avro values --------------------------------------------------------------------------------

/** A function that makes the Avro record of a tuple. */
export function partitionToAvro(
  struct: StructType,
): (tuple: PartitionTuple) => Record<string, unknown> {
  const fields = struct.fields.map(({ name, type }) => ({
    key: avroName(name),
    convert: valueToAvro(type as PrimitiveType),
  }));
  return (tuple) => {
    if (tuple.length !== fields.length) {
      throw new IcebergError(
        `Cannot write partition: ${tuple.length} values for ${fields.length} partition fields`,
      );
    }
    const record: Record<string, unknown> = {};
    fields.forEach(({ key, convert }, index) => {
      const value = tuple[index] ?? null;
      record[key] = value === null ? null : convert(value);
    });
    return record;
  };
}

function valueToAvro(type: PrimitiveType): (value: Value) => unknown {
  const shape = parsePrimitive(type);
  if (shape.kind === "uuid") return (value) => uuidToBytes(value as string);
  if (shape.kind === "decimal") {
    const size = decimalBytes(shape.precision);
    return (value) => signExtend(bigintToBytes(value as bigint), size);
  }
  return (value) => value;
}

function signExtend(bytes: Uint8Array, size: number): Uint8Array {
  if (bytes.length > size) {
    throw new IcebergError(`Cannot write decimal: it needs more than ${size} bytes`);
  }
  const extended = new Uint8Array(size).fill((bytes[0] as number) >= 0x80 ? 0xff : 0);
  extended.set(bytes, size - bytes.length);
  return extended;
}

/** What decoding a partition needs per field: the Avro field's key and how to convert its value. */
export interface PartitionReader {
  keyOf: (field: AvroField) => string | undefined;
  tupleOf: (record: Record<string, unknown>) => PartitionTuple;
}

/**
 * Reads tuples in the order of `spec`: by field id, or by name where a manifest has no ids. A field
 * that the manifest lacks is null.
 */
export function partitionReader(
  spec: PartitionSpec,
  types: readonly PrimitiveType[],
): PartitionReader {
  const fields = spec.fields.map((field, index) => ({
    id: field["field-id"],
    name: avroName(field.name),
    key: `f${field["field-id"]}`,
    convert: valueFromAvro(types[index] as PrimitiveType),
  }));
  return {
    keyOf: (avro) =>
      fields.find(({ id, name }) =>
        avro["field-id"] === undefined ? avro.name === name : avro["field-id"] === id
      )?.key,
    tupleOf: (record) =>
      fields.map(({ key, convert }) => {
        const raw = record[key] ?? null;
        return raw === null ? null : convert(raw);
      }),
  };
}

function valueFromAvro(type: PrimitiveType): (raw: unknown) => Value {
  switch (parsePrimitive(type).kind) {
    case "long":
    case "time":
    case "timestamp":
    case "timestamptz":
      // An int from before the column was promoted.
      return (raw) => typeof raw === "number" ? BigInt(raw) : raw as bigint;
    case "decimal":
      return (raw) => bytesToBigint(raw as Uint8Array);
    case "uuid":
      return (raw) => raw instanceof Uint8Array ? uuidFromBytes(raw) : raw as string;
    default:
      return (raw) => raw as Value;
  }
}

/** 16 bytes, or (some writers) the text. */
function uuidFromBytes(raw: Uint8Array): string {
  return raw.length === 16 ? bytesToUuid(raw) : decodeUtf8(raw);
}

// ---- Summaries -------------------------------------------------------------------------------------

/** Collects the summaries of a manifest's partitions (spec "Manifest Lists", `field_summary`). */
export class PartitionSummaries {
  readonly #fields: {
    type: PrimitiveType;
    nulls: boolean;
    nans: boolean;
    min?: Value;
    max?: Value;
  }[];

  constructor(types: readonly PrimitiveType[]) {
    this.#fields = types.map((type) => ({ type, nulls: false, nans: false }));
  }

  /** Takes the partition of one entry, whatever its status. */
  add(tuple: PartitionTuple): void {
    this.#fields.forEach((field, index) => {
      const value = tuple[index] ?? null;
      if (value === null) {
        field.nulls = true;
      } else if (Number.isNaN(value)) {
        field.nans = true;
      } else {
        const { type, min, max } = field;
        if (min === undefined || compareValues(type, value, min) < 0) field.min = value;
        if (max === undefined || compareValues(type, value, max) > 0) field.max = value;
      }
    });
  }

  /** One summary per partition field. */
  summaries(): FieldSummary[] {
    return this.#fields.map(({ type, nulls, nans, min, max }) => ({
      contains_null: nulls,
      contains_nan: nans,
      ...(min === undefined ? {} : { lower_bound: encodeValue(type, min) }),
      ...(max === undefined ? {} : { upper_bound: encodeValue(type, max) }),
    }));
  }
}
