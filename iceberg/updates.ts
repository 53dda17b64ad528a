/** Table updates (REST OpenAPI `TableUpdate`) applied by pure functions, with Java's rules. */
import type { TableUpdate } from "./changes.ts";
import { IcebergError } from "./errors.ts";
import {
  checkTableMetadata,
  currentSchema,
  defaultSortOrder,
  defaultSpec,
  MAIN_BRANCH,
  schemaById,
  snapshotById,
  specById,
} from "./metadata.ts";
import {
  checkPartitionSpec,
  checkSortOrder,
  lastPartitionFieldId,
  samePartitionField,
  sameSortOrder,
  sameSpec,
} from "./partition.ts";
import { checkSchema, highestFieldId, sameSchema } from "./schema.ts";
import type {
  PartitionSpec,
  Schema,
  Snapshot,
  SnapshotRef,
  SortOrder,
  TableMetadata,
} from "./types.ts";

/** `write.metadata.previous-versions-max` and its default: the longest metadata log. */
export const PREVIOUS_VERSIONS_MAX = "write.metadata.previous-versions-max";
const PREVIOUS_VERSIONS_MAX_DEFAULT = 100;

/** An id that means "the one added last in this request". */
const LAST_ADDED = -1;

/** How {@linkcode applyUpdates} works. */
export interface ApplyUpdatesOptions {
  /** Milliseconds since the epoch: the new `last-updated-ms`. */
  nowMs: number;
  /** Where `metadata` is stored; if given, it goes into the metadata log. */
  previousLocation?: string;
}

/** Metadata on the way, with what later updates of the same request refer to. */
interface Draft {
  metadata: TableMetadata;
  nowMs: number;
  lastSchemaId?: number;
  lastSpecId?: number;
  lastOrderId?: number;
  addedSnapshots: Set<bigint>;
  removedSnapshots: boolean;
}

/**
 * Applies updates in their order and returns new metadata; the input stays as it is. Without updates
 * it is returned unchanged. Throws IcebergError for an update that the metadata does not allow.
 */
export function applyUpdates(
  metadata: TableMetadata,
  updates: readonly TableUpdate[],
  options: ApplyUpdatesOptions,
): TableMetadata {
  const { nowMs, previousLocation } = options;
  if (updates.length === 0) return metadata;
  const draft: Draft = {
    metadata,
    nowMs,
    addedSnapshots: new Set(),
    removedSnapshots: false,
  };
  for (const update of updates) draft.metadata = applyOne(draft, update);
  const result = {
    ...draft.metadata,
    "last-updated-ms": nowMs,
    "snapshot-log": cleanSnapshotLog(draft),
    "metadata-log": extendMetadataLog(metadata, draft.metadata.properties, previousLocation),
  };
  checkTableMetadata(result);
  checkPartitionSpec(defaultSpec(result), currentSchema(result));
  checkSortOrder(defaultSortOrder(result), currentSchema(result));
  return result;
}

function applyOne(draft: Draft, update: TableUpdate): TableMetadata {
  const { metadata } = draft;
  switch (update.action) {
    case "assign-uuid":
      return { ...metadata, "table-uuid": update.uuid };
    case "upgrade-format-version":
      return upgrade(metadata, update["format-version"]);
    case "add-schema":
      return addSchema(draft, update.schema);
    case "set-current-schema":
      return setCurrentSchema(draft, update["schema-id"]);
    case "add-spec":
      return addSpec(draft, update.spec);
    case "set-default-spec":
      return setDefaultSpec(draft, update["spec-id"]);
    case "add-sort-order":
      return addSortOrder(draft, update["sort-order"]);
    case "set-default-sort-order": {
      const id = lastAdded(update["sort-order-id"], draft.lastOrderId, "sort order");
      return { ...metadata, "default-sort-order-id": id };
    }
    case "add-snapshot":
      return addSnapshot(draft, update.snapshot);
    case "set-snapshot-ref": {
      const { action: _, "ref-name": name, ...ref } = update;
      return setRef(draft, name, ref);
    }
    case "remove-snapshots":
      return removeSnapshots(draft, update["snapshot-ids"]);
    case "remove-snapshot-ref":
      return removeRef(metadata, update["ref-name"]);
    case "set-location":
      return { ...metadata, location: update.location };
    case "set-properties":
      return { ...metadata, properties: { ...metadata.properties, ...update.updates } };
    case "remove-properties":
      return { ...metadata, properties: without(metadata.properties, update.removals) };
    default:
      return applyRare(metadata, update);
  }
}

