/**
 * Replacing data files by others with the same rows (compaction). Rows do not change, so it is safe beside
 * appends; what it must not do is bring back a file that somebody removed, or rows that somebody deleted meanwhile.
 */

import { IcebergError } from "../errors.ts";
import { snapshotById } from "../metadata.ts";
import { DeleteIndex } from "../scan/deletes.ts";
import { mapLimited } from "../storage/parallel.ts";
import {
  type DataFile,
  EntryStatus,
  ManifestContent,
  type ManifestEntry,
  type PartitionSpec,
} from "../types.ts";
import { AddedManifests, checkFiles } from "./append.ts";
import { EntryReader, type FileKey, findLive, ManifestFilter } from "./live_files.ts";
import type { CommitOutcome } from "./loop.ts";
import { hasLiveFiles } from "./merge.ts";
import { commitSnapshot, type ProduceContext, type SnapshotCommitOptions } from "./snapshot.ts";
import type { Table } from "./table.ts";

/** Input files and the output files that hold exactly their rows. */
export interface RewriteGroup {
  readonly inputs: readonly FileKey[];
  readonly outputs: readonly DataFile[];
  /**
   * The outputs leave out the rows that the starting snapshot's delete files delete.
   * @default {false}
   */
  readonly deletesApplied?: boolean;
}

/** What to rewrite. */
export interface RewriteOptions extends SnapshotCommitOptions {
  readonly groups: readonly RewriteGroup[];
  /** The snapshot whose rows the outputs hold. */
  readonly startingSnapshotId: bigint;
}

/** A group that was not committed, and why; its outputs are unused. */
export interface DroppedGroup {
  readonly group: RewriteGroup;
  readonly reason: string;
}

/** How a rewrite ended; with every group dropped the status is `nothing`. */
export interface RewriteOutcome extends CommitOutcome {
  readonly dropped: readonly DroppedGroup[];
}

/**
 * Commits a rewrite in one `replace` snapshot. Before each attempt, in the very base it asserts, each group is
 * checked: every input is still live, and no delete file that the outputs do not know applies to one. A group that
 * fails is dropped, the others go on. The outputs carry the starting snapshot's sequence number, so that later
 * equality deletes still apply to them.
 *
 * @throws {IcebergError} if the starting snapshot is gone or a group changes the number of rows; as `runCommit`
 */
export async function commitRewrite(
  table: Table,
  options: RewriteOptions,
): Promise<RewriteOutcome> {
  const starting = snapshotById(table.metadata, options.startingSnapshotId);
  if (starting === undefined) {
    throw new IcebergError(
      `Cannot rewrite files of snapshot ${options.startingSnapshotId}: it is not in the table`,
    );
  }
  for (const group of options.groups) checkFiles(group.outputs, table.metadata);
  const sequenceNumber = starting["sequence-number"];
  const rewrite = new Rewrite(options, sequenceNumber);
  const outcome = await commitSnapshot(table, {
    ...options,
    produce: (context) => rewrite.produce(context),
  });
  return { ...outcome, dropped: rewrite.dropped };
}

class Rewrite {
  dropped: DroppedGroup[] = [];
  readonly #groups: readonly RewriteGroup[];
  readonly #sequenceNumber: bigint;
  readonly #reader: EntryReader;
  readonly #filter: ManifestFilter;
  /** Manifests of the outputs, one set per set of groups that is left. */
  readonly #added = new Map<string, AddedManifests>();

  constructor(options: RewriteOptions, sequenceNumber: bigint) {
    this.#groups = options.groups;
    this.#sequenceNumber = sequenceNumber;
    this.#reader = new EntryReader(options.storage);
    this.#filter = new ManifestFilter(this.#reader);
  }

  async produce(context: ProduceContext) {
    const inputs = this.#groups.flatMap((group) => group.inputs);
    const live = await findLive(context, inputs, this.#reader);
    const deletes = await this.#deletes(context);
    this.dropped = [];
    const kept = this.#groups.filter((group) => {
      const reason = whyDrop(group, {
        live,
        deletes,
        startingNumber: this.#sequenceNumber,
        specs: context.base["partition-specs"],
      });
      if (reason !== undefined) this.dropped.push({ group, reason });
      return reason === undefined;
    });
    if (kept.length === 0) return undefined;
    const added = kept.flatMap((group) => group.outputs);
    const removed = kept.flatMap((group) =>
      group.inputs.map((input) => live.get(input.file_path)!.data_file)
    );
    return {
      operation: "replace" as const,
      manifests: [
        ...this.#outputs(kept, added).drafts(context),
        ...await this.#filter.without(context, removed),
      ],
      added,
      removed,
    };
  }

  #outputs(kept: readonly RewriteGroup[], added: readonly DataFile[]): AddedManifests {
    const key = kept.map((group) => this.#groups.indexOf(group)).join();
    let manifests = this.#added.get(key);
    if (manifests === undefined) {
      manifests = new AddedManifests(added, this.#sequenceNumber);
      this.#added.set(key, manifests);
    }
    return manifests;
  }

  async #deletes({ base, manifests }: ProduceContext): Promise<readonly ManifestEntry[]> {
    const deletes = manifests.filter((one) =>
      one.content === ManifestContent.deletes && hasLiveFiles(one)
    );
    const read = await mapLimited(deletes, (one) => this.#reader.entries(base, one));
    return read.flat().filter((entry) => entry.status !== EntryStatus.deleted);
  }
}

interface DropCheck {
  readonly live: ReadonlyMap<string, ManifestEntry>;
  readonly deletes: readonly ManifestEntry[];
  /** Sequence number of the starting snapshot. */
  readonly startingNumber: bigint;
  readonly specs: readonly PartitionSpec[];
}

function whyDrop(group: RewriteGroup, check: DropCheck): string | undefined {
  const { live, deletes, startingNumber, specs } = check;
  for (const input of group.inputs) {
    if (!live.has(input.file_path)) return `"${input.file_path}" was removed`;
  }
  if (deletes.length === 0) return rowsDiffer(group, live);
  // Those that the outputs do not know: newer ones, or all if none were applied.
  const unknown = deletes.filter((entry) =>
    group.deletesApplied !== true || (entry.sequence_number ?? 0n) > startingNumber
  );
  const index = new DeleteIndex(unknown, specs);
  for (const input of group.inputs) {
    const entry = live.get(input.file_path)!;
    const applied = index.of(entry.data_file, entry.sequence_number ?? 0n);
    if (applied.length > 0) {
      return `"${applied[0]!.file_path}" deletes rows of "${input.file_path}"`;
    }
  }
  return rowsDiffer(group, live);
}

/** Compaction must not make or lose a row: the cheapest check that catches a broken writer. */
function rowsDiffer(
  group: RewriteGroup,
  live: ReadonlyMap<string, ManifestEntry>,
): undefined {
  const before = group.inputs.reduce(
    (sum, input) => sum + live.get(input.file_path)!.data_file.record_count,
    0n,
  );
  const after = group.outputs.reduce((sum, file) => sum + file.record_count, 0n);
  if (after === before || (group.deletesApplied === true && after < before)) return undefined;
  throw new IcebergError(
    `Cannot rewrite ${group.inputs.length} files: they have ${before} rows, the outputs ${after}`,
  );
}
