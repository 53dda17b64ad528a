/**
 * Merging small manifests inside an append (Java's ManifestMergeManager, same properties and rules), so that
 * reads stay fast without a job of their own: a commit every 10 s would leave 8,640 manifests a day.
 */

import {
  EntryStatus,
  type ManifestContent,
  type ManifestEntry,
  type ManifestFile,
  type TableMetadata,
} from "../types.ts";
import {
  type ManifestDraft,
  type ManifestDrafts,
  manifestOf,
  type StagedManifest,
} from "./drafts.ts";
import { booleanProperty, integerProperty } from "./environment.ts";

/** When manifests are merged. */
export interface MergePolicy {
  readonly enabled: boolean;
  /** Size of a merged manifest. */
  readonly targetBytes: bigint;
  /** A group that holds the newest manifest waits until it has so many. */
  readonly countMin: number;
}

/** The policy a table's properties ask for. @throws {IcebergError} if one is malformed */
export function mergePolicy(properties: Readonly<Record<string, string>>): MergePolicy {
  return {
    enabled: booleanProperty(properties, "commit.manifest-merge.enabled", true),
    targetBytes: BigInt(
      integerProperty(properties, "commit.manifest.target-size-bytes", 8 * 1024 * 1024),
    ),
    countMin: integerProperty(properties, "commit.manifest.min-count-to-merge", 100),
  };
}

/** What merging needs from the commit it is part of. */
export interface MergeContext {
  readonly base: TableMetadata;
  readonly snapshotId: bigint;
  readonly drafts: ManifestDrafts;
  readonly policy: MergePolicy;
  readonly readEntries: (manifest: ManifestFile) => Promise<ManifestEntry[]>;
  /** Merged manifests by the paths that went in: an attempt that finds the same ones again reuses it. */
  readonly cache: Map<string, ManifestDraft>;
}

/**
 * Merges manifests of one content, newest first, keeping their order.
 */
export async function mergeManifests(
  manifests: readonly StagedManifest[],
  context: MergeContext,
): Promise<StagedManifest[]> {
  const first = manifests[0];
  if (!context.policy.enabled || first === undefined) return [...manifests];
  const bySpec = new Map<number, StagedManifest[]>();
  for (const staged of manifests) {
    const specId = manifestOf(staged).partition_spec_id;
    const group = bySpec.get(specId);
    if (group === undefined) bySpec.set(specId, [staged]);
    else group.push(staged);
  }
  const result: StagedManifest[] = [];
  for (const [, group] of [...bySpec].sort(([a], [b]) => b - a)) {
    for (const bin of packFromEnd(group, context.policy.targetBytes)) {
      const waits = bin.includes(first) && bin.length < context.policy.countMin;
      if (bin.length === 1 || waits) result.push(...bin);
      else result.push(await mergeBin(bin, context));
    }
  }
  return result;
}

/**
 * Consecutive bins of at most the target size, filled from the end: so the bin that is not full is the
 * newest one, which the next commits go on filling.
 */
function packFromEnd(group: readonly StagedManifest[], targetBytes: bigint): StagedManifest[][] {
  const bins: StagedManifest[][] = [];
  let size = 0n;
  for (const staged of group.toReversed()) {
    const length = manifestOf(staged).manifest_length;
    const bin = bins[0];
    if (bin === undefined || size + length > targetBytes) {
      bins.unshift([staged]);
      size = length;
    } else {
      bin.unshift(staged);
      size += length;
    }
  }
  return bins;
}

async function mergeBin(
  bin: readonly StagedManifest[],
  context: MergeContext,
): Promise<ManifestDraft> {
  const key = bin.map((staged) => manifestOf(staged).manifest_path).join("\n");
  const cached = context.cache.get(key);
  if (cached !== undefined) return cached;
  const entries: ManifestEntry[] = [];
  for (const staged of bin) {
    // One after the other: the order of entries is the order of time, which keeps their bounds narrow.
    const own = "bytes" in staged;
    for (const entry of own ? staged.entries : await context.readEntries(staged)) {
      const carried = own ? entry : carryEntry(entry);
      if (carried !== undefined) entries.push(carried);
    }
  }
  const { partition_spec_id: specId, content } = manifestOf(bin[0]!);
  const draft = context.drafts.draft(context.base, { specId, content, entries });
  context.cache.set(key, draft);
  return draft;
}

/** An entry of an earlier snapshot as this one carries it on: existing, or gone if it was deleted then. */
export function carryEntry(entry: ManifestEntry): ManifestEntry | undefined {
  if (entry.status === EntryStatus.deleted) return undefined;
  return { ...entry, status: EntryStatus.existing };
}

/** False for manifests of earlier snapshots that only tell what those deleted. Unknown counts (-1) may be live. */
export function hasLiveFiles(manifest: ManifestFile): boolean {
  return manifest.added_files_count !== 0 || manifest.existing_files_count !== 0;
}

/** The staged manifests of one content. */
export function ofContent(
  manifests: readonly StagedManifest[],
  content: ManifestContent,
): StagedManifest[] {
  return manifests.filter((staged) => manifestOf(staged).content === content);
}
