/**
 * Scan planning: which files of a snapshot to read for a filter, with the deletes to apply to each, and the
 * proof of everything that was skipped.
 */

import { decodeManifest, type ManifestDecoders } from "../manifest_reader.ts";
import { decodeManifestList } from "../manifest_list.ts";
import { schemaForSpec, specById } from "../metadata.ts";
import { fieldIndex } from "../schema.ts";
import type { Storage } from "../storage/port.ts";
import {
  type DataFile,
  EntryStatus,
  ManifestContent,
  type ManifestEntry,
  type ManifestFile,
  type Schema,
  type Snapshot,
  type TableMetadata,
} from "../types.ts";
import type { MetadataCache } from "./cache.ts";
import { DeleteIndex } from "./deletes.ts";
import { bindFilter, type BoundFilter, type Filter, filterFieldIds } from "./filter.ts";
import { mapLimited } from "../storage/parallel.ts";
import { type SpecContext, specContext, whySkipFile, whySkipManifest } from "./prune.ts";
import { chooseSnapshot, type SnapshotChoice } from "./snapshot.ts";

/** What to plan. */
export interface PlanOptions {
  /** @default {the current snapshot} */
  readonly snapshot?: SnapshotChoice;
  /** Column names are those of the snapshot's schema. @default {every row} */
  readonly filter?: Filter;
  /**
   * Keep the statistics of all columns in the planned files; without, only those of the filter's columns
   * and of `statsOf` are there.
   * @default {false}
   */
  readonly allStats?: boolean;
  /** Further columns whose statistics to keep; those that the snapshot's schema does not have are left out. */
  readonly statsOf?: readonly string[];
  /** Manifests that were read before, for those who plan often. @default {everything is read} */
  readonly cache?: MetadataCache;
}

/** A file to read. */
export interface PlannedFile {
  readonly path: string;
  readonly record_count: bigint;
  readonly file_size_in_bytes: bigint;
  /** Spec, partition and statistics; not to be written into a manifest unless `allStats` was set. */
  readonly file: DataFile;
  /** Data sequence number. */
  readonly sequenceNumber: bigint;
  /** Position and equality delete files to apply, in no particular order. */
  readonly deletes: readonly DataFile[];
}

/** Something that need not be read, and why no row of it can pass the filter. */
export interface Skipped {
  readonly kind: "manifest" | "file";
  readonly path: string;
  /** Data files in it; -1 if its writer did not count. */
  readonly files: number;
  /** Rows in it; -1 if its writer did not count. */
  readonly records: bigint;
  readonly reason: string;
}

/** A plan. Planned and skipped files together are exactly the snapshot's live data files. */
export interface ScanPlan {
  /** Undefined: the table is empty. */
  readonly snapshot: Snapshot | undefined;
  readonly schema: Schema;
  readonly files: readonly PlannedFile[];
  readonly skipped: readonly Skipped[];
  readonly manifests: { readonly total: number; readonly read: number };
}

/**
 * Plans a scan. Reads the manifest list and the manifests that the filter does not rule out; no data file.
 *
 * @throws {IcebergError} for a snapshot or a column that is not there
 * @throws {NoSuchFileError} if a metadata file is gone: expired meanwhile, or damage
 */
export async function planScan(
  metadata: TableMetadata,
  storage: Storage,
  options: PlanOptions = {},
): Promise<ScanPlan> {
  const { snapshot, schema } = chooseSnapshot(metadata, options.snapshot);
  const filter = bindFilter(options.filter ?? { op: "true" }, schema);
  if (snapshot === undefined) {
    return { snapshot, schema, files: [], skipped: [], manifests: { total: 0, read: 0 } };
  }
  const stats = options.allStats ? "all" : statsIds(filter, schema, options.statsOf ?? []);
  const { cache } = options;
  const scan = new Scan({ metadata, storage, schema, filter, stats, cache });
  const list = snapshot["manifest-list"];
  let manifests = cache?.manifestList(list);
  if (manifests === undefined) {
    manifests = decodeManifestList(await storage.read(list));
    cache?.keepManifestList(list, manifests);
  }
  const { files, skipped, read } = await scan.plan(manifests);
  return { snapshot, schema, files, skipped, manifests: { total: manifests.length, read } };
}

function statsIds(filter: BoundFilter, schema: Schema, columns: readonly string[]): Set<number> {
  const ids = new Set(filterFieldIds(filter));
  for (const { id, name } of schema.fields) if (columns.includes(name)) ids.add(id);
  return ids;
}

interface ScanOptions {
  readonly metadata: TableMetadata;
  readonly storage: Storage;
  /** The schema the filter is bound to. */
  readonly schema: Schema;
  readonly filter: BoundFilter;
  readonly stats: "all" | ReadonlySet<number>;
  readonly cache: MetadataCache | undefined;
}

