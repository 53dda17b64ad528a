/** Table metadata: parse, check, print, look up (spec "Table Metadata", Appendix C). Format versions 1 and 2. */
import { IcebergError } from "./errors.ts";
import { parseJson, printJson } from "./json.ts";
import {
  lastPartitionFieldId,
  partitionFieldsFromJson,
  partitionSpecFromJson,
  sortOrderFromJson,
  UNSORTED,
} from "./partition.ts";
import {
  invalid,
  type JsonObject,
  readArray,
  readInt,
  readLong,
  readObject,
  readOneOf,
  readSafeInteger,
  readString,
  readStringMap,
} from "./read.ts";
import { fieldIndex, schemaFromJson } from "./schema.ts";
import type {
  MetadataLogEntry,
  PartitionSpec,
  PartitionStatisticsFile,
  Schema,
  Snapshot,
  SnapshotLogEntry,
  SnapshotRef,
  SnapshotSummary,
  SortOrder,
  StatisticsFile,
  TableMetadata,
} from "./types.ts";

/** The branch that `current-snapshot-id` follows. */
export const MAIN_BRANCH = "main";

/** Java's mark for "no current snapshot" (spec Appendix F). */
const NO_SNAPSHOT = -1n;

// ---- Parse -----------------------------------------------------------------------------------------

/** Parses a metadata file's text. Throws SyntaxError or IcebergError, naming the field. */
export function parseTableMetadata(text: string): TableMetadata {
  return tableMetadataFromJson(parseJson(text));
}

/**
 * Reads table metadata from JSON parsed by {@linkcode parseJson}, e.g. out of a REST response. Optional
 * parts that are missing get their defaults; unknown fields and the order of fields are kept.
 */
export function tableMetadataFromJson(value: unknown): TableMetadata {
  const json = readObject(value, "metadata");
  const version = readInt(json["format-version"], "format-version");
  if (version !== 1 && version !== 2) throw invalid("format-version", "1 or 2", version);
  const metadata: TableMetadata = {
    ...json,
    "format-version": version,
    "table-uuid": readString(json["table-uuid"], "table-uuid"),
    location: readString(json.location, "location"),
    "last-sequence-number": version === 1
      ? 0n
      : readLong(json["last-sequence-number"], "last-sequence-number"),
    "last-updated-ms": readSafeInteger(json["last-updated-ms"], "last-updated-ms"),
    "last-column-id": readInt(json["last-column-id"], "last-column-id"),
    ...schemasFromJson(json, version),
    ...specsFromJson(json, version),
    ...sortOrdersFromJson(json, version),
    properties: readStringMap(json.properties ?? {}, "properties"),
    "current-snapshot-id": currentIdFromJson(json["current-snapshot-id"]),
    refs: refsFromJson(json.refs ?? {}),
    snapshots: readArray(json.snapshots ?? [], "snapshots", snapshotFromJson),
    ...statisticsFromJson(json),
    "snapshot-log": readArray(json["snapshot-log"] ?? [], "snapshot-log", logEntryFromJson),
    "metadata-log": readArray(json["metadata-log"] ?? [], "metadata-log", fileEntryFromJson),
  };
  const current = metadata["current-snapshot-id"];
  if (current !== null && metadata.refs[MAIN_BRANCH] === undefined) {
    metadata.refs[MAIN_BRANCH] = { "snapshot-id": current, type: "branch" };
  }
  checkTableMetadata(metadata);
  return metadata;
}

function schemasFromJson(
  json: JsonObject,
  version: number,
): Pick<TableMetadata, "schemas" | "current-schema-id"> {
  if (json.schemas === undefined && version === 1) {
    const schema = schemaFromJson(json.schema);
    return { schemas: [schema], "current-schema-id": schema["schema-id"] };
  }
  return {
    schemas: readArray(json.schemas, "schemas", schemaFromJson),
    "current-schema-id": readInt(json["current-schema-id"], "current-schema-id"),
  };
}

function specsFromJson(
  json: JsonObject,
  version: number,
): Pick<TableMetadata, "partition-specs" | "default-spec-id" | "last-partition-id"> {
  const old = json["partition-specs"] === undefined && version === 1;
  const specs: PartitionSpec[] = old
    ? [{ "spec-id": 0, fields: partitionFieldsFromJson(json["partition-spec"], "partition-spec") }]
    : readArray(json["partition-specs"], "partition-specs", partitionSpecFromJson);
  const last = json["last-partition-id"] === undefined && version === 1
    ? Math.max(...specs.map(lastPartitionFieldId))
    : readInt(json["last-partition-id"], "last-partition-id");
  return {
    "partition-specs": specs,
    "default-spec-id": old ? 0 : readInt(json["default-spec-id"], "default-spec-id"),
    "last-partition-id": last,
  };
}

