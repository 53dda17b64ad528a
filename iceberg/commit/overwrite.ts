/** Replacing and deleting rows by whole files. */

import { IcebergError } from "../errors.ts";
import { partitionTypes } from "../partition.ts";
import { currentSchema, schemaForSpec, specById } from "../metadata.ts";
import { bindFilter, type BoundFilter, type Filter, negateFilter } from "../scan/filter.ts";
import { whySkipFile } from "../scan/prune.ts";
import { mapLimited } from "../storage/parallel.ts";
import { type DataFile, EntryStatus, ManifestContent, type Operation } from "../types.ts";
import { AddedManifests, checkFiles } from "./append.ts";
import { EntryReader, type FileKey, findLive, ManifestFilter } from "./live_files.ts";
import type { CommitOutcome } from "./loop.ts";
import { hasLiveFiles } from "./merge.ts";
import { commitSnapshot, type ProduceContext, type SnapshotCommitOptions } from "./snapshot.ts";
import type { Table } from "./table.ts";

/** What an overwrite changes; rows are removed by whole files. */
export interface OverwriteOptions extends SnapshotCommitOptions {
  /** Files to add. @default {none} */
  readonly add?: readonly DataFile[];
  /** Files to remove; each must be live in the base of the attempt. @default {none} */
  readonly remove?: readonly FileKey[];
  /**
   * Removes every file all of whose rows match. A file of which only some rows may match is an error, as this
   * library writes no row-level deletes.
   */
  readonly removeWhere?: Filter;
}

/**
 * Adds and removes files in one snapshot: `overwrite`, or `delete` if nothing is added.
 *
 * @throws {IcebergError} if a file to remove is not live, or `removeWhere` would cut through a file; as `runCommit`
 */
export function commitOverwrite(table: Table, options: OverwriteOptions): Promise<CommitOutcome> {
  const { add = [] } = options;
  checkFiles(add, table.metadata);
  const added = new AddedManifests(add);
  const reader = new EntryReader(options.storage);
  const filter = new ManifestFilter(reader);
  return commitSnapshot(table, {
    ...options,
    produce: async (context) => {
      const removed = await filesToRemove(context, options, reader);
      if (add.length === 0 && removed.length === 0) return undefined;
      return {
        operation: operationOf(add.length, removed.length),
        manifests: [...added.drafts(context), ...await filter.without(context, removed)],
        added: add,
        removed,
      };
    },
  });
}

function operationOf(added: number, removed: number): Operation {
  if (removed === 0) return "append";
  return added === 0 ? "delete" : "overwrite";
}

async function filesToRemove(
  context: ProduceContext,
  options: OverwriteOptions,
  reader: EntryReader,
): Promise<DataFile[]> {
  const { remove = [], removeWhere } = options;
  const found = await findLive(context, remove, reader);
  const missing = remove.find((file) => !found.has(file.file_path));
  if (missing !== undefined) {
    throw new IcebergError(`Cannot remove file "${missing.file_path}": it is not in the table`);
  }
  const files = new Map([...found].map(([path, entry]) => [path, entry.data_file]));
  if (removeWhere !== undefined) {
    for (const file of await filesWhere(context, removeWhere, reader)) {
      files.set(file.file_path, file);
    }
  }
  return [...files.values()];
}

async function filesWhere(
  context: ProduceContext,
  filter: Filter,
  reader: EntryReader,
): Promise<DataFile[]> {
  const { base, manifests } = context;
  const bound = bindFilter(filter, currentSchema(base));
  const data = manifests.filter((one) => one.content === ManifestContent.data && hasLiveFiles(one));
  const files: DataFile[] = [];
  for (const entries of await mapLimited(data, (one) => reader.entries(base, one))) {
    for (const { status, data_file: file } of entries) {
      if (status !== EntryStatus.deleted && matchesWhole(context, bound, file)) files.push(file);
    }
  }
  return files;
}

/** True if every row of a file matches, false if none does. @throws {IcebergError} if some may */
function matchesWhole({ base }: ProduceContext, filter: BoundFilter, file: DataFile): boolean {
  const spec = specById(base, file.spec_id);
  const schema = schemaForSpec(base, spec);
  const pruning = { spec, schema, types: partitionTypes(spec, schema) };
  if (whySkipFile(filter, file, pruning) !== undefined) return false;
  // Every row matches if no row can fail to: the negation takes nulls in.
  if (whySkipFile(negateFilter(filter), file, pruning) !== undefined) return true;
  throw new IcebergError(
    `Cannot delete from "${file.file_path}": some of its rows may match and some may not`,
  );
}
