/** Changes of the metadata alone: schema, properties. Each is computed anew from the base of every attempt. */

import { currentSchema } from "../metadata.ts";
import { evolveSchema, type SchemaChange } from "../schema_evolution.ts";
import type { TableMetadata, TableRequirement, TableUpdate } from "../types.ts";
import { type CommitOptions, type CommitOutcome, runCommit } from "./loop.ts";
import type { Table } from "./table.ts";

/** Updates, and what must hold for them besides the table's identity. */
export interface MetadataChange {
  readonly requirements: readonly TableRequirement[];
  readonly updates: readonly TableUpdate[];
}

/**
 * Commits a change of metadata. `change` gives undefined when a base needs none, so a change that
 * landed without an answer is recognised; the outcome is then `already`, or `nothing` if it was so from the start.
 *
 * @throws as `runCommit`, and what `change` throws
 */
export function commitMetadata(
  table: Table,
  options: CommitOptions & {
    readonly change: (base: TableMetadata) => MetadataChange | undefined;
  },
): Promise<CommitOutcome> {
  const { change } = options;
  return runCommit(table, {
    ...options,
    landed: (metadata) => change(metadata) === undefined,
    stage: (base, { attempt }) => {
      const made = change(base);
      if (made === undefined) return Promise.resolve(attempt === 0 ? "nothing" : "done");
      const { "table-uuid": uuid } = base;
      return Promise.resolve({
        requirements: [{ type: "assert-table-uuid" as const, uuid }, ...made.requirements],
        updates: made.updates,
        files: [],
      });
    },
  });
}

/**
 * Evolves the current schema. Not idempotent by nature (a rename cannot be made twice), so after
 * CommitStateUnknownError look at the schema before trying again.
 *
 * @throws {IcebergError} for a change that the spec forbids, and as `runCommit`
 */
export function commitSchema(
  table: Table,
  options: CommitOptions & { readonly changes: readonly SchemaChange[] },
): Promise<CommitOutcome> {
  const { "table-uuid": uuid } = table.metadata;
  // The one schema the changes were meant for; a base that has the result has the change.
  const intended = JSON.stringify(
    evolveSchema(currentSchema(table.metadata), options.changes, {
      lastColumnId: table.metadata["last-column-id"],
    }).schema.fields,
  );
  const landed = (metadata: TableMetadata) =>
    metadata["table-uuid"] === uuid && JSON.stringify(currentSchema(metadata).fields) === intended;
  return commitMetadata(table, {
    ...options,
    change: (base) => {
      if (landed(base)) return undefined;
      const evolved = evolveSchema(currentSchema(base), options.changes, {
        lastColumnId: base["last-column-id"],
      });
      return {
        requirements: [
          { type: "assert-current-schema-id", "current-schema-id": base["current-schema-id"] },
          {
            type: "assert-last-assigned-field-id",
            "last-assigned-field-id": base["last-column-id"],
          },
        ],
        updates: [
          { action: "add-schema", schema: evolved.schema, "last-column-id": evolved.lastColumnId },
          { action: "set-current-schema", "schema-id": -1 },
        ],
      };
    },
  });
}

/** Sets and removes table properties. @throws as `runCommit` */
export function commitProperties(
  table: Table,
  options: CommitOptions & {
    readonly set?: Readonly<Record<string, string>>;
    readonly remove?: readonly string[];
  },
): Promise<CommitOutcome> {
  const { set = {}, remove = [] } = options;
  return commitMetadata(table, {
    ...options,
    change: ({ properties }) => {
      const changed = Object.entries(set).filter(([key, value]) => properties[key] !== value);
      const present = remove.filter((key) => key in properties);
      if (changed.length === 0 && present.length === 0) return undefined;
      return {
        requirements: [],
        updates: [
          ...(changed.length === 0
            ? []
            : [{ action: "set-properties" as const, updates: Object.fromEntries(changed) }]),
          ...(present.length === 0
            ? []
            : [{ action: "remove-properties" as const, removals: present }]),
        ],
      };
    },
  });
}