function sortOrdersFromJson(
  json: JsonObject,
  version: number,
): Pick<TableMetadata, "sort-orders" | "default-sort-order-id"> {
  if (json["sort-orders"] === undefined && version === 1) {
    return { "sort-orders": [UNSORTED], "default-sort-order-id": 0 };
  }
  return {
    "sort-orders": readArray(json["sort-orders"], "sort-orders", sortOrderFromJson),
    "default-sort-order-id": readInt(json["default-sort-order-id"], "default-sort-order-id"),
  };
}

function currentIdFromJson(value: unknown): bigint | null {
  if (value === undefined || value === null) return null;
  const id = readLong(value, "current-snapshot-id");
  return id === NO_SNAPSHOT ? null : id;
}

function refsFromJson(value: unknown): Record<string, SnapshotRef> {
  const refs: Record<string, SnapshotRef> = {};
  for (const [name, json] of Object.entries(readObject(value, "refs"))) {
    refs[name] = snapshotRefFromJson(json, `refs.${name}`);
  }
  return refs;
}

/** Reads a branch or tag. */
export function snapshotRefFromJson(value: unknown, at: string): SnapshotRef {
  const json = readObject(value, at);
  for (const key of ["min-snapshots-to-keep", "max-snapshot-age-ms", "max-ref-age-ms"]) {
    if (json[key] !== undefined) readSafeInteger(json[key], `${at}.${key}`);
  }
  return {
    ...json,
    "snapshot-id": readLong(json["snapshot-id"], `${at}.snapshot-id`),
    type: readOneOf(json.type, `${at}.type`, ["branch", "tag"]),
  };
}

/** Reads a snapshot; a missing sequence number (v1) is 0. */
export function snapshotFromJson(value: unknown, at: string): Snapshot {
  const json = readObject(value, at);
  const { "parent-snapshot-id": parent, ...rest } = json;
  const summary = readStringMap(json.summary, `${at}.summary`);
  readString(summary.operation, `${at}.summary.operation`);
  if (json["schema-id"] !== undefined) readInt(json["schema-id"], `${at}.schema-id`);
  return {
    // Rebuilt only without a parent: else the order of fields would change.
    ...(parent === undefined || parent === null
      ? rest
      : { ...json, "parent-snapshot-id": readLong(parent, `${at}.parent-snapshot-id`) }),
    "snapshot-id": readLong(json["snapshot-id"], `${at}.snapshot-id`),
    "sequence-number": readLong(json["sequence-number"] ?? 0, `${at}.sequence-number`),
    "timestamp-ms": readSafeInteger(json["timestamp-ms"], `${at}.timestamp-ms`),
    "manifest-list": readString(json["manifest-list"], `${at}.manifest-list`),
    summary: summary as SnapshotSummary,
  };
}

function logEntryFromJson(value: unknown, at: string): SnapshotLogEntry {
  const json = readObject(value, at);
  return {
    ...json,
    "timestamp-ms": readSafeInteger(json["timestamp-ms"], `${at}.timestamp-ms`),
    "snapshot-id": readLong(json["snapshot-id"], `${at}.snapshot-id`),
  };
}

function fileEntryFromJson(value: unknown, at: string): MetadataLogEntry {
  const json = readObject(value, at);
  return {
    ...json,
    "timestamp-ms": readSafeInteger(json["timestamp-ms"], `${at}.timestamp-ms`),
    "metadata-file": readString(json["metadata-file"], `${at}.metadata-file`),
  };
}

function statisticsFromJson(
  json: JsonObject,
): Pick<TableMetadata, "statistics" | "partition-statistics"> {
  const { statistics, "partition-statistics": partitions } = json;
  return {
    ...(statistics === undefined
      ? {}
      : { statistics: readArray(statistics, "statistics", statisticsFileFromJson) }),
    ...(partitions === undefined ? {} : {
      "partition-statistics": readArray(partitions, "partition-statistics", partitionStatistics),
    }),
  };
}

function statisticsFileFromJson(value: unknown, at: string): StatisticsFile {
  const json = readObject(value, at);
  const footer = json["file-footer-size-in-bytes"];
  return {
    ...json,
    ...partitionStatistics(value, at),
    ...(footer === undefined
      ? {}
      : { "file-footer-size-in-bytes": readLong(footer, `${at}.file-footer-size-in-bytes`) }),
  };
}

function partitionStatistics(value: unknown, at: string): PartitionStatisticsFile {
  const json = readObject(value, at);
  return {
    ...json,
    "snapshot-id": readLong(json["snapshot-id"], `${at}.snapshot-id`),
    "statistics-path": readString(json["statistics-path"], `${at}.statistics-path`),
    "file-size-in-bytes": readLong(json["file-size-in-bytes"], `${at}.file-size-in-bytes`),
  };
}

// ---- Check and print -------------------------------------------------------------------------------

