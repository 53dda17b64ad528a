/** Rewriting manifests: the same files in fewer manifests, sorted by partition so that readers skip more of them. */

import { compareValues } from "../compare.ts";
import { partitionTypes } from "../partition.ts";
import { schemaForSpec, specById } from "../metadata.ts";
import { mapLimited } from "../storage/parallel.ts";
import {
  ManifestContent,
  type ManifestEntry,
  type ManifestFile,
  type PartitionTuple,
  type PrimitiveType,
} from "../types.ts";
import type { ManifestDraft } from "./drafts.ts";
import { EntryReader } from "./live_files.ts";
import type { CommitOutcome } from "./loop.ts";
import { carryEntry, hasLiveFiles, mergePolicy } from "./merge.ts";
import { commitSnapshot, type ProduceContext, type SnapshotCommitOptions } from "./snapshot.ts";
import type { Table } from "./table.ts";

/** Options of a rewrite of manifests. */
export interface RewriteManifestsOptions extends SnapshotCommitOptions {
  /** Nothing is done for a spec with fewer data manifests than this to rewrite. @default {2} */
  readonly countMin?: number;
}

/**
 * Rewrites the data manifests of each spec that are smaller than the target size
 * (`commit.manifest.target-size-bytes`) in one `replace` snapshot; files, rows and sequence numbers stay as they are.
 *
 * @throws as `runCommit`
 */
export function commitRewriteManifests(
  table: Table,
  options: RewriteManifestsOptions,
): Promise<CommitOutcome> {
  const reader = new EntryReader(options.storage);
  const cache = new Map<string, ManifestDraft[]>();
  return commitSnapshot(table, {
    ...options,
    produce: async (context) => {
      const { targetBytes } = mergePolicy(context.base.properties);
      const live = context.manifests.filter(hasLiveFiles);
      const small = live.filter((one) =>
        one.content === ManifestContent.data && one.manifest_length < targetBytes
      );
      const groups = [...Map.groupBy(small, (one) => one.partition_spec_id).values()]
        .filter((group) => group.length >= (options.countMin ?? 2));
      if (groups.length === 0) return undefined;
      const replaced = new Set(groups.flat());
      const drafts: ManifestDraft[] = [];
      for (const group of groups) drafts.push(...await regroup(context, { group, reader, cache }));
      const kept = live.filter((one) => !replaced.has(one));
      return {
        operation: "replace",
        manifests: [...drafts, ...kept],
        added: [],
        removed: [],
        summary: {
          "manifests-created": String(drafts.length),
          "manifests-kept": String(kept.length),
          "manifests-replaced": String(replaced.size),
          "entries-processed": String(drafts.reduce((sum, one) => sum + one.entries.length, 0)),
        },
      };
    },
  });
}

async function regroup(
  context: ProduceContext,
  options: {
    group: readonly ManifestFile[];
    reader: EntryReader;
    cache: Map<string, ManifestDraft[]>;
  },
): Promise<ManifestDraft[]> {
  const { group, reader, cache } = options;
  const key = group.map((one) => one.manifest_path).join("\n");
  const cached = cache.get(key);
  if (cached !== undefined) return cached;
  const { base } = context;
  const specId = group[0]!.partition_spec_id;
  const spec = specById(base, specId);
  const types = partitionTypes(spec, schemaForSpec(base, spec));
  const entries = (await mapLimited(group, (one) => reader.entries(base, one))).flat()
    .map(carryEntry)
    .filter((entry): entry is ManifestEntry => entry !== undefined)
    .sort((a, b) => compareTuples(types, a.data_file.partition, b.data_file.partition));
  // The inputs tell how large an entry is; compressed together they only get smaller.
  const bytes = group.reduce((sum, one) => sum + one.manifest_length, 0n);
  const { targetBytes } = mergePolicy(base.properties);
  const parts = Math.max(1, Math.ceil(Number(bytes) / Number(targetBytes)));
  const size = Math.ceil(entries.length / parts);
  const drafts: ManifestDraft[] = [];
  for (let at = 0; at < entries.length; at += size) {
    drafts.push(context.drafts.draft(base, {
      specId,
      content: ManifestContent.data,
      entries: entries.slice(at, at + size),
    }));
  }
  cache.set(key, drafts);
  return drafts;
}

/** Order of partitions, field by field, nulls first. */
function compareTuples(
  types: readonly PrimitiveType[],
  a: PartitionTuple,
  b: PartitionTuple,
): number {
  for (const [index, type] of types.entries()) {
    const [left, right] = [a[index] ?? null, b[index] ?? null];
    if (left === null || right === null) {
      if (left !== right) return left === null ? -1 : 1;
      continue;
    }
    const order = compareValues(type, left, right);
    if (order !== 0) return order;
  }
  return 0;
}
