/** Adding data files (Java's MergeAppend). */

import { IcebergError } from "../errors.ts";
import { specById } from "../metadata.ts";
import {
  type DataFile,
  EntryStatus,
  FileContent,
  ManifestContent,
  type ManifestEntry,
  type ManifestFile,
  type TableMetadata,
} from "../types.ts";
import { type ManifestDraft, readEntries, type StagedManifest } from "./drafts.ts";
import type { CommitOutcome } from "./loop.ts";
import { hasLiveFiles, mergeManifests, mergePolicy, ofContent } from "./merge.ts";
import { commitSnapshot, type ProduceContext, type SnapshotCommitOptions } from "./snapshot.ts";
import type { Table } from "./table.ts";

/** What an append adds. */
export interface AppendOptions extends SnapshotCommitOptions {
  /** Stored already; none is fine (a snapshot that only carries a summary). */
  readonly files: readonly DataFile[];
}

/**
 * Appends data files in one snapshot, exactly once: however often it is called with the same snapshot id, the files
 * are in the table once or not at all. Small manifests are merged on the way.
 *
 * The data files are the caller's: delete them only if this throws an error for which
 * `isDefinitelyRefused` is true. After CommitStateUnknownError call it again later with the same id, or
 * leave them to the orphan cleaner; after `already` or `zombie` delete nothing.
 *
 * @throws as `runCommit`
 */
export function commitAppend(table: Table, options: AppendOptions): Promise<CommitOutcome> {
  checkFiles(options.files, table.metadata);
  const added = new AddedManifests(options.files);
  const cache = new Map<string, ManifestDraft>();
  return commitSnapshot(table, {
    ...options,
    produce: async (context) => ({
      operation: "append",
      manifests: await appendManifests(context, { ...options, added, cache }),
      added: options.files,
      removed: [],
    }),
  });
}

/** The manifests of added files, encoded once for all attempts. */
export class AddedManifests {
  readonly #files: readonly DataFile[];
  readonly #sequenceNumber: bigint | null;
  #drafts: ManifestDraft[] | undefined;

  constructor(files: readonly DataFile[], sequenceNumber: bigint | null = null) {
    this.#files = files;
    this.#sequenceNumber = sequenceNumber;
  }

  /** One manifest per spec and content. */
  drafts(context: ProduceContext): ManifestDraft[] {
    this.#drafts ??= this.#encode(context);
    return this.#drafts;
  }

  #encode({ base, drafts }: ProduceContext): ManifestDraft[] {
    const groups = Map.groupBy(
      this.#files,
      (file) => `${file.spec_id}/${file.content === FileContent.data ? 0 : 1}`,
    );
    return [...groups.values()].map((files) =>
      drafts.draft(base, {
        specId: files[0]!.spec_id,
        content: files[0]!.content === FileContent.data
          ? ManifestContent.data
          : ManifestContent.deletes,
        entries: files.map((file): ManifestEntry => ({
          status: EntryStatus.added,
          snapshot_id: null,
          sequence_number: this.#sequenceNumber,
          file_sequence_number: null,
          data_file: file,
        })),
      })
    );
  }
}

async function appendManifests(
  context: ProduceContext,
  options: AppendOptions & { added: AddedManifests; cache: Map<string, ManifestDraft> },
): Promise<StagedManifest[]> {
  const { base, drafts } = context;
  const all: StagedManifest[] = [
    ...options.added.drafts(context),
    ...context.manifests.filter(hasLiveFiles),
  ];
  const merge = {
    base,
    drafts,
    snapshotId: options.snapshotId,
    policy: mergePolicy(base.properties),
    readEntries: (manifest: ManifestFile) => readEntries(options.storage, base, manifest),
    cache: options.cache,
  };
  return [
    ...await mergeManifests(ofContent(all, ManifestContent.data), merge),
    ...await mergeManifests(ofContent(all, ManifestContent.deletes), merge),
  ];
}

/** Refuses files that would make the table unreadable, before anything is written. */
export function checkFiles(files: readonly DataFile[], metadata: TableMetadata): void {
  const paths = new Set<string>();
  for (const file of files) {
    const fields = specById(metadata, file.spec_id).fields.length;
    if (file.partition.length !== fields) {
      throw new IcebergError(
        `Cannot add file "${file.file_path}": its partition has ${file.partition.length} values, ` +
          `spec ${file.spec_id} has ${fields} fields`,
      );
    }
    if (paths.has(file.file_path)) {
      throw new IcebergError(`Cannot add file "${file.file_path}": it is given twice`);
    }
    paths.add(file.file_path);
  }
}