type Rare = Extract<TableUpdate, { action: `${string}statistics` | `remove-${string}s` }>;

function applyRare(
  metadata: TableMetadata,
  update: Exclude<Rare, { action: "remove-snapshots" | "remove-properties" }>,
): TableMetadata {
  const { statistics = [], "partition-statistics": partitions = [] } = metadata;
  switch (update.action) {
    case "set-statistics":
      return {
        ...metadata,
        statistics: [
          ...notOf(statistics, update.statistics["snapshot-id"]),
          update.statistics,
        ],
      };
    case "remove-statistics":
      return { ...metadata, statistics: notOf(statistics, update["snapshot-id"]) };
    case "set-partition-statistics": {
      const file = update["partition-statistics"];
      const others = notOf(partitions, file["snapshot-id"]);
      return { ...metadata, "partition-statistics": [...others, file] };
    }
    case "remove-partition-statistics":
      return { ...metadata, "partition-statistics": notOf(partitions, update["snapshot-id"]) };
    case "remove-partition-specs": {
      const ids = update["spec-ids"];
      refuseCurrent(ids, metadata["default-spec-id"], "default partition spec");
      const specs = metadata["partition-specs"].filter((spec) => !ids.includes(spec["spec-id"]));
      return { ...metadata, "partition-specs": specs };
    }
    case "remove-schemas": {
      const ids = update["schema-ids"];
      refuseCurrent(ids, metadata["current-schema-id"], "current schema");
      const schemas = metadata.schemas.filter((schema) => !ids.includes(schema["schema-id"]));
      return { ...metadata, schemas };
    }
    default:
      // Updates come from parsed JSON too: an action of a later REST version must not pass in silence.
      throw new IcebergError(
        `Cannot apply update "${(update as TableUpdate).action}": unknown action`,
      );
  }
}

function refuseCurrent(ids: readonly number[], current: number, what: string): void {
  if (ids.includes(current)) throw new IcebergError(`Cannot remove the ${what} ${current}`);
}

function notOf<T extends { "snapshot-id": bigint }>(files: readonly T[], id: bigint): T[] {
  return files.filter((file) => file["snapshot-id"] !== id);
}

function without<T>(record: Record<string, T>, keys: readonly string[]): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => !keys.includes(key)));
}

function lastAdded(id: number, last: number | undefined, what: string): number {
  if (id !== LAST_ADDED) return id;
  if (last !== undefined) return last;
  throw new IcebergError(`Cannot set the last added ${what}: none has been added`);
}

function upgrade(metadata: TableMetadata, version: number): TableMetadata {
  if (version !== 1 && version !== 2) {
    throw new IcebergError(`Cannot upgrade to format version ${version}: 1 and 2 are supported`);
  }
  if (version < metadata["format-version"]) {
    throw new IcebergError(`Cannot downgrade to format version ${version}`);
  }
  // v2 tables do not carry v1's single schema and spec.
  const { schema: _schema, "partition-spec": _spec, ...rest } = metadata as
    & TableMetadata
    & { schema?: unknown; "partition-spec"?: unknown };
  return version === 2 ? { ...rest, "format-version": 2 } : metadata;
}

// ---- Schemas, specs, sort orders -------------------------------------------------------------------

