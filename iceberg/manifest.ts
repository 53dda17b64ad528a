/** Manifest files (spec "Manifests", "Sequence Number Inheritance"). */
import { compileEncoder } from "./avro_codec.ts";
import { type AvroCompression, writeAvroFile } from "./avro_file.ts";
import { parseAvroSchema, structToAvro } from "./avro_schema.ts";
import { IcebergError } from "./errors.ts";
import { printJson } from "./json.ts";
import { manifestEntryStruct } from "./manifest_schema.ts";
import { partitionStruct, PartitionSummaries, partitionToAvro } from "./partition_avro.ts";
import {
  type EncodeManifestOptions,
  EntryStatus,
  FileContent,
  ManifestContent,
  type ManifestEntry,
  type ManifestFile,
  type PrimitiveType,
  UNASSIGNED_SEQUENCE_NUMBER,
} from "./types.ts";

/** A manifest ready to be stored, and its entry for the manifest list. */
export interface EncodedManifest {
  bytes: Uint8Array;
  manifest: ManifestFile;
}

/**
 * Writes a manifest in format v2. The sequence numbers of added entries stay null and are inherited;
 * see {@linkcode UNASSIGNED_SEQUENCE_NUMBER}. Throws IcebergError for entries that do not fit together.
 */
export function encodeManifest(
  options: EncodeManifestOptions & {
    /** @default {"deflate"} */
    compression?: AvroCompression;
  },
): EncodedManifest {
  const { path, schema, spec, content, snapshotId, entries, compression = "deflate" } = options;
  for (const entry of entries) checkEntry(entry, options);
  const struct = partitionStruct(spec, schema);
  const avroSchema = structToAvro(manifestEntryStruct(struct), "manifest_entry");
  const encode = compileEncoder(parseAvroSchema(avroSchema), "manifest_entry");
  const toAvro = partitionToAvro(struct);
  const bytes = writeAvroFile<ManifestEntry>({
    schema: avroSchema,
    metadata: {
      schema: printJson(schema),
      "schema-id": String(schema["schema-id"]),
      "partition-spec": printJson(spec.fields),
      "partition-spec-id": String(spec["spec-id"]),
      "format-version": "2",
      content: content === ManifestContent.data ? "data" : "deletes",
    },
    records: entries,
    compression,
    encode: (writer, entry) => {
      const { data_file: file } = entry;
      encode(writer, {
        ...entry,
        snapshot_id: entry.status === EntryStatus.existing ? entry.snapshot_id : snapshotId,
        data_file: {
          ...file,
          file_format: file.file_format.toUpperCase(),
          partition: toAvro(file.partition),
        },
      });
    },
  });
  const types = struct.fields.map((field) => field.type as PrimitiveType);
  return { bytes, manifest: describe(path, bytes, options, types) };
}

function checkEntry(entry: ManifestEntry, options: EncodeManifestOptions): void {
  const { status, data_file: file } = entry;
  const wrong = (reason: string) =>
    new IcebergError(`Cannot write manifest entry of "${file.file_path}": ${reason}`);
  if (file.spec_id !== options.spec["spec-id"]) {
    throw wrong(`its spec is ${file.spec_id}, the manifest's is ${options.spec["spec-id"]}`);
  }
  const isData = file.content === FileContent.data;
  if (isData !== (options.content === ManifestContent.data)) {
    throw wrong("a manifest holds either data files or delete files");
  }
  if (status === EntryStatus.added) {
    if (entry.snapshot_id !== null && entry.snapshot_id !== options.snapshotId) {
      throw wrong(`added by snapshot ${entry.snapshot_id}, not by ${options.snapshotId}`);
    }
    if (entry.file_sequence_number !== null) throw wrong("an added file has no number yet");
  } else if (entry.sequence_number === null || entry.file_sequence_number === null) {
    throw wrong("an existing or deleted file must have both its sequence numbers");
  } else if (status === EntryStatus.existing && entry.snapshot_id === null) {
    throw wrong("an existing file must have the id of the snapshot that added it");
  }
}

function describe(
  path: string,
  bytes: Uint8Array,
  options: EncodeManifestOptions,
  partitionTypes: readonly PrimitiveType[],
): ManifestFile {
  const files = [0, 0, 0];
  const rows = [0n, 0n, 0n];
  const summaries = new PartitionSummaries(partitionTypes);
  let min = UNASSIGNED_SEQUENCE_NUMBER;
  for (const { status, sequence_number: number, data_file: file } of options.entries) {
    files[status] = (files[status] ?? 0) + 1;
    rows[status] = (rows[status] ?? 0n) + file.record_count;
    summaries.add(file.partition);
    if (status === EntryStatus.deleted || number === null) continue;
    if (min === UNASSIGNED_SEQUENCE_NUMBER || number < min) min = number;
  }
  const { existing, added, deleted } = EntryStatus;
  return {
    manifest_path: path,
    manifest_length: BigInt(bytes.length),
    partition_spec_id: options.spec["spec-id"],
    content: options.content,
    sequence_number: UNASSIGNED_SEQUENCE_NUMBER,
    min_sequence_number: min,
    added_snapshot_id: options.snapshotId,
    added_files_count: files[added] ?? 0,
    existing_files_count: files[existing] ?? 0,
    deleted_files_count: files[deleted] ?? 0,
    added_rows_count: rows[added] ?? 0n,
    existing_rows_count: rows[existing] ?? 0n,
    deleted_rows_count: rows[deleted] ?? 0n,
    partitions: summaries.summaries(),
  };
}
