/**
 * The shapes of the Iceberg table spec, version 2 (iceberg.apache.org/spec, sections named below).
 *
 * Two spellings, both the spec's own, so that no renaming layer is needed: JSON documents (table
 * metadata, REST requests) keep kebab-case keys; Avro records (manifests, manifest lists) keep
 * snake_case. JSON objects may carry further fields that this library does not know: they are kept
 * at run time (everything is copied by spread) and printed again.
 *
 * Number types: snapshot ids, sequence numbers, record counts and sizes in bytes are `bigint`
 * (they are int64 in the spec and real snapshot ids exceed 2^53); schema, spec, sort-order and
 * field ids, counts of files in a manifest and `*-ms` timestamps are `number`.
 *
 * What the other files export (all pure, all synchronous):
 *
 *     json.ts          parseJson(text): unknown                                  integers beyond 2^53 become bigint
 *                      printJson(value, { indent? }): string                     bigint printed as a number
 *     schema.ts        parsePrimitive(type): PrimitiveShape                      "decimal(18, 4)" → { kind, precision, scale }
 *                      checkSchema(schema): void                                 throws IcebergError
 *                      findFieldById(schema, id) / findFieldByName(schema, "a.b"): NestedField | undefined
 *                      fieldIndex(schema): Map<id, { field, path, parent… }>
 *     schema_evolution.ts  evolveSchema(schema, changes, { lastColumnId }): { schema, lastColumnId }
 *     name_mapping.ts  nameMappingOf(schema), parseNameMapping(text), printNameMapping(mapping)
 *     single_value.ts  encodeValue(type, value): Uint8Array; decodeValue(type, bytes): Value
 *                      valueToJson(type, value): unknown; valueFromJson(type, json): Value | null
 *     compare.ts       compareValues(type, a, b): number                         strings by code points
 *     bounds.ts        truncateLower(type, value, width), truncateUpper(type, value, width): Value | undefined
 *     transforms.ts    applyTransform(transform, sourceType, value): Value | null
 *                      transformResultType(transform, sourceType): Type
 *                      humanValue(transform, sourceType, value): string          "2026-11-21" for a day
 *     partition.ts     partitionValueOf(spec, schema, valueOf): PartitionTuple   valueOf(sourceId) → Value | null
 *                      partitionTypes(spec, schema): Type[]; partitionPath(spec, schema, tuple): string
 *                      samePartition(a, b): boolean; partitionKey(tuple): string (usable as a Map key)
 *     stats.ts         metricsOf(schema, { recordCount, columns, splitOffsets?, boundWidth? }): Metrics
 *     manifest.ts      encodeManifest(options: EncodeManifestOptions): { bytes: Uint8Array, manifest: ManifestFile }
 *     manifest_reader.ts  decodeManifest(bytes, { manifest, specs, schema, stats? }): ManifestEntry[]   inheritance applied
 *     manifest_list.ts encodeManifestList({ snapshotId, parentSnapshotId, sequenceNumber, manifests }): Uint8Array
 *                      decodeManifestList(bytes): ManifestFile[]
 *     metadata.ts      parseTableMetadata(text): TableMetadata; printTableMetadata(metadata): string
 *                      tableMetadataFromJson(value), tableMetadataToJson(metadata): for REST, with parseJson/printJson
 *                      currentSchema(md), defaultSpec(md), currentSnapshot(md), snapshotById(md, id),
 *                      snapshotOfRef(md, name), ancestorsOf(md, id), schemaForSpec(md, spec), …
 *     new_table.ts     newTableMetadata({ uuid, location, schema, spec?, sortOrder?, properties?, nowMs })
 *     updates.ts       applyUpdates(metadata, updates, { nowMs, previousLocation? }): TableMetadata
 *     requirements.ts  checkRequirement(requirement, metadata | undefined): string | undefined   the reason it fails
 *
 * `encodeManifest` writes `null` sequence numbers for added entries (they inherit), and returns a
 * ManifestFile with `sequence_number` (and, without existing entries, `min_sequence_number`) =
 * UNASSIGNED_SEQUENCE_NUMBER; `encodeManifestList` replaces that by the snapshot's number. So a
 * manifest is written once, and only the manifest list is written anew for each commit attempt.
 */

// ---- Types and schemas (spec "Schemas and Data Types", Appendix C) --------------------------------

/** A primitive type in its JSON form, e.g. `"timestamptz"`, `"decimal(18, 4)"`, `"fixed[16]"`. */
export type PrimitiveType =
  | "boolean"
  | "int"
  | "long"
  | "float"
  | "double"
  | "date"
  | "time"
  | "timestamp"
  | "timestamptz"
  | "string"
  | "uuid"
  | "binary"
  | `decimal(${string})`
  | `fixed[${string}]`;

