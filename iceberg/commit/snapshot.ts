/**
 * Commits that add a snapshot. The order on storage: 1. data files (the caller's) 2. manifests 3. manifest list
 * 4. metadata, through the catalog. Data files and manifests are written once; each attempt writes a manifest
 * list of its own, since that names the parent's manifests.
 */

import { IcebergError } from "../errors.ts";
import { encodeManifestList } from "../manifest_list.ts";
import { currentSnapshot, MAIN_BRANCH, snapshotById, snapshotOfRef } from "../metadata.ts";
import { joinLocation } from "../storage/location.ts";
import type {
  DataFile,
  ManifestFile,
  Operation,
  Snapshot,
  SnapshotRef,
  TableMetadata,
  TableRequirement,
  TableUpdate,
} from "../types.ts";
import { ManifestDrafts, manifestOf, readManifests, type StagedManifest } from "./drafts.ts";
import { newUuid } from "./environment.ts";
import type { FileLedger } from "./ledger.ts";
import {
  type CommitOptions,
  type CommitOutcome,
  runCommit,
  type StagedCommit,
  type Verdict,
} from "./loop.ts";
import { snapshotSummary } from "./summary.ts";
import { metadataFolder, type Table } from "./table.ts";

/** Options of every commit that adds a snapshot. */
export interface SnapshotCommitOptions extends CommitOptions {
  /** Chosen once (`newSnapshotId`) and given again with the same files if the outcome stayed unknown. */
  readonly snapshotId: bigint;
  /** @default {"main"} */
  readonly branch?: string;
  /** Entries for the snapshot's summary, computed anew from the base of each attempt. */
  readonly summary?: (base: TableMetadata) => Record<string, string>;
  /** Table properties to set in the same commit, computed anew from the base of each attempt. */
  readonly properties?: (base: TableMetadata) => Record<string, string>;
  /** Further updates in the same commit (a tag on the new snapshot), after those of the snapshot. */
  readonly updates?: (base: TableMetadata, snapshotId: bigint) => readonly TableUpdate[];
  /**
   * Looks at the very base that the attempt asserts, before each attempt, the first included. `done` and
   * `zombie` end the commit; neither deletes anything. That the snapshot id is in the base is looked at before.
   */
  readonly beforeAttempt?: (base: TableMetadata) => Verdict | Promise<Verdict>;
}

/** What a commit makes of one base. */
export interface SnapshotContent {
  readonly operation: Operation;
  /** All manifests of the snapshot, data and deletes. */
  readonly manifests: readonly StagedManifest[];
  readonly added: readonly DataFile[];
  readonly removed: readonly DataFile[];
  /** Further summary entries of the operation. */
  readonly summary?: Readonly<Record<string, string>>;
}

/** The base of one attempt, as a `Produce` function needs it. */
export interface ProduceContext {
  readonly base: TableMetadata;
  /** Head of the branch, or what a new branch forks off; undefined in an empty table. */
  readonly parent: Snapshot | undefined;
  /** The head's manifests. */
  readonly manifests: readonly ManifestFile[];
  /** Makes manifests; the same object for all attempts. */
  readonly drafts: ManifestDrafts;
}

/** Makes the new snapshot's manifests from a base; undefined if nothing is left to do. */
export type Produce = (context: ProduceContext) => Promise<SnapshotContent | undefined>;

/** Runs the commit protocol for a new snapshot; errors as in `runCommit`. */
export function commitSnapshot(
  table: Table,
  options: SnapshotCommitOptions & { readonly produce: Produce },
): Promise<CommitOutcome> {
  const commitUuid = newUuid(options.random);
  const drafts = new ManifestDrafts({ snapshotId: options.snapshotId, commitUuid });
  const landed = (metadata: TableMetadata) =>
    snapshotById(metadata, options.snapshotId) !== undefined;
  return runCommit(table, {
    ...options,
    landed,
    stage: async (base, { attempt, ledger }) => {
      if (landed(base)) return "done";
      const verdict = await options.beforeAttempt?.(base) ?? "go";
      if (verdict !== "go") return verdict;
      const context = await contextOf(base, options, drafts);
      const content = await options.produce(context);
      if (content === undefined) return "nothing";
      return await stageSnapshot(context, content, { ...options, attempt, ledger, commitUuid });
    },
  });
}

