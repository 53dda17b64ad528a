/** Which files snapshots refer to: what expiry may delete, and what the orphan cleaner must not. */

import { decodeManifestList } from "../manifest_list.ts";
import { decodeManifest } from "../manifest_reader.ts";
import { schemaForSpec } from "../metadata.ts";
import { mapLimited } from "../storage/parallel.ts";
import { NoSuchFileError, type Storage } from "../storage/port.ts";
import {
  type DataFile,
  EntryStatus,
  type ManifestFile,
  type Snapshot,
  type TableMetadata,
} from "../types.ts";

/** The manifests of some snapshots, each once, by path. */
export async function manifestsOf(
  storage: Storage,
  snapshots: readonly Snapshot[],
): Promise<Map<string, ManifestFile>> {
  const manifests = new Map<string, ManifestFile>();
  const lists = await mapLimited(
    snapshots,
    async (snapshot) => decodeManifestList(await storage.read(snapshot["manifest-list"])),
  );
  for (const manifest of lists.flat()) manifests.set(manifest.manifest_path, manifest);
  return manifests;
}

/** The files that a manifest holds as live, without their statistics. */
export async function liveFilesOf(
  storage: Storage,
  metadata: TableMetadata,
  manifest: ManifestFile,
): Promise<DataFile[]> {
  const specs = metadata["partition-specs"];
  const spec = specs.find((one) => one["spec-id"] === manifest.partition_spec_id);
  const schema = spec === undefined ? metadata.schemas.at(-1)! : schemaForSpec(metadata, spec);
  const bytes = await storage.read(manifest.manifest_path);
  return decodeManifest(bytes, { manifest, specs, schema, stats: "none" })
    .filter((entry) => entry.status !== EntryStatus.deleted)
    .map((entry) => entry.data_file);
}

/**
 * What a read gives, or `fallback` if the file is gone: only for files of snapshots that the table has
 * dropped, which another expiry may have cleaned already.
 */
export async function orIfGone<T>(read: Promise<T>, fallback: T): Promise<T> {
  try {
    return await read;
  } catch (error) {
    if (error instanceof NoSuchFileError) return fallback;
    throw error;
  }
}
