/** A table in a world of its own for tests: catalog, storage, clock, randomness and sleep, all in memory. */

import { MemoryCatalog } from "../catalog/memory.ts";
import { fileContentOf, type TestFileOptions } from "./testing_files.ts";
import { MemoryStorage } from "../storage/memory.ts";
import type { DataFile, ManifestEntry, Schema, TableMetadata } from "../types.ts";
import { snapshotOfRef } from "../metadata.ts";
import { readEntries, readManifests } from "./drafts.ts";
import type { CommitEnvironment } from "./environment.ts";
import { createTable, type Table } from "./table.ts";

/** `id` long, `day_of` timestamptz (the partition source), `name` string. */
export const TEST_SCHEMA: Schema = {
  type: "struct",
  "schema-id": 0,
  fields: [
    { id: 1, name: "id", required: false, type: "long" },
    { id: 2, name: "at", required: false, type: "timestamptz" },
    { id: 3, name: "name", required: false, type: "string" },
  ],
};

/** Where tests begin: 2026-11-21T00:00:00Z. */
export const TEST_START_MS = Date.UTC(2026, 10, 21);

/** Everything a commit touches, in memory. */
export class TestWorld {
  nowMs = TEST_START_MS;
  /** Waits asked for, in order; they pass at once and move the clock. */
  readonly sleeps: number[] = [];
  readonly storage = new MemoryStorage({ nowMs: () => this.nowMs });
  readonly catalog = new MemoryCatalog({ storage: this.storage, nowMs: () => this.nowMs });
  readonly env: CommitEnvironment;
  #seed: number;
  #files = 0;

  constructor(seed = 1) {
    this.#seed = seed;
    this.env = {
      storage: this.storage,
      nowMs: () => this.nowMs,
      random: () => this.random(),
      sleep: (ms) => {
        this.sleeps.push(ms);
        this.nowMs += ms;
        return Promise.resolve();
      },
    };
  }

  /** mulberry32: small, and the same everywhere. */
  random(): number {
    this.#seed = (this.#seed + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#seed ^ (this.#seed >>> 15), 1 | this.#seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** Creates `finance.t`, partitioned by day of `at`. */
  async table(properties: Record<string, string> = {}): Promise<Table> {
    await this.catalog.createNamespace(["finance"]);
    return await createTable(this.catalog, { namespace: ["finance"], name: "t" }, {
      schema: TEST_SCHEMA,
      partitionSpec: {
        "spec-id": 0,
        fields: [{ "source-id": 2, "field-id": 1000, name: "at_day", transform: "day" }],
      },
      properties,
    });
  }

  /** Stores a file of some bytes and describes it as a data file of a day. */
  async file(options: TestFileOptions = {}): Promise<DataFile> {
    const file = fileContentOf(++this.#files, options);
    await this.storage.create(file.file_path, new Uint8Array(Number(file.file_size_in_bytes)));
    return file;
  }

  /** The live entries of a ref, in manifest order. */
  async live(metadata: TableMetadata, ref = "main"): Promise<ManifestEntry[]> {
    const manifests = await readManifests(this.storage, snapshotOfRef(metadata, ref));
    const entries = await Promise.all(
      manifests.map((manifest) => readEntries(this.storage, metadata, manifest)),
    );
    return entries.flat().filter((entry) => entry.status !== 2);
  }

  /** Paths of the live files, sorted. */
  async paths(metadata: TableMetadata, ref = "main"): Promise<string[]> {
    return (await this.live(metadata, ref)).map((entry) => entry.data_file.file_path).sort();
  }
}

/** Locations that the table refers to and that are not there: must always be none. */
export async function danglingLocations(world: TestWorld, table: Table): Promise<string[]> {
  const { metadata } = table;
  const used = new Set<string>();
  if (table.metadataLocation !== undefined) used.add(table.metadataLocation);
  for (const entry of metadata["metadata-log"]) used.add(entry["metadata-file"]);
  for (const snapshot of metadata.snapshots) {
    used.add(snapshot["manifest-list"]);
    for (const manifest of await readManifests(world.storage, snapshot)) {
      used.add(manifest.manifest_path);
      const entries = await readEntries(world.storage, metadata, manifest);
      for (const entry of entries) if (entry.status !== 2) used.add(entry.data_file.file_path);
    }
  }
  const there = new Set(world.storage.keys());
  return [...used].filter((location) => !there.has(location));
}