async function contextOf(
  base: TableMetadata,
  options: SnapshotCommitOptions,
  drafts: ManifestDrafts,
): Promise<ProduceContext> {
  if (base["format-version"] !== 2) {
    throw new IcebergError(
      `Cannot write to table "${base.location}": its format version is ${
        base["format-version"]
      }, ` +
        `expected 2`,
    );
  }
  // A branch that is not there yet forks off the current snapshot, as in Java.
  const parent = snapshotOfRef(base, options.branch ?? MAIN_BRANCH) ?? currentSnapshot(base);
  const manifests = await readManifests(options.storage, parent);
  return { base, parent, manifests, drafts };
}

interface StageOptions extends SnapshotCommitOptions {
  readonly attempt: number;
  readonly ledger: FileLedger;
  readonly commitUuid: string;
}

async function stageSnapshot(
  context: ProduceContext,
  content: SnapshotContent,
  options: StageOptions,
): Promise<StagedCommit> {
  const { base, parent, drafts } = context;
  const { snapshotId, ledger, attempt, commitUuid } = options;
  // 2. Manifests: only those this snapshot really uses, and each once.
  const files: string[] = [];
  for (const staged of content.manifests) {
    if (!("bytes" in staged)) continue;
    await drafts.store(staged, ledger);
    files.push(staged.manifest.manifest_path);
  }
  // 3. Manifest list, under a name of this attempt's own.
  const sequenceNumber = base["last-sequence-number"] + 1n;
  const listLocation = joinLocation(
    metadataFolder(base),
    `snap-${snapshotId}-${attempt}-${commitUuid}.avro`,
  );
  await ledger.create(
    listLocation,
    encodeManifestList({
      snapshotId,
      parentSnapshotId: parent?.["snapshot-id"] ?? null,
      sequenceNumber,
      manifests: content.manifests.map(manifestOf),
    }),
  );
  files.push(listLocation);
  const snapshot: Snapshot = {
    "snapshot-id": snapshotId,
    ...(parent === undefined ? {} : { "parent-snapshot-id": parent["snapshot-id"] }),
    "sequence-number": sequenceNumber,
    // Never before the base: readers order snapshots by time, and a clock may have been set back.
    "timestamp-ms": Math.max(options.nowMs(), base["last-updated-ms"]),
    summary: snapshotSummary({
      ...content,
      parent: parent?.summary,
      extra: { ...content.summary, ...options.summary?.(base) },
    }),
    "manifest-list": listLocation,
    "schema-id": base["current-schema-id"],
  };
  return { ...changesOf(base, snapshot, options), files };
}

function changesOf(
  base: TableMetadata,
  snapshot: Snapshot,
  options: SnapshotCommitOptions,
): { requirements: TableRequirement[]; updates: TableUpdate[] } {
  const branch = options.branch ?? MAIN_BRANCH;
  const ref: SnapshotRef | undefined = base.refs[branch];
  const properties = options.properties?.(base) ?? {};
  return {
    requirements: [
      { type: "assert-table-uuid", uuid: base["table-uuid"] },
      {
        type: "assert-ref-snapshot-id",
        ref: branch,
        "snapshot-id": ref?.["snapshot-id"] ?? null,
      },
    ],
    updates: [
      { action: "add-snapshot", snapshot },
      {
        // The branch's own retention settings stay.
        ...ref,
        action: "set-snapshot-ref",
        "ref-name": branch,
        type: "branch",
        "snapshot-id": snapshot["snapshot-id"],
      },
      ...(Object.keys(properties).length === 0
        ? []
        : [{ action: "set-properties" as const, updates: properties }]),
      ...options.updates?.(base, snapshot["snapshot-id"]) ?? [],
    ],
  };
}
