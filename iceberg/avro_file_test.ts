import { assertEquals, assertThrows } from "@std/assert";
import { zstdCompressSync } from "node:zlib";
import { AvroWriter } from "./avro_binary.ts";
import { compileDecoder, compileEncoder, compileRecordDecoder } from "./avro_codec.ts";
import { type AvroCompression, readAvroFile, writeAvroFile } from "./avro_file.ts";
import { avroName, decimalBytes, parseAvroSchema, structToAvro } from "./avro_schema.ts";
import { IcebergError } from "./errors.ts";
import type { StructType } from "./types.ts";

const STRUCT: StructType = {
  type: "struct",
  fields: [
    { id: 1, name: "id", required: true, type: "long" },
    { id: 2, name: "name", required: false, type: "string" },
    {
      id: 3,
      name: "counts",
      required: false,
      type: {
        type: "map",
        "key-id": 4,
        key: "int",
        "value-id": 5,
        "value-required": true,
        value: "long",
      },
    },
    {
      id: 6,
      name: "items",
      required: false,
      type: { type: "list", "element-id": 7, "element-required": true, element: "int" },
    },
  ],
};

const ROWS = [
  { id: 9007199254740993n, name: "é", counts: new Map([[7, 2n ** 40n]]), items: [1, -1] },
  { id: -1n, name: null, counts: null, items: null },
  { id: 0n, name: "", counts: new Map(), items: [] },
];

function write(rows: Iterable<unknown>, compression?: AvroCompression): Uint8Array {
  const schema = structToAvro(STRUCT, "row");
  return writeAvroFile({
    schema,
    metadata: { note: "x" },
    records: rows,
    encode: compileEncoder(parseAvroSchema(schema)),
    ...(compression === undefined ? {} : { compression }),
  });
}

function read(bytes: Uint8Array) {
  return readAvroFile(bytes, ({ schema }) => compileDecoder(schema));
}

for (const compression of ["deflate", "null"] as const) {
  Deno.test(`writeAvroFile() and readAvroFile() with codec ${compression}`, () => {
    const { header, records } = read(write(ROWS, compression));
    assertEquals(records, ROWS);
    assertEquals(header.metadata.get("avro.codec"), compression);
    assertEquals(header.metadata.get("note"), "x");
  });
}

Deno.test("writeAvroFile() is deterministic, splits into blocks and needs no records", () => {
  const many = Array.from({ length: 50_000 }, (_, n) => ({ id: BigInt(n), name: `name ${n}` }));
  const bytes = write(many);
  assertEquals(bytes, write(many));
  assertEquals(read(bytes).records.length, 50_000);
  assertEquals(read(write([])).records, []);
});

Deno.test("readAvroFile() reads zstandard", () => {
  const plain = write(ROWS, "null");
  const text = new TextDecoder("latin1").decode(plain);
  // The same file by hand: magic, metadata with the other codec, sync, one compressed block.
  const schema = structToAvro(STRUCT, "row");
  const out = new AvroWriter();
  out.writeFixed(plain.subarray(0, 4));
  out.writeInt(2);
  out.writeString("avro.schema");
  out.writeString(JSON.stringify(schema));
  out.writeString("avro.codec");
  out.writeString("zstandard");
  out.writeInt(0);
  const sync = plain.subarray(-16);
  const start = text.indexOf(text.slice(-16)) + 16;
  // Block header of the plain file: count (1 byte: 3 rows), size (1 byte).
  const data = plain.subarray(start + 2, -16);
  const compressed = zstdCompressSync(data);
  out.writeFixed(sync);
  out.writeInt(ROWS.length);
  out.writeBytes(compressed);
  out.writeFixed(sync);
  assertEquals(read(out.view()).records, ROWS);
});