/** A list; `element-id` is a field id. */
export interface ListType {
  type: "list";
  "element-id": number;
  "element-required": boolean;
  element: Type;
}

/** A map; `key-id` and `value-id` are field ids. */
export interface MapType {
  type: "map";
  "key-id": number;
  key: Type;
  "value-id": number;
  "value-required": boolean;
  value: Type;
}

/** A struct of named fields. */
export interface StructType {
  type: "struct";
  fields: NestedField[];
}

/** Any type of a column. */
export type Type = PrimitiveType | ListType | MapType | StructType;

/** A field of a struct. Defaults are format v3 and only kept, never applied. */
export interface NestedField {
  id: number;
  name: string;
  required: boolean;
  type: Type;
  doc?: string;
  "initial-default"?: unknown;
  "write-default"?: unknown;
}

/** A schema of a table: a struct with an id. */
export interface Schema extends StructType {
  "schema-id": number;
  "identifier-field-ids"?: number[];
}

/**
 * A value of a primitive type: boolean → boolean · int → number · date → number (days since the
 * epoch) · long → bigint · time, timestamp, timestamptz → bigint (microseconds) · float, double →
 * number · decimal → bigint (unscaled) · string → string · uuid → string (lower case, dashes) ·
 * fixed, binary → Uint8Array.
 */
export type Value = boolean | number | bigint | string | Uint8Array;

// ---- Partitioning and sorting ---------------------------------------------------------------------

/** `identity`, `year`, `month`, `day`, `hour`, `void`, `bucket[N]` or `truncate[W]`; others are kept and not pruned. */
export type Transform = string;

/** A field of a partition spec. `field-id` starts at 1000. */
export interface PartitionField {
  "source-id": number;
  "field-id": number;
  name: string;
  transform: Transform;
}

/** How rows map to partitions (spec "Partitioning"). No fields: unpartitioned. */
export interface PartitionSpec {
  "spec-id": number;
  fields: PartitionField[];
}

/** The partition of a file: one value per field of its spec, in the spec's order; null where null. */
export type PartitionTuple = readonly (Value | null)[];

/** A field of a sort order. */
export interface SortField {
  transform: Transform;
  "source-id": number;
  direction: "asc" | "desc";
  "null-order": "nulls-first" | "nulls-last";
}

/** How rows are sorted inside a file (spec "Sorting"); order 0 has no fields. */
export interface SortOrder {
  "order-id": number;
  fields: SortField[];
}

// ---- Snapshots and table metadata -----------------------------------------------------------------

/** What a snapshot did (spec "Snapshots"). */
export type Operation = "append" | "replace" | "overwrite" | "delete";

/** `operation` and free string entries. */
export type SnapshotSummary = { operation: Operation } & Record<string, string>;

/** A state of a table. */
export interface Snapshot {
  "snapshot-id": bigint;
  "parent-snapshot-id"?: bigint;
  /** 0 in tables written as v1. */
  "sequence-number": bigint;
  "timestamp-ms": number;
  "manifest-list": string;
  summary: SnapshotSummary;
  "schema-id"?: number;
}

/** A branch or a tag (spec "Snapshot References"). */
export interface SnapshotRef {
  "snapshot-id": bigint;
  type: "branch" | "tag";
  "min-snapshots-to-keep"?: number;
  "max-snapshot-age-ms"?: number;
  "max-ref-age-ms"?: number;
}

/** An entry of the snapshot log: when a snapshot became current. */
export interface SnapshotLogEntry {
  "timestamp-ms": number;
  "snapshot-id": bigint;
}

/** An entry of the metadata log: an earlier metadata file. */
export interface MetadataLogEntry {
  "timestamp-ms": number;
  "metadata-file": string;
}

/** Statistics (Puffin) of a snapshot: kept, never interpreted. */
export interface StatisticsFile {
  "snapshot-id": bigint;
  "statistics-path": string;
  "file-size-in-bytes": bigint;
  "file-footer-size-in-bytes"?: bigint;
  "blob-metadata"?: unknown[];
}

/** Partition statistics of a snapshot: kept, never interpreted. */
export interface PartitionStatisticsFile {
  "snapshot-id": bigint;
  "statistics-path": string;
  "file-size-in-bytes": bigint;
}

