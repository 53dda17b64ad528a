/** Metadata of a table that does not exist yet. */
import { IcebergError } from "./errors.ts";
import {
  checkPartitionSpec,
  checkSortOrder,
  lastPartitionFieldId,
  PARTITION_FIELD_ID_START,
  UNPARTITIONED,
  UNSORTED,
} from "./partition.ts";
import { checkSchema, fieldIndex, highestFieldId } from "./schema.ts";
import { freshType } from "./schema_evolution.ts";
import type { PartitionSpec, Schema, SortOrder, TableMetadata } from "./types.ts";

/** What {@linkcode newTableMetadata} needs. */
export interface NewTableOptions {
  /** Lower case, with dashes. */
  uuid: string;
  /** Base location, without a slash at the end. */
  location: string;
  schema: Schema;
  /** @default {UNPARTITIONED} */
  spec?: PartitionSpec;
  /** @default {UNSORTED} */
  sortOrder?: SortOrder;
  /** @default {{}} */
  properties?: Record<string, string>;
  /** Milliseconds since the epoch. */
  nowMs: number;
}

/**
 * Metadata (format v2) of a new, empty table. Ids are assigned anew, as every catalog does: columns from
 * 1 (a struct's fields before what is inside them), partition fields from 1000, schema and spec 0, sort
 * order 1. Ids given in that order stay as they are. Throws IcebergError.
 */
export function newTableMetadata(options: NewTableOptions): TableMetadata {
  const { uuid, location, spec = UNPARTITIONED, sortOrder = UNSORTED, properties = {}, nowMs } =
    options;
  checkSchema(options.schema);
  const { schema, newId } = freshSchema(options.schema);
  const partitionSpec: PartitionSpec = {
    "spec-id": 0,
    fields: spec.fields.map((field, index) => ({
      ...field,
      "source-id": newId(field["source-id"]),
      "field-id": PARTITION_FIELD_ID_START + index,
    })),
  };
  const order: SortOrder = {
    "order-id": sortOrder.fields.length === 0 ? 0 : 1,
    fields: sortOrder.fields.map((field) => ({
      ...field,
      "source-id": newId(field["source-id"]),
    })),
  };
  checkPartitionSpec(partitionSpec, schema);
  checkSortOrder(order, schema);
  return {
    "format-version": 2,
    "table-uuid": uuid,
    location,
    "last-sequence-number": 0n,
    "last-updated-ms": nowMs,
    "last-column-id": highestFieldId(schema),
    "current-schema-id": 0,
    schemas: [schema],
    "default-spec-id": 0,
    "partition-specs": [partitionSpec],
    "last-partition-id": lastPartitionFieldId(partitionSpec),
    "default-sort-order-id": order["order-id"],
    "sort-orders": [order],
    properties,
    "current-snapshot-id": null,
    refs: {},
    snapshots: [],
    statistics: [],
    "partition-statistics": [],
    "snapshot-log": [],
    "metadata-log": [],
  };
}

function freshSchema(old: Schema): { schema: Schema; newId: (oldId: number) => number } {
  let last = 0;
  const fresh = freshType(old, () => ++last) as Schema;
  // Both are walked alike, so the n-th old field is the n-th new one.
  const oldIds = [...fieldIndex(old).keys()];
  const newIds = [...fieldIndex(fresh).keys()];
  const ids = new Map(oldIds.map((id, index) => [id, newIds[index] as number]));
  const newId = (id: number) => {
    const found = ids.get(id);
    if (found === undefined) throw new IcebergError(`Cannot use column ${id}: no such field`);
    return found;
  };
  const identifiers = old["identifier-field-ids"];
  return {
    schema: {
      ...fresh,
      "schema-id": 0,
      ...(identifiers === undefined ? {} : { "identifier-field-ids": identifiers.map(newId) }),
    },
    newId,
  };
}
