/** Manifest lists (spec "Manifest Lists"). */
import { compileEncoder, compileRecordDecoder } from "./avro_codec.ts";
import { type AvroCompression, readAvroFile, writeAvroFile } from "./avro_file.ts";
import { type AvroSchema, parseAvroSchema, structToAvro } from "./avro_schema.ts";
import { IcebergError } from "./errors.ts";
import { MANIFEST_FILE_STRUCT, PARTITIONS_ID } from "./manifest_schema.ts";
import {
  type FieldSummary,
  ManifestContent,
  type ManifestFile,
  type StructType,
  UNASSIGNED_SEQUENCE_NUMBER,
} from "./types.ts";

/** What {@linkcode encodeManifestList} needs. */
export interface EncodeManifestListOptions {
  snapshotId: bigint;
  /** null for the first snapshot. */
  parentSnapshotId: bigint | null;
  /** The snapshot's sequence number in this attempt. */
  sequenceNumber: bigint;
  manifests: readonly ManifestFile[];
  /** @default {"deflate"} */
  compression?: AvroCompression;
}

const AVRO_SCHEMA = structToAvro(MANIFEST_FILE_STRUCT, "manifest_file");
const encode = compileEncoder(parseAvroSchema(AVRO_SCHEMA), "manifest_file");

/**
 * Writes a manifest list in format v2. Manifests with an unassigned sequence number get the snapshot's;
 * they must be the snapshot's own. Throws IcebergError.
 */
export function encodeManifestList(options: EncodeManifestListOptions): Uint8Array {
  const { snapshotId, parentSnapshotId, sequenceNumber, manifests, compression } = options;
  return writeAvroFile({
    schema: AVRO_SCHEMA,
    metadata: {
      "snapshot-id": String(snapshotId),
      "parent-snapshot-id": String(parentSnapshotId),
      "sequence-number": String(sequenceNumber),
      "format-version": "2",
    },
    records: manifests.map((manifest) => assignNumbers(manifest, snapshotId, sequenceNumber)),
    encode,
    ...(compression === undefined ? {} : { compression }),
  });
}

/** The manifest with its unassigned sequence numbers replaced by those of the snapshot that adds it. */
export function assignNumbers(
  manifest: ManifestFile,
  snapshotId: bigint,
  sequenceNumber: bigint,
): ManifestFile {
  const { sequence_number: own, min_sequence_number: min } = manifest;
  const unassigned = [own, min].includes(UNASSIGNED_SEQUENCE_NUMBER);
  if (unassigned && manifest.added_snapshot_id !== snapshotId) {
    throw new IcebergError(
      `Cannot assign sequence number to "${manifest.manifest_path}": it belongs to snapshot ` +
        `${manifest.added_snapshot_id}, not ${snapshotId}`,
    );
  }
  return {
    ...manifest,
    sequence_number: own === UNASSIGNED_SEQUENCE_NUMBER ? sequenceNumber : own,
    min_sequence_number: min === UNASSIGNED_SEQUENCE_NUMBER ? sequenceNumber : min,
  };
}

type Raw = { [K in keyof ManifestFile]?: ManifestFile[K] | null };

/** Reads a manifest list of any writer, v1 or v2. Throws IcebergError if the bytes are none. */
export function decodeManifestList(bytes: Uint8Array): ManifestFile[] {
  const { records } = readAvroFile(bytes, ({ schema }) => {
    const decode = compileStruct(schema, MANIFEST_FILE_STRUCT);
    return (reader) => toManifestFile(decode(reader) as Raw);
  });
  return records;
}

/** A decoder that finds fields by id and gives them the spec's names (v1 wrote some differently). */
function compileStruct(schema: AvroSchema, struct: StructType) {
  if (schema.type !== "record") {
    throw new IcebergError(`Cannot read manifest list: expected a record, found ${schema.type}`);
  }
  return compileRecordDecoder(schema, (avro) => {
    const field = struct.fields.find(({ id, name }) =>
      avro["field-id"] === undefined ? avro.name === name : avro["field-id"] === id
    );
    return field === undefined ? undefined : { key: field.name };
  });
}

function toManifestFile(raw: Raw): ManifestFile {
  const file: ManifestFile = {
    manifest_path: required(raw.manifest_path, "manifest_path"),
    manifest_length: required(raw.manifest_length, "manifest_length"),
    partition_spec_id: required(raw.partition_spec_id, "partition_spec_id"),
    content: raw.content ?? ManifestContent.data,
    sequence_number: raw.sequence_number ?? 0n,
    min_sequence_number: raw.min_sequence_number ?? 0n,
    added_snapshot_id: required(raw.added_snapshot_id, "added_snapshot_id"),
    added_files_count: raw.added_files_count ?? -1,
    existing_files_count: raw.existing_files_count ?? -1,
    deleted_files_count: raw.deleted_files_count ?? -1,
    added_rows_count: raw.added_rows_count ?? -1n,
    existing_rows_count: raw.existing_rows_count ?? -1n,
    deleted_rows_count: raw.deleted_rows_count ?? -1n,
  };
  if (raw.partitions) file.partitions = raw.partitions.map(toSummary);
  if (raw.key_metadata) file.key_metadata = raw.key_metadata;
  return file;
}

function toSummary(raw: { [K in keyof FieldSummary]?: FieldSummary[K] | null }): FieldSummary {
  if (typeof raw.contains_null !== "boolean") {
    throw new IcebergError(
      `Cannot read manifest list: partitions (id ${PARTITIONS_ID}) lacks contains_null`,
    );
  }
  return {
    contains_null: raw.contains_null,
    ...(typeof raw.contains_nan === "boolean" ? { contains_nan: raw.contains_nan } : {}),
    ...(raw.lower_bound ? { lower_bound: raw.lower_bound } : {}),
    ...(raw.upper_bound ? { upper_bound: raw.upper_bound } : {}),
  };
}

function required<T>(value: T | null | undefined, name: string): T {
  if (value !== null && value !== undefined) return value;
  throw new IcebergError(`Cannot read manifest list: an entry has no ${name}`);
}
