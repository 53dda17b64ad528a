/** Manifests on their way: encoded once, stored when a snapshot really uses them, read when they are merged. */

import { encodeManifest } from "../manifest.ts";
import { decodeManifestList } from "../manifest_list.ts";
import { decodeManifest } from "../manifest_reader.ts";
import { schemaForSpec, specById } from "../metadata.ts";
import { joinLocation } from "../storage/location.ts";
import type { Storage } from "../storage/port.ts";
import type {
  ManifestContent,
  ManifestEntry,
  ManifestFile,
  Snapshot,
  TableMetadata,
} from "../types.ts";
import type { FileLedger } from "./ledger.ts";
import { metadataFolder } from "./table.ts";

/** A manifest that is not stored yet, with its entries at hand. */
export interface ManifestDraft {
  readonly manifest: ManifestFile;
  readonly bytes: Uint8Array;
  readonly entries: readonly ManifestEntry[];
}

/** A manifest of a staged snapshot: one of the base, or a new one. */
export type StagedManifest = ManifestFile | ManifestDraft;

/** Its manifest-list entry, whichever it is. */
export function manifestOf(staged: StagedManifest): ManifestFile {
  return "bytes" in staged ? staged.manifest : staged;
}

/** Makes the manifests of one commit, with names that no other commit uses. */
export class ManifestDrafts {
  readonly #snapshotId: bigint;
  readonly #commitUuid: string;
  #count = 0;
  readonly #stored = new Set<string>();

  constructor(options: { snapshotId: bigint; commitUuid: string }) {
    this.#snapshotId = options.snapshotId;
    this.#commitUuid = options.commitUuid;
  }

  /** Encodes a manifest under the next name; nothing is stored yet. */
  draft(
    base: TableMetadata,
    options: { specId: number; content: ManifestContent; entries: readonly ManifestEntry[] },
  ): ManifestDraft {
    const spec = specById(base, options.specId);
    const name = `${this.#commitUuid}-m${this.#count++}.avro`;
    const encoded = encodeManifest({
      path: joinLocation(metadataFolder(base), name),
      schema: schemaForSpec(base, spec),
      spec,
      content: options.content,
      snapshotId: this.#snapshotId,
      entries: options.entries,
    });
    return { ...encoded, entries: options.entries };
  }

  /** Stores a draft once, however many attempts use it. */
  async store(draft: ManifestDraft, ledger: FileLedger): Promise<void> {
    const path = draft.manifest.manifest_path;
    if (this.#stored.has(path)) return;
    await ledger.create(path, draft.bytes);
    this.#stored.add(path);
  }
}

/** The manifests of a snapshot; none for no snapshot. */
export async function readManifests(
  storage: Storage,
  snapshot: Snapshot | undefined,
): Promise<ManifestFile[]> {
  if (snapshot === undefined) return [];
  return decodeManifestList(await storage.read(snapshot["manifest-list"]));
}

/** The entries of a stored manifest, deleted ones included, with sequence numbers inherited. */
export async function readEntries(
  storage: Storage,
  base: TableMetadata,
  manifest: ManifestFile,
): Promise<ManifestEntry[]> {
  const spec = base["partition-specs"].find((one) => one["spec-id"] === manifest.partition_spec_id);
  return decodeManifest(await storage.read(manifest.manifest_path), {
    manifest,
    specs: base["partition-specs"],
    schema: spec === undefined ? base.schemas.at(-1)! : schemaForSpec(base, spec),
  });
}
