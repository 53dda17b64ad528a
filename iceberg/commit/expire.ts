/**
 * Expiring snapshots: 1. drop them from the metadata 2. delete what only they referred to. In this order, so that a
 * crash in between leaves orphans and never a reference to nothing.
 */

import { mapLimited } from "../storage/parallel.ts";
import type { Storage } from "../storage/port.ts";
import {
  FileContent,
  type ManifestFile,
  type Snapshot,
  type TableMetadata,
  type TableUpdate,
} from "../types.ts";
import { planExpiry, type RetentionOptions } from "./expiry_plan.ts";
import { mayHold } from "./live_files.ts";
import type { CommitOptions, CommitOutcome } from "./loop.ts";
import { commitMetadata } from "./metadata_changes.ts";
import { liveFilesOf, manifestsOf, orIfGone } from "./reachable.ts";
import type { Table } from "./table.ts";

/** Options of an expiry; `nowMs` comes with the environment. */
export interface ExpireOptions extends CommitOptions, Omit<RetentionOptions, "nowMs"> {
  /** @default {true} */
  readonly deleteFiles?: boolean;
}

/** Files by kind, as locations. */
export interface ExpiredFiles {
  readonly dataFiles: readonly string[];
  readonly deleteFiles: readonly string[];
  readonly manifests: readonly string[];
  readonly manifestLists: readonly string[];
  readonly statistics: readonly string[];
}

/** What an expiry did. */
export interface ExpireOutcome extends CommitOutcome {
  readonly snapshotIds: readonly bigint[];
  readonly refs: readonly string[];
  /** What was deleted; undefined if `deleteFiles` was false or it may not be told. */
  readonly deleted: ExpiredFiles | undefined;
}

/**
 * Expires snapshots and refs by age, then deletes the files that nothing else refers to. Others' refs and their
 * retention settings are respected (see `planExpiry`). An append that lands meanwhile is a conflict, and the
 * expiry is planned anew.
 *
 * @throws as `runCommit`; after CommitStateUnknownError nothing was deleted
 */
export async function expireSnapshots(
  table: Table,
  options: ExpireOptions,
): Promise<ExpireOutcome> {
  // What the last attempt's base held: only files of that base may be deleted.
  let before = table.metadata;
  let plan = planExpiry(before, { ...options, nowMs: options.nowMs() });
  const outcome = await commitMetadata(table, {
    ...options,
    change: (base) => {
      const next = planExpiry(base, { ...options, nowMs: options.nowMs() });
      if (next.snapshotIds.length === 0 && next.refs.length === 0) return undefined;
      before = base;
      plan = next;
      return { requirements: branchesUnmoved(base), updates: updatesOf(next) };
    },
  });
  const done = outcome.status === "committed" || outcome.status === "already";
  const { snapshotIds, refs } = done ? plan : { snapshotIds: [], refs: [] };
  const deleted = done && options.deleteFiles !== false
    ? await deleteUnreachable(options.storage, before, outcome.table.metadata)
    : undefined;
  return { ...outcome, snapshotIds, refs, deleted };
}

function updatesOf(plan: { snapshotIds: readonly bigint[]; refs: readonly string[] }) {
  return [
    ...plan.refs.map((name): TableUpdate => ({ action: "remove-snapshot-ref", "ref-name": name })),
    ...(plan.snapshotIds.length === 0
      ? []
      : [{ action: "remove-snapshots" as const, "snapshot-ids": [...plan.snapshotIds] }]),
  ];
}

/** A branch moved to a snapshot that is just going would lose its head: no ref may have moved. */
function branchesUnmoved(base: TableMetadata) {
  return Object.entries(base.refs).map(([ref, { "snapshot-id": id }]) => ({
    type: "assert-ref-snapshot-id" as const,
    ref,
    "snapshot-id": id,
  }));
}

/**
 * Deletes the files that snapshots of `before` referred to and snapshots of `after` do not. A file that
 * cannot be deleted is left to the orphan cleaner.
 */
async function deleteUnreachable(
  storage: Storage,
  before: TableMetadata,
  after: TableMetadata,
): Promise<ExpiredFiles> {
  const kept = new Set(after.snapshots.map((snapshot) => snapshot["snapshot-id"]));
  const gone = before.snapshots.filter((snapshot) => !kept.has(snapshot["snapshot-id"]));
  const files = await unreachableFiles(storage, { gone, before, after });
  // Data first: as long as its manifest is there, a leftover can still be told from a stranger's file.
  for (
    const locations of [
      [...files.dataFiles, ...files.deleteFiles],
      files.manifests,
      [...files.manifestLists, ...files.statistics],
    ]
  ) {
    await mapLimited(locations, (location) => storage.remove(location).catch(() => {}));
  }
  return files;
}

async function unreachableFiles(
  storage: Storage,
  options: { gone: readonly Snapshot[]; before: TableMetadata; after: TableMetadata },
): Promise<ExpiredFiles> {
  const { gone, before, after } = options;
  const statistics = statisticsOf(before).difference(statisticsOf(after));
  const current = await manifestsOf(storage, after.snapshots);
  const old = new Map<string, ManifestFile>();
  for (const snapshot of gone) {
    for (const one of await orIfGone(manifestsOf(storage, [snapshot]), new Map())) old.set(...one);
  }
  const manifests = [...old.values()].filter((one) => !current.has(one.manifest_path));
  const candidates = (await mapLimited(
    manifests,
    (manifest) => orIfGone(liveFilesOf(storage, before, manifest), []),
  )).flat();
  const dead = new Map(candidates.map((file) => [file.file_path, file]));
  // Only manifests whose partitions overlap can still refer to one of them.
  const overlapping = [...current.values()].filter((manifest: ManifestFile) =>
    mayHold(after, manifest, candidates)
  );
  for (
    const files of await mapLimited(overlapping, (one) => liveFilesOf(storage, after, one))
  ) {
    for (const file of files) dead.delete(file.file_path);
  }
  const paths = (wanted: boolean) =>
    [...dead.values()]
      .filter((file) => (file.content === FileContent.data) === wanted)
      .map((file) => file.file_path);
  return {
    dataFiles: paths(true),
    deleteFiles: paths(false),
    manifests: manifests.map((manifest) => manifest.manifest_path),
    manifestLists: gone.map((snapshot) => snapshot["manifest-list"]),
    statistics: [...statistics],
  };
}

function statisticsOf(metadata: TableMetadata): Set<string> {
  return new Set([
    ...(metadata.statistics ?? []).map((one) => one["statistics-path"]),
    ...(metadata["partition-statistics"] ?? []).map((one) => one["statistics-path"]),
  ]);
}