/** Checks that ids refer to what is there. Throws IcebergError. */
export function checkTableMetadata(metadata: TableMetadata): void {
  const { refs, snapshots } = metadata;
  currentSchema(metadata);
  defaultSpec(metadata);
  defaultSortOrder(metadata);
  const ids = new Set(snapshots.map((snapshot) => snapshot["snapshot-id"]));
  if (ids.size < snapshots.length) {
    throw new IcebergError("Cannot use table metadata: two snapshots have the same id");
  }
  for (const [name, ref] of Object.entries(refs)) {
    if (ids.has(ref["snapshot-id"])) continue;
    throw new IcebergError(
      `Cannot use table metadata: ref "${name}" is at snapshot ${
        ref["snapshot-id"]
      }, which is not there`,
    );
  }
  const main = refs[MAIN_BRANCH]?.["snapshot-id"] ?? null;
  const current = metadata["current-snapshot-id"];
  if (main !== current) {
    throw new IcebergError(
      `Cannot use table metadata: current-snapshot-id is ${current}, branch main is at ${main}`,
    );
  }
}

/** Metadata as JSON for {@linkcode printJson}: no current snapshot is -1, a sequence number 0 is left out. */
export function tableMetadataToJson(metadata: TableMetadata): JsonObject {
  const { "last-sequence-number": last, ...v1 } = metadata;
  return {
    ...(metadata["format-version"] === 1 && last === 0n ? v1 : metadata),
    "current-snapshot-id": metadata["current-snapshot-id"] ?? NO_SNAPSHOT,
    snapshots: metadata.snapshots.map(snapshotToJson),
  };
}

/** A snapshot as JSON for {@linkcode printJson}. */
export function snapshotToJson(snapshot: Snapshot): JsonObject {
  const { "sequence-number": number, ...rest } = snapshot;
  return number === 0n ? rest : { ...snapshot };
}

/** Prints metadata on one line, as Java writes its files. */
export function printTableMetadata(metadata: TableMetadata): string {
  return printJson(tableMetadataToJson(metadata));
}

// ---- Look up ---------------------------------------------------------------------------------------

/** The schema with an id. Throws IcebergError if there is none. */
export function schemaById(metadata: TableMetadata, id: number): Schema {
  return find(metadata.schemas, "schema-id", id, "schema");
}

/** The current schema. */
export function currentSchema(metadata: TableMetadata): Schema {
  return schemaById(metadata, metadata["current-schema-id"]);
}

/** The partition spec with an id. Throws IcebergError if there is none. */
export function specById(metadata: TableMetadata, id: number): PartitionSpec {
  return find(metadata["partition-specs"], "spec-id", id, "partition spec");
}

/** The spec that new files are written with. */
export function defaultSpec(metadata: TableMetadata): PartitionSpec {
  return specById(metadata, metadata["default-spec-id"]);
}

/** The order that new files are sorted in. */
export function defaultSortOrder(metadata: TableMetadata): SortOrder {
  return find(metadata["sort-orders"], "order-id", metadata["default-sort-order-id"], "sort order");
}

function find<K extends string, T extends Record<K, number>>(
  items: readonly T[],
  key: K,
  id: number,
  what: string,
): T {
  const item = items.find((one) => one[key] === id);
  if (item !== undefined) return item;
  throw new IcebergError(`Cannot find ${what} ${id} in the table metadata`);
}

/** The snapshot with an id, if the table still has it. */
export function snapshotById(metadata: TableMetadata, id: bigint): Snapshot | undefined {
  return metadata.snapshots.find((snapshot) => snapshot["snapshot-id"] === id);
}

/** The snapshot that readers see; undefined for a table without data. */
export function currentSnapshot(metadata: TableMetadata): Snapshot | undefined {
  const id = metadata["current-snapshot-id"];
  return id === null ? undefined : snapshotById(metadata, id);
}

/** The snapshot that a branch or tag is at. */
export function snapshotOfRef(metadata: TableMetadata, name: string): Snapshot | undefined {
  const ref = Object.hasOwn(metadata.refs, name) ? metadata.refs[name] : undefined;
  return ref === undefined ? undefined : snapshotById(metadata, ref["snapshot-id"]);
}

/** A snapshot and its ancestors, newest first, as far as the table still has them. */
export function* ancestorsOf(metadata: TableMetadata, id: bigint): Generator<Snapshot> {
  const byId = new Map(metadata.snapshots.map((snapshot) => [snapshot["snapshot-id"], snapshot]));
  let snapshot = byId.get(id);
  while (snapshot !== undefined) {
    yield snapshot;
    // Taken out, so that a cycle in broken metadata ends.
    byId.delete(snapshot["snapshot-id"]);
    const parent = snapshot["parent-snapshot-id"];
    snapshot = parent === undefined ? undefined : byId.get(parent);
  }
}

/**
 * The schema to write manifests of a spec with: the current one, or the newest one that still has all
 * source columns of an old spec.
 */
export function schemaForSpec(metadata: TableMetadata, spec: PartitionSpec): Schema {
  const current = currentSchema(metadata);
  const candidates = [current, ...metadata.schemas.toReversed()];
  const sources = spec.fields.map((field) => field["source-id"]);
  return candidates.find((schema) => sources.every((id) => fieldIndex(schema).has(id))) ?? current;
}