function addSchema(draft: Draft, schema: Schema): TableMetadata {
  const { metadata } = draft;
  checkSchema(schema);
  const same = metadata.schemas.find((one) => sameSchema(one, schema));
  const id = same?.["schema-id"] ?? nextId(metadata.schemas, "schema-id");
  draft.lastSchemaId = id;
  if (same !== undefined) return metadata;
  return {
    ...metadata,
    schemas: [...metadata.schemas, { ...schema, "schema-id": id }],
    "last-column-id": Math.max(metadata["last-column-id"], highestFieldId(schema)),
  };
}

function setCurrentSchema(draft: Draft, id: number): TableMetadata {
  const schema = schemaById(draft.metadata, lastAdded(id, draft.lastSchemaId, "schema"));
  return { ...draft.metadata, "current-schema-id": schema["schema-id"] };
}

function addSpec(draft: Draft, spec: PartitionSpec): TableMetadata {
  const { metadata } = draft;
  const same = metadata["partition-specs"].find((one) => sameSpec(one, spec));
  const id = same?.["spec-id"] ?? nextId(metadata["partition-specs"], "spec-id");
  draft.lastSpecId = id;
  if (same !== undefined) return metadata;
  const added = withFieldIds({ ...spec, "spec-id": id }, metadata);
  checkPartitionSpec(added, currentSchema(metadata));
  return {
    ...metadata,
    "partition-specs": [...metadata["partition-specs"], added],
    "last-partition-id": Math.max(metadata["last-partition-id"], lastPartitionFieldId(added)),
  };
}

/** Field ids may be left out in a request: an equivalent field's is reused, else the next is taken. */
function withFieldIds(spec: PartitionSpec, metadata: TableMetadata): PartitionSpec {
  const known = metadata["partition-specs"].flatMap((one) => one.fields);
  let last = metadata["last-partition-id"];
  const fields = spec.fields.map((field) => {
    const given: number | undefined = field["field-id"];
    const reused = known.find((one) => samePartitionField(one, field))?.["field-id"];
    return { ...field, "field-id": given ?? reused ?? ++last };
  });
  return { ...spec, fields };
}

function setDefaultSpec(draft: Draft, id: number): TableMetadata {
  const spec = specById(draft.metadata, lastAdded(id, draft.lastSpecId, "partition spec"));
  return { ...draft.metadata, "default-spec-id": spec["spec-id"] };
}

function addSortOrder(draft: Draft, order: SortOrder): TableMetadata {
  const { metadata } = draft;
  const same = metadata["sort-orders"].find((one) => sameSortOrder(one, order));
  const unsorted = order.fields.length === 0;
  const id = same?.["order-id"] ??
    (unsorted ? 0 : Math.max(1, nextId(metadata["sort-orders"], "order-id")));
  draft.lastOrderId = id;
  if (same !== undefined) return metadata;
  const added = { ...order, "order-id": id };
  checkSortOrder(added, currentSchema(metadata));
  return { ...metadata, "sort-orders": [...metadata["sort-orders"], added] };
}

function nextId<K extends string>(items: readonly Record<K, number>[], key: K): number {
  return Math.max(-1, ...items.map((item) => item[key])) + 1;
}

// ---- Snapshots and refs ----------------------------------------------------------------------------

function addSnapshot(draft: Draft, snapshot: Snapshot): TableMetadata {
  const { metadata } = draft;
  const { "snapshot-id": id, "sequence-number": number } = snapshot;
  if (snapshotById(metadata, id) !== undefined) {
    throw new IcebergError(`Cannot add snapshot ${id}: the table already has it`);
  }
  const last = metadata["last-sequence-number"];
  const isFirst = snapshot["parent-snapshot-id"] === undefined;
  if (metadata["format-version"] > 1 && number <= last && !isFirst) {
    throw new IcebergError(
      `Cannot add snapshot ${id}: its sequence number ${number} is not above the table's ${last}`,
    );
  }
  draft.addedSnapshots.add(id);
  return {
    ...metadata,
    // A snapshot without a parent may be late (Java lets it pass), but the number never goes back.
    "last-sequence-number": number > last ? number : last,
    snapshots: [...metadata.snapshots, snapshot],
  };
}

