/** Which files the kept snapshots of a table refer to, and which lie in its folder. */
import { NoSuchTableError } from "../iceberg/catalog/errors.ts";
import type { Catalog } from "../iceberg/catalog/port.ts";
import { decodeManifestList } from "../iceberg/manifest_list.ts";
import { decodeManifest } from "../iceberg/manifest_reader.ts";
import { schemaForSpec, specById } from "../iceberg/metadata.ts";
import { baseName, locationKey } from "../iceberg/storage/location.ts";
import { NoSuchFileError, type Storage } from "../iceberg/storage/port.ts";
import {
  EntryStatus,
  type ManifestFile,
  type Snapshot,
  type TableMetadata,
} from "../iceberg/types.ts";

/** A table at one moment. */
export interface TableView {
  name: string;
  metadata: TableMetadata;
  metadataLocation: string | undefined;
}

/** A table as it is now; undefined if there is none. */
export async function viewTable(
  catalog: Catalog,
  namespace: string,
  name: string,
): Promise<TableView | undefined> {
  try {
    const { metadata, metadataLocation } = await catalog.loadTable({
      namespace: [namespace],
      name,
    });
    return { name, metadata, metadataLocation };
  } catch (error) {
    if (error instanceof NoSuchTableError) return undefined;
    throw error;
  }
}

/** What was found. */
export interface TableFiles {
  /** Files that some kept snapshot, or the metadata itself, refers to. */
  referenced: number;
  /** Referenced, but not there; in the spelling of the metadata, sorted. */
  missing: string[];
  /** In the table's folder, but not referred to: left behind by crashes, or of a commit under way. */
  orphans: { count: number; bytes: number; first: string[] };
  /** Which snapshot added each live data file of the current snapshot, by {@linkcode locationKey}. */
  addedBy: Map<string, bigint>;
}

const NAMED_MAX = 10;

/** Lists the folder and reads every manifest of every kept snapshot once. */
export async function examineFiles(view: TableView, storage: Storage): Promise<TableFiles> {
  const { metadata } = view;
  const walk = new ReferenceWalk(metadata, storage);
  walk.refer(view.metadataLocation);
  for (const entry of metadata["metadata-log"]) walk.refer(entry["metadata-file"]);
  for (const statistics of metadata.statistics ?? []) walk.refer(statistics["statistics-path"]);
  for (const statistics of metadata["partition-statistics"] ?? []) {
    walk.refer(statistics["statistics-path"]);
  }
  for (const snapshot of metadata.snapshots) await walk.snapshot(snapshot);
  const orphans: TableFiles["orphans"] = { count: 0, bytes: 0, first: [] };
  const there = new Set<string>();
  for await (const { location, size } of storage.list(metadata.location)) {
    const key = locationKey(location);
    there.add(key);
    if (walk.referenced.has(checkedFile(key))) continue;
    orphans.count++;
    orphans.bytes += size;
    if (orphans.first.length < NAMED_MAX) orphans.first.push(location);
  }
  const missing: string[] = [];
  for (const [key, location] of walk.referenced) {
    // A file may lie outside of the table's folder (write.data.path); the listing does not show it.
    if (!there.has(key) && await storage.stat(location) === undefined) missing.push(location);
  }
  return {
    referenced: walk.referenced.size,
    missing: missing.sort(),
    orphans,
    addedBy: walk.addedBy,
  };
}

/** Hadoop's checksum files, `.name.crc`, belong to the file that they name. */
function checkedFile(key: string): string {
  const name = baseName(key);
  const match = /^\.(.+)\.crc$/.exec(name);
  return match === null ? key : key.slice(0, -name.length) + match[1];
}

class ReferenceWalk {
  /** Location by key. */
  readonly referenced = new Map<string, string>();
  readonly addedBy = new Map<string, bigint>();
  readonly #metadata: TableMetadata;
  readonly #storage: Storage;
  readonly #seen = new Set<string>();

  constructor(metadata: TableMetadata, storage: Storage) {
    this.#metadata = metadata;
    this.#storage = storage;
  }

  refer(location: string | undefined): void {
    if (location !== undefined) this.referenced.set(locationKey(location), location);
  }

  async snapshot(snapshot: Snapshot): Promise<void> {
    const current = snapshot["snapshot-id"] === this.#metadata["current-snapshot-id"];
    const list = snapshot["manifest-list"];
    this.refer(list);
    const bytes = await this.#read(list);
    if (bytes === undefined) return;
    for (const manifest of decodeManifestList(bytes)) {
      // Manifests are shared by snapshots; the current one's are wanted in detail.
      if (this.#seen.has(manifest.manifest_path) && !current) continue;
      this.#seen.add(manifest.manifest_path);
      this.refer(manifest.manifest_path);
      await this.#manifest(manifest, current);
    }
  }

  async #manifest(manifest: ManifestFile, current: boolean): Promise<void> {
    const bytes = await this.#read(manifest.manifest_path);
    if (bytes === undefined) return;
    const specs = this.#metadata["partition-specs"];
    const spec = specById(this.#metadata, manifest.partition_spec_id);
    const schema = schemaForSpec(this.#metadata, spec);
    for (const entry of decodeManifest(bytes, { manifest, specs, schema, stats: "none" })) {
      // A deleted entry only tells that the file was live before; expiry may have removed it.
      if (entry.status === EntryStatus.deleted) continue;
      const location = entry.data_file.file_path;
      this.refer(location);
      if (current && entry.snapshot_id !== null) {
        this.addedBy.set(locationKey(location), entry.snapshot_id);
      }
    }
  }

  async #read(location: string): Promise<Uint8Array | undefined> {
    try {
      return await this.#storage.read(location);
    } catch (error) {
      if (error instanceof NoSuchFileError) return undefined;
      throw error;
    }
  }
}