Deno.test("readAvroFile() refuses what is broken", () => {
  const bytes = write(ROWS);
  assertThrows(() => read(new Uint8Array(8)), IcebergError, "does not start as one");
  assertThrows(() => read(bytes.slice(0, -1)), IcebergError, "ends too early");
  const damaged = bytes.slice();
  damaged[damaged.length - 1] = (damaged.at(-1) as number) ^ 1;
  assertThrows(() => read(damaged), IcebergError, "sync marker");
  assertThrows(
    () => readAvroFile(bytes, () => (reader) => reader.readLong()),
    IcebergError,
    "bytes left over",
  );
});

Deno.test("compileRecordDecoder() skips the fields that are not asked for", () => {
  const { records } = readAvroFile(
    write(ROWS),
    ({ schema }) =>
      compileRecordDecoder(
        schema,
        (field) => field["field-id"] === 6 ? { key: "only" } : undefined,
      ),
  );
  assertEquals(records, [{ only: [1, -1] }, { only: null }, { only: [] }]);
});

Deno.test("compileDecoder() reads arrays in sized blocks, as some writers make them", () => {
  const writer = new AvroWriter();
  writer.writeInt(-2);
  writer.writeInt(2);
  writer.writeInt(5);
  writer.writeInt(6);
  writer.writeInt(0);
  const schema = parseAvroSchema({
    type: "record",
    name: "r",
    fields: [{ name: "a", type: { type: "array", items: "int" } }, { name: "b", type: "int" }],
  });
  writer.writeInt(7);
  const file = writeAvroFile({
    schema: {
      type: "record",
      name: "r",
      fields: [{ name: "a", type: { type: "array", items: "int" } }, { name: "b", type: "int" }],
    },
    metadata: {},
    records: [writer.view()],
    encode: (out, bytes) => out.writeFixed(bytes),
  });
  assertEquals(schema.type, "record");
  assertEquals(read(file).records, [{ a: [5, 6], b: 7 }]);
  const { records } = readAvroFile(
    file,
    ({ schema }) =>
      compileRecordDecoder(schema, ({ name }) => name === "b" ? { key: "b" } : undefined),
  );
  assertEquals(records, [{ b: 7 }]);
});

Deno.test("compileEncoder() names the field that has no value", () => {
  assertThrows(() => write([{ name: "x" }]), IcebergError, 'Cannot write "record.id"');
});

// TestSchemaConversions.java of apache/iceberg, testSpecialChars.
const NAMES: [name: string, avro: string][] = [
  ["9x", "_9x"],
  ["x_", "x_"],
  ["a.b", "a_x2Eb"],
  ["☃", "_x2603"],
  ["a#b", "a_x23b"],
];

for (const [name, avro] of NAMES) {
  Deno.test(`avroName() makes "${avro}" of "${name}"`, () => assertEquals(avroName(name), avro));
}

// The largest precision of n bytes is floor(log10(2^(8n - 1) - 1)) (Parquet, LogicalTypes "DECIMAL").
const DECIMAL_BYTES: [precision: number, bytes: number][] = [
  [1, 1],
  [2, 1],
  [3, 2],
  [4, 2],
  [5, 3],
  [9, 4],
  [10, 5],
  [18, 8],
  [19, 9],
  [38, 16],
];

for (const [precision, bytes] of DECIMAL_BYTES) {
  Deno.test(`decimalBytes() of ${precision} digits is ${bytes}`, () => {
    assertEquals(decimalBytes(precision), bytes);
  });
}

Deno.test("structToAvro() marks a renamed field, and optional fields default to null", () => {
  const struct: StructType = {
    type: "struct",
    fields: [{ id: 1, name: "a b", required: false, type: "timestamptz" }],
  };
  assertEquals<unknown>(structToAvro(struct, "row"), {
    type: "record",
    name: "row",
    fields: [{
      name: "a_x20b",
      type: ["null", { type: "long", logicalType: "timestamp-micros", "adjust-to-utc": true }],
      default: null,
      "iceberg-field-name": "a b",
      "field-id": 1,
    }],
  });
});