function setRef(draft: Draft, name: string, ref: SnapshotRef): TableMetadata {
  const { metadata, nowMs, addedSnapshots } = draft;
  const id = ref["snapshot-id"];
  const snapshot = snapshotById(metadata, id);
  if (snapshot === undefined) {
    throw new IcebergError(
      `Cannot set ref "${name}" to snapshot ${id}: the table does not have it`,
    );
  }
  const refs = { ...metadata.refs, [name]: ref };
  if (name !== MAIN_BRANCH) return { ...metadata, refs };
  if (ref.type !== "branch") throw new IcebergError(`Cannot make "${name}" a tag`);
  if (metadata["current-snapshot-id"] === id) return { ...metadata, refs };
  // Going back to an old snapshot happens now; a new one has its own time.
  const timestamp = addedSnapshots.has(id) ? snapshot["timestamp-ms"] : nowMs;
  return {
    ...metadata,
    refs,
    "current-snapshot-id": id,
    "snapshot-log": [
      ...metadata["snapshot-log"],
      { "timestamp-ms": timestamp, "snapshot-id": id },
    ],
  };
}

function removeRef(metadata: TableMetadata, name: string): TableMetadata {
  const rest = { ...metadata, refs: without(metadata.refs, [name]) };
  return name === MAIN_BRANCH ? { ...rest, "current-snapshot-id": null } : rest;
}

function removeSnapshots(draft: Draft, ids: readonly bigint[]): TableMetadata {
  const { metadata } = draft;
  const gone = new Set(ids);
  const kept = <T extends { "snapshot-id": bigint }>(items: readonly T[]) =>
    items.filter((item) => !gone.has(item["snapshot-id"]));
  draft.removedSnapshots = true;
  let result: TableMetadata = { ...metadata, snapshots: kept(metadata.snapshots) };
  if (result.statistics !== undefined) result.statistics = kept(result.statistics);
  if (result["partition-statistics"] !== undefined) {
    result["partition-statistics"] = kept(result["partition-statistics"]);
  }
  for (const [name, ref] of Object.entries(metadata.refs)) {
    if (gone.has(ref["snapshot-id"])) result = removeRef(result, name);
  }
  return result;
}

// ---- Logs ------------------------------------------------------------------------------------------

/**
 * The snapshot log without snapshots that were current only within this request; and after a removed
 * snapshot nothing older is kept: a hole would let time travel find a snapshot that was not current.
 */
function cleanSnapshotLog(draft: Draft): TableMetadata["snapshot-log"] {
  const { metadata, addedSnapshots, removedSnapshots } = draft;
  const current = metadata["current-snapshot-id"];
  const ids = new Set(metadata.snapshots.map((snapshot) => snapshot["snapshot-id"]));
  let log: TableMetadata["snapshot-log"] = [];
  for (const entry of metadata["snapshot-log"]) {
    const id = entry["snapshot-id"];
    if (!ids.has(id)) {
      if (removedSnapshots) log = [];
    } else if (!addedSnapshots.has(id) || id === current) {
      log.push(entry);
    }
  }
  return log;
}

function extendMetadataLog(
  base: TableMetadata,
  properties: Record<string, string>,
  previousLocation: string | undefined,
): TableMetadata["metadata-log"] {
  if (previousLocation === undefined) return base["metadata-log"];
  const text = properties[PREVIOUS_VERSIONS_MAX] ?? String(PREVIOUS_VERSIONS_MAX_DEFAULT);
  const max = Number(text);
  if (!Number.isInteger(max)) {
    throw new IcebergError(`Cannot use ${PREVIOUS_VERSIONS_MAX} "${text}": not an integer`);
  }
  const entry = {
    "timestamp-ms": base["last-updated-ms"],
    "metadata-file": previousLocation,
  };
  return [...base["metadata-log"], entry].slice(-Math.max(1, max));
}
