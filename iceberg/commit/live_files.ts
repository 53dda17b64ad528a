/** Finding data files in a base's manifests, and manifests without some of them (Java's ManifestFilterManager). */

import { partitionTypes } from "../partition.ts";
import { compareValues } from "../compare.ts";
import { schemaForSpec, specById } from "../metadata.ts";
import { decodeValue } from "../single_value.ts";
import type { Storage } from "../storage/port.ts";
import { mapLimited } from "../storage/parallel.ts";
import {
  EntryStatus,
  ManifestContent,
  type ManifestEntry,
  type ManifestFile,
  type PartitionTuple,
  type PrimitiveType,
  type TableMetadata,
} from "../types.ts";
import { type ManifestDraft, readEntries, type StagedManifest } from "./drafts.ts";
import { carryEntry, hasLiveFiles } from "./merge.ts";
import type { ProduceContext } from "./snapshot.ts";

/** A file to find: its path, and where it lies, so that few manifests need reading. */
export interface FileKey {
  readonly file_path: string;
  readonly spec_id: number;
  readonly partition: PartitionTuple;
}

/** Entries of manifests, read once each; manifests never change. */
export class EntryReader {
  readonly #storage: Storage;
  readonly #read = new Map<string, Promise<ManifestEntry[]>>();

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /** All entries of a manifest. */
  entries(base: TableMetadata, manifest: ManifestFile): Promise<ManifestEntry[]> {
    const path = manifest.manifest_path;
    let read = this.#read.get(path);
    if (read === undefined) {
      read = readEntries(this.#storage, base, manifest);
      this.#read.set(path, read);
      // A failed read is not kept.
      read.catch(() => this.#read.delete(path));
    }
    return read;
  }
}

/** Whether a manifest's partition summaries admit one of the partitions. */
export function mayHold(
  base: TableMetadata,
  manifest: ManifestFile,
  files: readonly FileKey[],
): boolean {
  const specId = manifest.partition_spec_id;
  const candidates = files.filter((file) => file.spec_id === specId);
  if (candidates.length === 0) return false;
  const { partitions } = manifest;
  if (partitions === undefined) return true;
  const spec = specById(base, specId);
  const types = partitionTypes(spec, schemaForSpec(base, spec));
  return candidates.some((file) =>
    file.partition.every((value, index) => admits(partitions[index], types[index]!, value))
  );
}

function admits(
  summary: NonNullable<ManifestFile["partitions"]>[number] | undefined,
  type: PrimitiveType,
  value: PartitionTuple[number],
): boolean {
  if (summary === undefined) return true;
  if (value === null) return summary.contains_null;
  if (Number.isNaN(value)) return summary.contains_nan ?? true;
  const { lower_bound: lower, upper_bound: upper } = summary;
  if (lower === undefined || upper === undefined) return false;
  return compareValues(type, decodeValue(type, lower), value) <= 0 &&
    compareValues(type, value, decodeValue(type, upper)) <= 0;
}

/** The live entries of the given data files, by path; those that are not live are missing. */
export async function findLive(
  context: Pick<ProduceContext, "base" | "manifests">,
  files: readonly FileKey[],
  reader: EntryReader,
): Promise<Map<string, ManifestEntry>> {
  const { base } = context;
  const wanted = new Set(files.map((file) => file.file_path));
  const manifests = context.manifests.filter((manifest) =>
    manifest.content === ManifestContent.data && hasLiveFiles(manifest) &&
    mayHold(base, manifest, files)
  );
  const found = new Map<string, ManifestEntry>();
  for (const entries of await mapLimited(manifests, (one) => reader.entries(base, one))) {
    for (const entry of entries) {
      const path = entry.data_file.file_path;
      if (entry.status !== EntryStatus.deleted && wanted.has(path)) found.set(path, entry);
    }
  }
  return found;
}

/** Makes manifests without some files, the same ones for the same question in every attempt. */
export class ManifestFilter {
  readonly #reader: EntryReader;
  readonly #cache = new Map<string, ManifestDraft>();

  constructor(reader: EntryReader) {
    this.#reader = reader;
  }

  /** The base's live manifests, those that hold a removed file rewritten with it marked as deleted. */
  async without(
    context: ProduceContext,
    removed: readonly FileKey[],
  ): Promise<StagedManifest[]> {
    const live = context.manifests.filter(hasLiveFiles);
    if (removed.length === 0) return live;
    const paths = new Set(removed.map((file) => file.file_path));
    return await mapLimited(live, (manifest) => {
      const may = manifest.content === ManifestContent.data &&
        mayHold(context.base, manifest, removed);
      return may ? this.#filter(context, manifest, paths) : Promise.resolve(manifest);
    });
  }

  async #filter(
    context: ProduceContext,
    manifest: ManifestFile,
    paths: ReadonlySet<string>,
  ): Promise<StagedManifest> {
    const entries = await this.#reader.entries(context.base, manifest);
    const hit = entries.filter((entry) =>
      entry.status !== EntryStatus.deleted && paths.has(entry.data_file.file_path)
    );
    if (hit.length === 0) return manifest;
    const key = [manifest.manifest_path, ...hit.map((entry) => entry.data_file.file_path)].join(
      "\n",
    );
    const cached = this.#cache.get(key);
    if (cached !== undefined) return cached;
    const kept = entries.flatMap((entry) => {
      const carried = carryEntry(entry);
      if (carried === undefined) return [];
      return paths.has(entry.data_file.file_path)
        ? [{ ...carried, status: EntryStatus.deleted }]
        : [carried];
    });
    const draft = context.drafts.draft(context.base, {
      specId: manifest.partition_spec_id,
      content: manifest.content,
      entries: kept,
    });
    this.#cache.set(key, draft);
    return draft;
  }
}
