/** What Java Iceberg wrote (fixtures/README.md) is read as Java reads it, and printed unchanged. */
import { assertEquals } from "@std/assert";
import { compileDecoder } from "./avro_codec.ts";
import { readAvroFile } from "./avro_file.ts";
import { parseJson } from "./json.ts";
import { encodeManifest } from "./manifest.ts";
import { decodeManifest } from "./manifest_reader.ts";
import { assignNumbers, decodeManifestList, encodeManifestList } from "./manifest_list.ts";
import {
  currentSchema,
  currentSnapshot,
  defaultSortOrder,
  defaultSpec,
  parseTableMetadata,
  printTableMetadata,
  schemaForSpec,
  specById,
} from "./metadata.ts";
import { newTableMetadata } from "./new_table.ts";
import { partitionTypes } from "./partition.ts";
import { schemaFromJson } from "./schema.ts";
import { encodeValue } from "./single_value.ts";
import {
  EntryStatus,
  type ManifestEntry,
  type ManifestFile,
  type PartitionSpec,
  type PrimitiveType,
  type Schema,
  type Snapshot,
  type SortOrder,
  type TableMetadata,
} from "./types.ts";

const JAVA = new URL("./fixtures/java/", import.meta.url);
const WITH_MANIFESTS = ["evolved", "partitions", "v1"];

function text(name: string): string {
  return Deno.readTextFileSync(new URL(name, JAVA));
}

function bytes(name: string): Uint8Array {
  return Deno.readFileSync(new URL(name, JAVA));
}

for (const { name } of Deno.readDirSync(JAVA)) {
  if (!name.endsWith(".metadata.json")) continue;
  Deno.test(`${name} round-trips unchanged`, () => {
    const json = text(name);
    assertEquals(printTableMetadata(parseTableMetadata(json)), json);
  });
}

Deno.test("empty.metadata.json: Java's current-snapshot-id -1 is no snapshot", () => {
  const json = text("empty.metadata.json");
  assertEquals(json.includes('"current-snapshot-id":-1'), true);
  assertEquals(parseTableMetadata(json)["current-snapshot-id"], null);
});

Deno.test("evolved.metadata.json: 63-bit ids are exact", () => {
  const json = text("evolved.metadata.json");
  const { "current-snapshot-id": id } = parseTableMetadata(json);
  assertEquals(json.includes(`"current-snapshot-id":${id},`), true);
  assertEquals((id as bigint) > 2n ** 53n, true);
});

Deno.test("empty.metadata.json: newTableMetadata() assigns the ids that Java assigns", () => {
  const java = parseTableMetadata(text("empty.metadata.json"));
  const shift = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(shift);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => {
        if (key === "identifier-field-ids") return [key, (item as number[]).map((id) => 900 - id)];
        return [key, /(^|-)id$/.test(key) ? 900 - (item as number) : shift(item)];
      }),
    );
  };
  // Every id is another, in the opposite order; Java started from the very ids that it assigned.
  const ours = newTableMetadata({
    uuid: java["table-uuid"],
    location: java.location,
    schema: shift(currentSchema(java)) as Schema,
    spec: shift(defaultSpec(java)) as PartitionSpec,
    sortOrder: shift(defaultSortOrder(java)) as SortOrder,
    properties: java.properties,
    nowMs: java["last-updated-ms"],
  });
  assertEquals(ours, java);
});

// ---- Manifests: the text that MakeFixtures.java printed from what Java read -------------------------

function hex(value: Uint8Array | undefined): string {
  return value === undefined ? "null" : `x${value.toHex()}`;
}

function list(values: readonly unknown[] | undefined): string {
  return values === undefined ? "null" : `[${values.join(", ")}]`;
}

function map(entries: ReadonlyMap<number, bigint | Uint8Array> | undefined): string {
  if (entries === undefined) return "null";
  const sorted = [...entries].toSorted(([a], [b]) => a - b);
  return `{${
    sorted.map(([id, value]) => `${id}=${typeof value === "bigint" ? value : hex(value)}`).join(",")
  }}`;
}

function describeManifest(m: ManifestFile): string {
  const summaries = (m.partitions ?? []).map((summary) =>
    ` [${summary.contains_null} ${summary.contains_nan} ` +
    `${hex(summary.lower_bound)} ${hex(summary.upper_bound)}]`
  );
  return `${m.manifest_path} ${m.manifest_length} spec=${m.partition_spec_id} content=${m.content} ` +
    `seq=${m.sequence_number} min=${m.min_sequence_number} snapshot=${m.added_snapshot_id} ` +
    `files=${m.added_files_count},${m.existing_files_count},${m.deleted_files_count} ` +
    `rows=${m.added_rows_count},${m.existing_rows_count},${m.deleted_rows_count}${
      summaries.join("")
    }`;
}

function describeEntry(entry: ManifestEntry, types: readonly PrimitiveType[]): string {
  const file = entry.data_file;
  const partition = file.partition.map((value, index) =>
    value === null ? "null" : hex(encodeValue(types[index] as PrimitiveType, value))
  );
  return `entry ${entry.status} snapshot=${entry.snapshot_id} seq=${entry.sequence_number} ` +
    `file_seq=${entry.file_sequence_number} content=${file.content} ${file.file_path} ` +
    `${file.file_format} partition=${partition.join(",")} records=${file.record_count} ` +
    `bytes=${file.file_size_in_bytes} sizes=${map(file.column_sizes)} ` +
    `values=${map(file.value_counts)} nulls=${map(file.null_value_counts)} ` +
    `nans=${map(file.nan_value_counts)} lower=${map(file.lower_bounds)} ` +
    `upper=${map(file.upper_bounds)} splits=${list(file.split_offsets)} ` +
    `equality=${list(file.equality_ids)} sort=${file.sort_order_id ?? null} ` +
    `referenced=${file.referenced_data_file ?? null}`;
}

