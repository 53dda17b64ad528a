/** Reading manifest files of any writer, v1 and v2, with inheritance applied. */
import {
  compileDecoder,
  compileMapDecoder,
  compileRecordDecoder,
  type Decode,
  type FieldPlan,
} from "./avro_codec.ts";
import { type AvroHeader, readAvroFile } from "./avro_file.ts";
import type { AvroField, AvroRecord, AvroSchema } from "./avro_schema.ts";
import { IcebergError } from "./errors.ts";
import { parseJson } from "./json.ts";
import {
  DATA_FILE_ID,
  dataFileStruct,
  manifestEntryStruct,
  PARTITION_ID,
  STATS_FIELD_IDS,
} from "./manifest_schema.ts";
import { partitionFieldsFromJson, partitionTypes } from "./partition.ts";
import { type PartitionReader, partitionReader } from "./partition_avro.ts";
import { fieldIndex, schemaFromJson } from "./schema.ts";
import {
  type DataFile,
  EntryStatus,
  FileContent,
  type ManifestEntry,
  type ManifestFile,
  type PartitionSpec,
  type PrimitiveType,
  type Schema,
} from "./types.ts";

/** What reading a manifest needs besides its bytes. */
export interface DecodeManifestOptions {
  /** Its entry in the manifest list: what the entries inherit. */
  manifest: Pick<ManifestFile, "added_snapshot_id" | "sequence_number" | "partition_spec_id">;
  /** The table's specs; a spec that is not among them is taken from the manifest itself. */
  specs: readonly PartitionSpec[];
  /** The schema whose types the partition values should have: the table's current one. */
  schema: Schema;
  /**
   * Which columns' statistics to read, by field id. `"none"` makes entries that must not be written
   * into another manifest.
   * @default {"all"}
   */
  stats?: "all" | "none" | ReadonlySet<number>;
  /**
   * Decoders made so far, for manifests read with the same `specs`, `schema` and `stats`: those of a table are
   * nearly all of one Avro schema, and compiling it takes longer than decoding a small one.
   */
  decoders?: ManifestDecoders;
}

/** Decoders by Avro schema; begins empty. */
export type ManifestDecoders = Map<string, ManifestDecoder>;

/** What reads the entries of manifests of one Avro schema. */
export interface ManifestDecoder {
  readonly decode: Decode;
  readonly partition: PartitionReader;
}

const NO_PARTITION = { type: "struct" as const, fields: [] };
const ENTRY_KEYS = keysById(manifestEntryStruct(NO_PARTITION).fields);
const FILE_KEYS = keysById(dataFileStruct(NO_PARTITION).fields);
const FORMATS = ["PARQUET", "AVRO", "ORC", "PUFFIN"];

function keysById(fields: readonly { id: number; name: string }[]): Map<number | string, string> {
  // By name as well: v1 manifests of very old writers have no field ids.
  return new Map<number | string, string>(
    fields.flatMap(({ id, name }): [number | string, string][] => [[id, name], [name, name]]),
  );
}

/**
 * Reads a manifest. Entries come in the manifest's order, deleted ones included. Throws IcebergError if
 * the bytes are no manifest.
 */
export function decodeManifest(
  bytes: Uint8Array,
  options: DecodeManifestOptions,
): ManifestEntry[] {
  const { manifest, decoders } = options;
  const { records } = readAvroFile<ManifestEntry>(bytes, (header) => {
    const key = `${manifest.partition_spec_id} ${header.metadata.get("avro.schema")}`;
    const known = decoders?.get(key);
    const { decode, partition } = known ?? manifestDecoder(header, options);
    if (known === undefined) decoders?.set(key, { decode, partition });
    return (reader) => toEntry(decode(reader) as RawEntry, manifest, partition);
  });
  return records;
}

function manifestDecoder(header: AvroHeader, options: DecodeManifestOptions): ManifestDecoder {
  const { manifest, stats = "all" } = options;
  const specId = manifest.partition_spec_id;
  const spec = options.specs.find((one) => one["spec-id"] === specId) ??
    { "spec-id": specId, fields: specFieldsOf(header) };
  const partition = partitionReader(spec, typesOf(spec, options.schema, header));
  const decode = compileRecordDecoder(header.schema, (field) => {
    const key = keyOf(ENTRY_KEYS, field);
    if (key === undefined) return undefined;
    if (key !== "data_file") return { key };
    return { key, compile: (schema) => fileDecoder(record(schema), partition, stats) };
  });
  return { decode, partition };
}

function keyOf(keys: Map<number | string, string>, field: AvroField): string | undefined {
  return keys.get(field["field-id"] ?? field.name);
}

function record(schema: AvroSchema): AvroRecord {
  if (schema.type === "record") return schema;
  throw new IcebergError(`Cannot read manifest: expected a record, found ${schema.type}`);
}