/** Table metadata (spec "Table Metadata Fields"). */
export interface TableMetadata {
  "format-version": 1 | 2;
  "table-uuid": string;
  location: string;
  "last-sequence-number": bigint;
  "last-updated-ms": number;
  "last-column-id": number;
  "current-schema-id": number;
  schemas: Schema[];
  "default-spec-id": number;
  "partition-specs": PartitionSpec[];
  "last-partition-id": number;
  "default-sort-order-id": number;
  "sort-orders": SortOrder[];
  properties: Record<string, string>;
  /** null = no current snapshot (printed as -1, as Java does for v1 and v2; spec Appendix F). */
  "current-snapshot-id": bigint | null;
  refs: Record<string, SnapshotRef>;
  snapshots: Snapshot[];
  statistics?: StatisticsFile[];
  "partition-statistics"?: PartitionStatisticsFile[];
  "snapshot-log": SnapshotLogEntry[];
  "metadata-log": MetadataLogEntry[];
}

// ---- Manifests ------------------------------------------------------------------------------------

/** Sequence number of what is not committed yet; `encodeManifestList` replaces it. */
export const UNASSIGNED_SEQUENCE_NUMBER = -1n;

/** Content of a file in a manifest. */
export const FileContent = { data: 0, positionDeletes: 1, equalityDeletes: 2 } as const;
export type FileContent = (typeof FileContent)[keyof typeof FileContent];

/** Content of a manifest. */
export const ManifestContent = { data: 0, deletes: 1 } as const;
export type ManifestContent = (typeof ManifestContent)[keyof typeof ManifestContent];

/** Status of a manifest entry. */
export const EntryStatus = { existing: 0, added: 1, deleted: 2 } as const;
export type EntryStatus = (typeof EntryStatus)[keyof typeof EntryStatus];

/** Field-level metrics by field id; bounds in binary single-value form (spec Appendix D). */
export interface Metrics {
  record_count: bigint;
  column_sizes?: Map<number, bigint>;
  /** Values including nulls and NaN. */
  value_counts?: Map<number, bigint>;
  null_value_counts?: Map<number, bigint>;
  nan_value_counts?: Map<number, bigint>;
  lower_bounds?: Map<number, Uint8Array>;
  upper_bounds?: Map<number, Uint8Array>;
  /** Byte offsets of the row groups, ascending. */
  split_offsets?: bigint[];
}

/** A data or delete file (spec "Data File Fields"). */
export interface DataFile extends Metrics {
  content: FileContent;
  /** Full URI or path, exactly as stored. */
  file_path: string;
  /** In upper case as the Java writer does; read in any case. */
  file_format: "PARQUET" | "AVRO" | "ORC" | "PUFFIN";
  /** Spec of `partition`; not stored per file but per manifest. */
  spec_id: number;
  partition: PartitionTuple;
  file_size_in_bytes: bigint;
  key_metadata?: Uint8Array;
  /** Field ids of an equality delete file. */
  equality_ids?: number[];
  sort_order_id?: number;
  /** Data file that all deletes of a position delete file refer to. */
  referenced_data_file?: string;
}

/** An entry of a manifest. After `decodeManifest` the three numbers are filled in by inheritance. */
export interface ManifestEntry {
  status: EntryStatus;
  snapshot_id: bigint | null;
  /** Data sequence number; null = inherited. */
  sequence_number: bigint | null;
  file_sequence_number: bigint | null;
  data_file: DataFile;
}

/** Summary of one partition field over a manifest; bounds in binary single-value form. */
export interface FieldSummary {
  contains_null: boolean;
  contains_nan?: boolean;
  lower_bound?: Uint8Array;
  upper_bound?: Uint8Array;
}

/** An entry of a manifest list (spec "Manifest Lists"). */
export interface ManifestFile {
  manifest_path: string;
  manifest_length: bigint;
  partition_spec_id: number;
  content: ManifestContent;
  sequence_number: bigint;
  min_sequence_number: bigint;
  added_snapshot_id: bigint;
  /** This count and the next five are -1 where an old v1 writer left them out: assume some. */
  added_files_count: number;
  existing_files_count: number;
  deleted_files_count: number;
  added_rows_count: bigint;
  existing_rows_count: bigint;
  deleted_rows_count: bigint;
  partitions?: FieldSummary[];
  key_metadata?: Uint8Array;
}

/** What `encodeManifest` needs. All entries have the same spec and the same kind of content. */
export interface EncodeManifestOptions {
  /** Where the bytes will be stored; goes into the returned ManifestFile. */
  path: string;
  schema: Schema;
  spec: PartitionSpec;
  content: ManifestContent;
  /** Snapshot that adds this manifest. Added and deleted entries without one get it. */
  snapshotId: bigint;
  entries: readonly ManifestEntry[];
}

// ---- Updates and requirements: see updates.ts and requirements.ts (types in changes.ts) ------------

export type { TableRequirement, TableUpdate } from "./changes.ts";
