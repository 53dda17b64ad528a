/**
 * Orphans: files in a table's folders that no snapshot and no metadata version refers to, left by crashes and
 * by commits whose outcome was unknown. Deleting a file that is needed destroys the table, so everything here leans towards
 * keeping: only old files, only the table's own folders, and no run at all if listed and referenced locations
 * do not fit together.
 */

import { IcebergError } from "../errors.ts";
import { baseName, locationKey, parseLocation } from "../storage/location.ts";
import { mapLimited } from "../storage/parallel.ts";
import type { FileInfo, Storage } from "../storage/port.ts";
import { liveFilesOf, manifestsOf } from "./reachable.ts";
import { dataFolder, metadataFolder, reloadTable, type Table } from "./table.ts";

/** Options of the orphan cleaner. */
export interface OrphanOptions {
  readonly storage: Storage;
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number;
  /** Only files not modified for so long, milliseconds. At least three times `stagedAgeMaxMs`. */
  readonly ageMinMs: number;
  /** The longest time a writer keeps files before it commits them, milliseconds. */
  readonly stagedAgeMaxMs: number;
  /** List, delete nothing. @default {false} */
  readonly dryRun?: boolean;
}

/** What the cleaner found. */
export interface OrphanReport {
  /** Files that nothing refers to; deleted unless it was a dry run. */
  readonly orphans: readonly FileInfo[];
  /** Of them, those that could not be deleted. */
  readonly failed: readonly string[];
  /** Files listed. */
  readonly listed: number;
  /** Locations referred to. */
  readonly referenced: number;
}

/** Age of orphans over age of staged files: a batch may wait, and clocks and modification times may differ. */
const AGE_FACTOR = 3;

/**
 * Finds and deletes orphans in the table's data and metadata folders.
 *
 * @throws {IcebergError} if the age is too short, or listed and referenced locations differ in more than spelling
 */
export async function removeOrphans(table: Table, options: OrphanOptions): Promise<OrphanReport> {
  const { storage, ageMinMs, stagedAgeMaxMs, dryRun = false } = options;
  if (!(ageMinMs >= AGE_FACTOR * stagedAgeMaxMs)) {
    throw new IcebergError(
      `Cannot remove orphans older than ${ageMinMs} ms: writers keep files up to ${stagedAgeMaxMs} ms, ` +
        `expected at least ${AGE_FACTOR} times that`,
    );
  }
  // Listed first: what is committed after the listing cannot be in it, what was before is in the load below.
  const listed = await listFolders(table, storage);
  const fresh = await reloadTable(table);
  const referenced = await referencedLocations(fresh, storage);
  const oldestMs = options.nowMs() - ageMinMs;
  const orphans = orphansOf(listed, referenced, oldestMs);
  const failed: string[] = [];
  if (!dryRun) {
    await mapLimited(orphans, async ({ location }) => {
      try {
        await storage.remove(location);
      } catch {
        failed.push(location);
      }
    });
  }
  return { orphans, failed, listed: listed.length, referenced: referenced.length };
}

async function listFolders(table: Table, storage: Storage): Promise<FileInfo[]> {
  const { metadata } = table;
  const files = new Map<string, FileInfo>();
  // Not the table's whole location: another table may lie below it.
  for (const folder of new Set([dataFolder(metadata), metadataFolder(metadata)])) {
    for await (const file of storage.list(folder)) files.set(locationKey(file.location), file);
  }
  return [...files.values()];
}

/** Everything the table refers to: metadata files, manifest lists, manifests, live files, statistics. */
async function referencedLocations(table: Table, storage: Storage): Promise<string[]> {
  const { metadata, metadataLocation } = table;
  const manifests = await manifestsOf(storage, metadata.snapshots);
  const files = await mapLimited(
    [...manifests.values()],
    (manifest) => liveFilesOf(storage, metadata, manifest),
  );
  return [
    ...(metadataLocation === undefined ? [] : [metadataLocation]),
    ...metadata["metadata-log"].map((entry) => entry["metadata-file"]),
    ...metadata.snapshots.map((snapshot) => snapshot["manifest-list"]),
    ...manifests.keys(),
    ...new Set(files.flat().map((file) => file.file_path)),
    ...(metadata.statistics ?? []).map((one) => one["statistics-path"]),
    ...(metadata["partition-statistics"] ?? []).map((one) => one["statistics-path"]),
  ];
}

/**
 * Which listed files are orphans. Pure.
 *
 * @throws {IcebergError} if a listed file has the path of a referenced one under another scheme or authority, or if
 * none of the listed files is referenced at all
 */
export function orphansOf(
  listed: readonly FileInfo[],
  referenced: readonly string[],
  oldestMs: number,
): FileInfo[] {
  const keys = new Set(referenced.map(locationKey));
  const paths = new Map(referenced.map((location) => [parseLocation(location).path, location]));
  const young = new Set<string>();
  let overlap = 0;
  for (const { location, modifiedMs } of listed) {
    const key = locationKey(location);
    if (keys.has(key)) overlap++;
    else if (paths.has(parseLocation(location).path)) {
      throw new IcebergError(
        `Cannot remove orphans: "${location}" is listed and ` +
          `"${paths.get(parseLocation(location).path)}" is referenced, the same path elsewhere`,
      );
    }
    if (modifiedMs > oldestMs) young.add(key);
  }
  if (listed.length > 0 && referenced.length > 0 && overlap === 0) {
    throw new IcebergError(
      `Cannot remove orphans: none of the ${listed.length} listed files is referenced ` +
        `(first "${listed[0]!.location}"), so the listing is of another place`,
    );
  }
  return listed.filter(({ location }) => {
    if (baseName(location) === "version-hint.text") return false;
    const key = locationKey(location);
    const owner = checksumOwner(location);
    // A checksum (Hadoop's `.name.crc`) goes with its file, not before.
    const needed = owner !== undefined && (keys.has(owner) || young.has(owner));
    return !keys.has(key) && !young.has(key) && !needed;
  });
}

/** The file that a `.name.crc` belongs to. */
function checksumOwner(location: string): string | undefined {
  const name = baseName(location);
  if (!name.startsWith(".") || !name.endsWith(".crc")) return undefined;
  const folder = location.slice(0, location.length - name.length);
  return locationKey(folder + name.slice(1, -".crc".length));
}