function fileDecoder(
  schema: AvroRecord,
  partition: PartitionReader,
  stats: "all" | "none" | ReadonlySet<number>,
): Decode {
  return compileRecordDecoder(schema, (field): FieldPlan | undefined => {
    const key = keyOf(FILE_KEYS, field);
    if (key === undefined) return undefined;
    if (key === "partition") return { key, compile: partitionDecoder(partition) };
    const isStats = STATS_FIELD_IDS.has(field["field-id"] ?? -1);
    if (!isStats || stats === "all") return { key, compile: compileDecoder };
    return stats === "none" ? undefined : { key, compile: (map) => compileMapDecoder(map, stats) };
  });
}

function partitionDecoder(partition: PartitionReader): (schema: AvroSchema) => Decode {
  return (schema) =>
    compileRecordDecoder(record(schema), (field) => {
      const key = partition.keyOf(field);
      return key === undefined ? undefined : { key };
    });
}

// ---- The manifest's own schema and spec -------------------------------------------------------------

function specFieldsOf(header: AvroHeader): PartitionSpec["fields"] {
  const text = header.metadata.get("partition-spec");
  if (text === undefined) throw new IcebergError("Cannot read manifest: it has no partition-spec");
  return partitionFieldsFromJson(parseJson(text), "partition-spec");
}

/** Types by the table's schema; for columns that are gone from it, by the manifest's own. */
function typesOf(spec: PartitionSpec, schema: Schema, header: AvroHeader): PrimitiveType[] {
  const types = partitionTypes(spec, schema);
  const index = fieldIndex(schema);
  if (spec.fields.every((field) => index.has(field["source-id"]))) return types;
  const text = header.metadata.get("schema");
  if (text === undefined) return types;
  const own = partitionTypes(spec, schemaFromJson(parseJson(text), "schema"));
  return spec.fields.map((field, at) =>
    (index.has(field["source-id"]) ? types[at] : own[at]) as PrimitiveType
  );
}

// ---- Entries ---------------------------------------------------------------------------------------

type Raw<T> = { [K in keyof T]?: T[K] | null };
type RawFile = Omit<Raw<DataFile>, "partition" | "file_format"> & {
  partition?: Record<string, unknown>;
  file_format?: string;
};
type RawEntry = Omit<Raw<ManifestEntry>, "data_file"> & { data_file?: RawFile };

function toEntry(
  raw: RawEntry,
  manifest: DecodeManifestOptions["manifest"],
  partition: PartitionReader,
): ManifestEntry {
  const status = required(raw.status, "status");
  if (raw.data_file === undefined) {
    throw new IcebergError(`Cannot read manifest: it has no field data_file (id ${DATA_FILE_ID})`);
  }
  // v1 has no numbers: 0 for all. In v2 only added files inherit the manifest's.
  const inherits = status === EntryStatus.added || manifest.sequence_number === 0n;
  const inherited = inherits ? manifest.sequence_number : null;
  return {
    status,
    snapshot_id: raw.snapshot_id ?? manifest.added_snapshot_id,
    sequence_number: raw.sequence_number ?? inherited,
    file_sequence_number: raw.file_sequence_number ?? inherited,
    data_file: toDataFile(raw.data_file, manifest.partition_spec_id, partition),
  };
}

function toDataFile(raw: RawFile, specId: number, partition: PartitionReader): DataFile {
  const format = required(raw.file_format, "file_format").toUpperCase();
  if (!FORMATS.includes(format)) {
    throw new IcebergError(`Cannot read manifest: unknown file format "${raw.file_format}"`);
  }
  if (raw.partition === undefined) {
    throw new IcebergError(`Cannot read manifest: it has no field partition (id ${PARTITION_ID})`);
  }
  const file: DataFile = {
    content: raw.content ?? FileContent.data,
    file_path: required(raw.file_path, "file_path"),
    file_format: format as DataFile["file_format"],
    spec_id: specId,
    partition: partition.tupleOf(raw.partition),
    record_count: required(raw.record_count, "record_count"),
    file_size_in_bytes: required(raw.file_size_in_bytes, "file_size_in_bytes"),
  };
  if (raw.column_sizes) file.column_sizes = raw.column_sizes;
  if (raw.value_counts) file.value_counts = raw.value_counts;
  if (raw.null_value_counts) file.null_value_counts = raw.null_value_counts;
  if (raw.nan_value_counts) file.nan_value_counts = raw.nan_value_counts;
  if (raw.lower_bounds) file.lower_bounds = raw.lower_bounds;
  if (raw.upper_bounds) file.upper_bounds = raw.upper_bounds;
  if (raw.key_metadata) file.key_metadata = raw.key_metadata;
  if (raw.split_offsets) file.split_offsets = raw.split_offsets;
  if (raw.equality_ids) file.equality_ids = raw.equality_ids;
  if (typeof raw.sort_order_id === "number") file.sort_order_id = raw.sort_order_id;
  if (raw.referenced_data_file) file.referenced_data_file = raw.referenced_data_file;
  return file;
}

function required<T>(value: T | null | undefined, name: string): T {
  if (value !== null && value !== undefined) return value;
  throw new IcebergError(`Cannot read manifest: an entry has no ${name}`);
}
