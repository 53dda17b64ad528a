/** Which data files to rewrite into fewer (design section 7). Pure. */
import { partitionKey } from "../iceberg/partition.ts";
import type { PlannedFile } from "../iceberg/scan/plan.ts";
import type { PartitionTuple } from "../iceberg/types.ts";

/** When files of a partition are worth a rewrite. */
export interface CompactionPolicy {
  /** Size of a rewritten file, in bytes. */
  targetBytes: number;
  /** Fewest small files of a partition that start one. */
  filesMin: number;
  /** The same for partitions before the newest one, which get little any more. @default {filesMin} */
  filesMinClosed?: number;
}

/** By hand: whatever can be smaller becomes smaller. */
export const COMPACT_ALL: CompactionPolicy = { targetBytes: 128 * 1024 * 1024, filesMin: 2 };

/**
 * On schedule, seldom enough to rewrite each row a few times only: the newest day keeps some 60 files, a closed one at
 * most 40.
 */
export const COMPACT_SOME: CompactionPolicy = {
  targetBytes: 128 * 1024 * 1024,
  filesMin: 20,
  filesMinClosed: 8,
};

/** A file this close to the target stays as it is. */
const SMALL_SHARE = 0.75;

/** Files of one partition that become one. */
export interface CompactionGroup {
  partition: PartitionTuple;
  specId: number;
  files: PlannedFile[];
  bytes: number;
}

/**
 * Plans rewrites. Files with deletes are left alone (other engines' business). Of a partition's small files a large
 * one waits until the others together reach its size, so that each row is rewritten about log(n) times
 * and not once per late record.
 */
export function planCompaction(
  files: readonly PlannedFile[],
  policy: CompactionPolicy,
): CompactionGroup[] {
  const { targetBytes, filesMinClosed = policy.filesMin } = policy;
  const newest = newestDay(files);
  const small = files.filter((file) =>
    file.deletes.length === 0 && Number(file.file_size_in_bytes) < targetBytes * SMALL_SHARE
  );
  const partitions = Map.groupBy(
    small,
    ({ file }) => `${file.spec_id}/${partitionKey(file.partition)}`,
  );
  return [...partitions.values()].flatMap((group) => {
    const filesMin = dayOf(group[0]!) === newest ? policy.filesMin : filesMinClosed;
    const chosen = withoutLarge(group.toSorted(bySize), filesMin);
    return chosen.length < filesMin ? [] : bins(chosen, targetBytes);
  });
}

/** First field of a file's partition, where it is a day. */
function dayOf({ file }: PlannedFile): number | undefined {
  const [day] = file.partition;
  return typeof day === "number" ? day : undefined;
}

function newestDay(files: readonly PlannedFile[]): number | undefined {
  return files.map(dayOf).reduce(
    (newest, day) => newest === undefined || (day !== undefined && day > newest) ? day : newest,
    undefined,
  );
}

function bySize(a: PlannedFile, b: PlannedFile): number {
  return Number(a.file_size_in_bytes - b.file_size_in_bytes) || (a.path < b.path ? -1 : 1);
}

/** Without the largest files that outweigh all smaller ones together, unless so few are left that it would never end. */
function withoutLarge(sorted: PlannedFile[], filesMin: number): PlannedFile[] {
  if (filesMin <= 2) return sorted;
  const chosen = [...sorted];
  let rest = sorted.reduce((sum, file) => sum + Number(file.file_size_in_bytes), 0);
  while (chosen.length >= filesMin) {
    const size = Number(chosen.at(-1)!.file_size_in_bytes);
    rest -= size;
    if (size <= rest) break;
    chosen.pop();
  }
  return chosen;
}

/** Fills files up to the target, smallest first; what is left alone stays alone. */
function bins(sorted: readonly PlannedFile[], targetBytes: number): CompactionGroup[] {
  const groups: CompactionGroup[] = [];
  let open: CompactionGroup | undefined;
  for (const file of sorted) {
    const size = Number(file.file_size_in_bytes);
    if (open === undefined || open.bytes + size > targetBytes) {
      open = { partition: file.file.partition, specId: file.file.spec_id, files: [], bytes: 0 };
      groups.push(open);
    }
    open.files.push(file);
    open.bytes += size;
  }
  return groups.filter((group) => group.files.length > 1);
}
