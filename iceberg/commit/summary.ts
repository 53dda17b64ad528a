/**
 * Snapshot summaries (spec, "Optional Snapshot Summary Fields"), counted as Java's SnapshotSummary and
 * SnapshotProducer count: what is zero is left out, totals go on from the parent, and a total that the parent does not
 * tell (another writer's snapshot) is not made up.
 */

import { partitionKey } from "../partition.ts";
import { type DataFile, FileContent, type Operation, type SnapshotSummary } from "../types.ts";

/** What a snapshot changes. */
export interface SummaryInput {
  readonly operation: Operation;
  readonly added: readonly DataFile[];
  readonly removed: readonly DataFile[];
  /** Summary of the snapshot it builds on; undefined for the first. */
  readonly parent: Readonly<Record<string, string>> | undefined;
  /** Further entries; they do not replace counted ones. */
  readonly extra?: Readonly<Record<string, string>>;
}

/** Counts of one side (added or removed). */
interface Counts {
  dataFiles: bigint;
  deleteFiles: bigint;
  positionDeleteFiles: bigint;
  equalityDeleteFiles: bigint;
  records: bigint;
  positionDeletes: bigint;
  equalityDeletes: bigint;
  size: bigint;
}

/** A total, and its parts in the summary. */
const TOTALS = [
  ["total-records", "added-records", "deleted-records"],
  ["total-files-size", "added-files-size", "removed-files-size"],
  ["total-data-files", "added-data-files", "deleted-data-files"],
  ["total-delete-files", "added-delete-files", "removed-delete-files"],
  ["total-position-deletes", "added-position-deletes", "removed-position-deletes"],
  ["total-equality-deletes", "added-equality-deletes", "removed-equality-deletes"],
] as const;

/** Makes the summary of a snapshot. */
export function snapshotSummary(input: SummaryInput): SnapshotSummary {
  const counted = changes(countFiles(input.added), countFiles(input.removed));
  counted["changed-partition-count"] = String(
    new Set(
      [...input.added, ...input.removed].map((file) =>
        `${file.spec_id}/${partitionKey(file.partition)}`
      ),
    ).size,
  );
  return {
    ...input.extra,
    ...counted,
    ...totals(counted, input.parent),
    operation: input.operation,
  };
}

function countFiles(files: readonly DataFile[]): Counts {
  const counts: Counts = {
    dataFiles: 0n,
    deleteFiles: 0n,
    positionDeleteFiles: 0n,
    equalityDeleteFiles: 0n,
    records: 0n,
    positionDeletes: 0n,
    equalityDeletes: 0n,
    size: 0n,
  };
  for (const file of files) {
    counts.size += file.file_size_in_bytes;
    if (file.content === FileContent.data) {
      counts.dataFiles++;
      counts.records += file.record_count;
      continue;
    }
    counts.deleteFiles++;
    if (file.content === FileContent.positionDeletes) {
      counts.positionDeleteFiles++;
      counts.positionDeletes += file.record_count;
    } else {
      counts.equalityDeleteFiles++;
      counts.equalityDeletes += file.record_count;
    }
  }
  return counts;
}

function changes(added: Counts, removed: Counts): Record<string, string> {
  const entries: readonly (readonly [string, bigint])[] = [
    ["added-data-files", added.dataFiles],
    ["deleted-data-files", removed.dataFiles],
    ["added-delete-files", added.deleteFiles],
    ["removed-delete-files", removed.deleteFiles],
    ["added-position-delete-files", added.positionDeleteFiles],
    ["removed-position-delete-files", removed.positionDeleteFiles],
    ["added-equality-delete-files", added.equalityDeleteFiles],
    ["removed-equality-delete-files", removed.equalityDeleteFiles],
    ["added-records", added.records],
    ["deleted-records", removed.records],
    ["added-position-deletes", added.positionDeletes],
    ["removed-position-deletes", removed.positionDeletes],
    ["added-equality-deletes", added.equalityDeletes],
    ["removed-equality-deletes", removed.equalityDeletes],
    ["added-files-size", added.size],
    ["removed-files-size", removed.size],
  ];
  return Object.fromEntries(
    entries.filter(([, count]) => count > 0n).map(([name, count]) => [name, String(count)]),
  );
}

function totals(
  counted: Readonly<Record<string, string>>,
  parent: Readonly<Record<string, string>> | undefined,
): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [total, added, removed] of TOTALS) {
    const before = parent === undefined ? "0" : parent[total];
    if (before === undefined || !/^\d+$/.test(before)) continue;
    const after = BigInt(before) + BigInt(counted[added] ?? 0) - BigInt(counted[removed] ?? 0);
    if (after >= 0n) result[total] = String(after);
  }
  return result;
}