function decode(name: string, index: number, manifest: ManifestFile, metadata: TableMetadata) {
  const spec = specById(metadata, manifest.partition_spec_id);
  const schema = schemaForSpec(metadata, spec);
  const specs = metadata["partition-specs"];
  const entries = decodeManifest(bytes(`${name}.manifest-${index}.avro`), {
    manifest,
    specs,
    schema,
  });
  return { spec, schema, entries };
}

for (const name of WITH_MANIFESTS) {
  Deno.test(`${name}: manifest list and manifests are read as Java reads them`, () => {
    const metadata = parseTableMetadata(text(`${name}.metadata.json`));
    const lines: string[] = [];
    decodeManifestList(bytes(`${name}.list.avro`)).forEach((manifest, index) => {
      const { spec, schema, entries } = decode(name, index, manifest, metadata);
      const types = partitionTypes(spec, schema);
      lines.push(`manifest ${name}.manifest-${index}.avro ${describeManifest(manifest)}`);
      for (const entry of entries) lines.push(describeEntry(entry, types));
    });
    assertEquals(lines, text(`${name}.expected.txt`).trimEnd().split("\n"));
  });
}

// ---- What we write has Java's schemas --------------------------------------------------------------

/**
 * A schema's JSON without docs, and with the second use of a fixed type written out: Java refers to the
 * first by name, we define it anew for PyIceberg's sake.
 */
function normal(value: unknown, fixed = new Map<string, unknown>()): unknown {
  if (Array.isArray(value)) return value.map((item) => normal(item, fixed));
  if (typeof value === "string") return fixed.get(value) ?? value;
  if (typeof value !== "object" || value === null) return value;
  const { doc: _, ...json } = value as Record<string, unknown>;
  if (json.type === "fixed") {
    const { name, ...shape } = json;
    fixed.set(String(name), shape);
    return shape;
  }
  return Object.fromEntries(
    Object.entries(json).map(([key, item]) => [key, key === "name" ? item : normal(item, fixed)]),
  );
}

/**
 * The header with the schema parsed. Two keys differ: Java adds a copy of the schema, `iceberg.schema`,
 * and leaves out `schema-id`, which the spec requires in v2.
 */
function headerOf(file: Uint8Array): Record<string, unknown> {
  const { header } = readAvroFile(file, ({ schema }) => compileDecoder(schema));
  const { "iceberg.schema": _, "schema-id": __, ...metadata } = Object.fromEntries(header.metadata);
  return { ...metadata, "avro.schema": normal(parseJson(metadata["avro.schema"] as string)) };
}

/** The entry as its writer had it before the commit gave it numbers. */
function uncommitted(entry: ManifestEntry, manifest: ManifestFile): ManifestEntry {
  if (entry.status !== EntryStatus.added) return entry;
  const inherited = entry.sequence_number === manifest.sequence_number;
  return {
    ...entry,
    sequence_number: inherited ? null : entry.sequence_number,
    file_sequence_number: null,
  };
}

for (const name of ["evolved", "partitions"]) {
  Deno.test(`${name}: manifests written by us have Java's schema, metadata and summary`, () => {
    const metadata = parseTableMetadata(text(`${name}.metadata.json`));
    decodeManifestList(bytes(`${name}.list.avro`)).forEach((manifest, index) => {
      const { spec, schema, entries } = decode(name, index, manifest, metadata);
      const java = headerOf(bytes(`${name}.manifest-${index}.avro`));
      const ours = encodeManifest({
        path: manifest.manifest_path,
        // The schema of its time: Java's manifest may be older than the current one.
        schema: schemaFromJson(parseJson(java.schema as string)),
        spec,
        content: manifest.content,
        snapshotId: manifest.added_snapshot_id,
        entries: entries.map((entry) => uncommitted(entry, manifest)),
      });
      assertEquals(headerOf(ours.bytes), java);

      const committed = assignNumbers(
        ours.manifest,
        manifest.added_snapshot_id,
        manifest.sequence_number,
      );
      assertEquals(committed, { ...manifest, manifest_length: BigInt(ours.bytes.length) });
      const specs = metadata["partition-specs"];
      assertEquals(decodeManifest(ours.bytes, { manifest: committed, specs, schema }), entries);
    });
  });
}

Deno.test("manifest lists written by us have Java's schema and metadata", () => {
  const metadata = parseTableMetadata(text("evolved.metadata.json"));
  const snapshot = currentSnapshot(metadata) as Snapshot;
  const manifests = decodeManifestList(bytes("evolved.list.avro"));
  const ours = encodeManifestList({
    snapshotId: snapshot["snapshot-id"],
    parentSnapshotId: snapshot["parent-snapshot-id"] ?? null,
    sequenceNumber: snapshot["sequence-number"],
    manifests,
  });
  const java = headerOf(bytes("evolved.list.avro"));
  assertEquals(headerOf(ours), java);
  assertEquals(decodeManifestList(ours), manifests);
});