class Scan {
  readonly #contexts = new Map<number, SpecContext>();
  readonly #decoders = new Map<unknown, ManifestDecoders>();
  readonly #options: ScanOptions;

  constructor(options: ScanOptions) {
    this.#options = options;
  }

  async plan(manifests: readonly ManifestFile[]) {
    const skipped: Skipped[] = [];
    const data: ManifestFile[] = [];
    for (const manifest of manifests.filter(isLive(ManifestContent.data))) {
      const reason = whySkipManifest(
        this.#options.filter,
        manifest,
        this.#context(manifest.partition_spec_id),
      );
      if (reason === undefined) data.push(manifest);
      else skipped.push(skippedManifest(manifest, reason));
    }
    // Deletes are read unpruned: those of another column's bounds may still apply.
    const deletes = manifests.filter(isLive(ManifestContent.deletes));
    const index = new DeleteIndex(
      (await mapLimited(deletes, (manifest) => this.#entries(manifest, "all"))).flat(),
      this.#options.metadata["partition-specs"],
    );
    const files: PlannedFile[] = [];
    for (
      const entries of await mapLimited(data, (one) => this.#entries(one, this.#options.stats))
    ) {
      for (const entry of entries) this.#placeFile(entry, { index, files, skipped });
    }
    return { files, skipped, read: data.length + deletes.length };
  }

  #placeFile(
    entry: ManifestEntry,
    into: { index: DeleteIndex; files: PlannedFile[]; skipped: Skipped[] },
  ): void {
    const { data_file: file } = entry;
    const { file_path: path, record_count, file_size_in_bytes } = file;
    const reason = whySkipFile(this.#options.filter, file, this.#context(file.spec_id));
    if (reason !== undefined) {
      into.skipped.push({ kind: "file", path, files: 1, records: record_count, reason });
      return;
    }
    const sequenceNumber = entry.sequence_number ?? 0n;
    const deletes = into.index.of(file, sequenceNumber);
    into.files.push({ path, record_count, file_size_in_bytes, file, sequenceNumber, deletes });
  }

  async #entries(
    manifest: ManifestFile,
    stats: "all" | ReadonlySet<number>,
  ): Promise<readonly ManifestEntry[]> {
    const { schema } = this.#context(manifest.partition_spec_id);
    // Partition values have the types of the schema, which cannot change under its id.
    const key = {
      path: manifest.manifest_path,
      schemaId: schema["schema-id"],
      stats,
    };
    const { cache } = this.#options;
    const kept = cache?.entries(key);
    if (kept !== undefined) return kept;
    const entries = await this.#readEntries(manifest, schema, stats);
    cache?.keepEntries(key, entries);
    return entries;
  }

  async #readEntries(
    manifest: ManifestFile,
    schema: Schema,
    stats: "all" | ReadonlySet<number>,
  ): Promise<ManifestEntry[]> {
    const bytes = await this.#options.storage.read(manifest.manifest_path);
    const specs = this.#options.metadata["partition-specs"];
    // A filter that looks at no column needs no statistics.
    const none = stats !== "all" && stats.size === 0;
    let decoders = this.#decoders.get(stats);
    if (decoders === undefined) this.#decoders.set(stats, decoders = new Map());
    return decodeManifest(bytes, {
      manifest,
      specs,
      schema,
      stats: none ? "none" : stats,
      decoders,
    })
      .filter((entry) => entry.status !== EntryStatus.deleted);
  }

  #context(specId: number): SpecContext {
    let context = this.#contexts.get(specId);
    if (context === undefined) {
      const { metadata, schema } = this.#options;
      const spec = specById(metadata, specId);
      // The filter's schema where it can be: partition values then have the types of its values.
      const fields = fieldIndex(schema);
      const complete = spec.fields.every((field) => fields.has(field["source-id"]));
      context = specContext(spec, complete ? schema : schemaForSpec(metadata, spec));
      this.#contexts.set(specId, context);
    }
    return context;
  }
}

function isLive(content: ManifestContent): (manifest: ManifestFile) => boolean {
  return (manifest) =>
    manifest.content === content &&
    (manifest.added_files_count !== 0 || manifest.existing_files_count !== 0);
}

function skippedManifest(manifest: ManifestFile, reason: string): Skipped {
  const known = manifest.added_files_count >= 0 && manifest.existing_files_count >= 0;
  return {
    kind: "manifest",
    path: manifest.manifest_path,
    files: known ? manifest.added_files_count + manifest.existing_files_count : -1,
    records: known ? manifest.added_rows_count + manifest.existing_rows_count : -1n,
    reason,
  };
}
