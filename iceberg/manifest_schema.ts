/** The structs of manifests and manifest lists as Iceberg types, with the spec's field ids and docs. */
import type { NestedField, StructType, Type } from "./types.ts";

function required(id: number, name: string, type: Type, doc: string): NestedField {
  return { id, name, required: true, type, doc };
}

function optional(id: number, name: string, type: Type, doc: string): NestedField {
  return { id, name, required: false, type, doc };
}

function map(keyId: number, valueId: number, value: Type): Type {
  return {
    type: "map",
    "key-id": keyId,
    key: "int",
    "value-id": valueId,
    "value-required": true,
    value,
  };
}

function list(elementId: number, element: Type): Type {
  return { type: "list", "element-id": elementId, "element-required": true, element };
}

/** Field ids of the maps of per-column statistics in `data_file`. */
export const STATS_FIELD_IDS: ReadonlySet<number> = new Set([108, 109, 110, 137, 125, 128]);

/** Field id of `data_file` in an entry. */
export const DATA_FILE_ID = 2;

/** Field id of `partition` in `data_file`. */
export const PARTITION_ID = 102;

/** Field id of `partitions` in a manifest list entry. */
export const PARTITIONS_ID = 507;

/** The v2 `data_file` struct around a partition struct (spec "Data File Fields"). */
export function dataFileStruct(partition: StructType): StructType {
  return {
    type: "struct",
    fields: [
      required(
        134,
        "content",
        "int",
        "Contents of the file: 0=data, 1=position, 2=equality deletes",
      ),
      required(100, "file_path", "string", "Location URI with FS scheme"),
      required(101, "file_format", "string", "File format name: avro, orc, or parquet"),
      required(
        PARTITION_ID,
        "partition",
        partition,
        "Partition data tuple, schema based on the spec",
      ),
      required(103, "record_count", "long", "Number of records in the file"),
      required(104, "file_size_in_bytes", "long", "Total file size in bytes"),
      optional(
        108,
        "column_sizes",
        map(117, 118, "long"),
        "Map of column id to total size on disk",
      ),
      optional(109, "value_counts", map(119, 120, "long"), "Map of column id to total count"),
      optional(110, "null_value_counts", map(121, 122, "long"), "Map of column id to null count"),
      optional(137, "nan_value_counts", map(138, 139, "long"), "Map of column id to NaN count"),
      optional(125, "lower_bounds", map(126, 127, "binary"), "Map of column id to lower bound"),
      optional(128, "upper_bounds", map(129, 130, "binary"), "Map of column id to upper bound"),
      optional(131, "key_metadata", "binary", "Encryption key metadata blob"),
      optional(132, "split_offsets", list(133, "long"), "Splittable offsets"),
      optional(135, "equality_ids", list(136, "int"), "Equality comparison field IDs"),
      optional(140, "sort_order_id", "int", "Sort order ID"),
      optional(
        143,
        "referenced_data_file",
        "string",
        "Location of the one file all deletes refer to",
      ),
    ],
  };
}

/** The v2 `manifest_entry` struct (spec "Manifest Entry Fields"). */
export function manifestEntryStruct(partition: StructType): StructType {
  return {
    type: "struct",
    fields: [
      required(0, "status", "int", "0=existing, 1=added, 2=deleted"),
      optional(1, "snapshot_id", "long", "Snapshot that added or deleted the file"),
      optional(3, "sequence_number", "long", "Data sequence number"),
      optional(4, "file_sequence_number", "long", "File sequence number"),
      required(DATA_FILE_ID, "data_file", dataFileStruct(partition), "The file"),
    ],
  };
}

const FIELD_SUMMARY: StructType = {
  type: "struct",
  fields: [
    required(509, "contains_null", "boolean", "True if any file has a null partition value"),
    optional(518, "contains_nan", "boolean", "True if any file has a nan partition value"),
    optional(510, "lower_bound", "binary", "Partition lower bound for all files"),
    optional(511, "upper_bound", "binary", "Partition upper bound for all files"),
  ],
};

/** The v2 `manifest_file` struct (spec "Manifest Lists"). */
export const MANIFEST_FILE_STRUCT: StructType = {
  type: "struct",
  fields: [
    required(500, "manifest_path", "string", "Location URI with FS scheme"),
    required(501, "manifest_length", "long", "Total file size in bytes"),
    required(502, "partition_spec_id", "int", "Spec ID used to write"),
    required(517, "content", "int", "Contents of the manifest: 0=data, 1=deletes"),
    required(515, "sequence_number", "long", "Sequence number when the manifest was added"),
    required(516, "min_sequence_number", "long", "Lowest sequence number in the manifest"),
    required(503, "added_snapshot_id", "long", "Snapshot ID that added the manifest"),
    required(504, "added_files_count", "int", "Added entry count"),
    required(505, "existing_files_count", "int", "Existing entry count"),
    required(506, "deleted_files_count", "int", "Deleted entry count"),
    required(512, "added_rows_count", "long", "Added rows count"),
    required(513, "existing_rows_count", "long", "Existing rows count"),
    required(514, "deleted_rows_count", "long", "Deleted rows count"),
    optional(PARTITIONS_ID, "partitions", list(508, FIELD_SUMMARY), "Summary for each partition"),
    optional(519, "key_metadata", "binary", "Encryption key metadata blob"),
  ],
};
