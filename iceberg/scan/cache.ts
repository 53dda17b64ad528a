/**
 * Manifest lists and manifests as they were decoded, for a process that plans again and again. A location is never
 * written twice (spec "File System Operations"), so nothing in here grows stale; what is used least goes first.
 */
import type { ManifestEntry, ManifestFile } from "../types.ts";

/** How much is kept. */
export interface MetadataCacheOptions {
  /**
   * Most memory of what is kept, in bytes, as far as it can be told: entries and the values of their statistics are
   * counted and taken for as large as they usually are.
   * @default {67108864}
   */
  readonly bytesMax?: number;
}

/** Which reading of a manifest. */
export interface EntriesKey {
  readonly path: string;
  /** Of the schema that partition values are read with. */
  readonly schemaId: number | undefined;
  /** Columns whose statistics were read, by field id. */
  readonly stats: "all" | ReadonlySet<number>;
}

/** About what one thing takes in V8, in bytes; measured. */
const SIZES = { manifest: 1000, entry: 900, statistic: 130 };

interface Kept {
  readonly value: readonly ManifestFile[] | readonly ManifestEntry[];
  readonly bytes: number;
}

function textOf({ path, schemaId, stats }: EntriesKey): string {
  const columns = stats === "all" ? "all" : [...stats].sort((a, b) => a - b).join(" ");
  return `${schemaId} ${columns} ${path}`;
}

function statisticsOf({ data_file: file }: ManifestEntry): number {
  let count = 0;
  for (const value of Object.values(file)) if (value instanceof Map) count += value.size;
  return count;
}

/** A bounded memory of decoded metadata. */
export class MetadataCache {
  readonly #bytesMax: number;
  readonly #kept = new Map<string, Kept>();
  #bytes = 0;

  constructor(options: MetadataCacheOptions = {}) {
    this.#bytesMax = options.bytesMax ?? 64 * 1024 * 1024;
  }

  /** About how much is kept, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The manifests of a list; undefined if it has to be read. */
  manifestList(location: string): readonly ManifestFile[] | undefined {
    return this.#get(`list ${location}`) as readonly ManifestFile[] | undefined;
  }

  /** Keeps a list. Nobody may change it from now on. */
  keepManifestList(location: string, manifests: readonly ManifestFile[]): void {
    this.#keep(`list ${location}`, manifests, manifests.length * SIZES.manifest);
  }

  /** The live entries of a manifest; undefined if it has to be read. */
  entries(key: EntriesKey): readonly ManifestEntry[] | undefined {
    return this.#get(textOf(key)) as readonly ManifestEntry[] | undefined;
  }

  /** Keeps entries. Nobody may change them from now on. */
  keepEntries(key: EntriesKey, entries: readonly ManifestEntry[]): void {
    let bytes = 0;
    for (const entry of entries) bytes += SIZES.entry + SIZES.statistic * statisticsOf(entry);
    this.#keep(textOf(key), entries, bytes);
  }

  #get(key: string): Kept["value"] | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    // A Map lists its keys as they were set: what was used last comes last.
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    return kept.value;
  }

  #keep(key: string, value: Kept["value"], size: number): void {
    const bytes = size + 2 * key.length;
    // One that takes all of the room would push everything else out.
    if (bytes > this.#bytesMax / 2) return;
    this.#bytes += bytes - (this.#kept.get(key)?.bytes ?? 0);
    this.#kept.delete(key);
    this.#kept.set(key, { value, bytes });
    for (const [oldest, kept] of this.#kept) {
      if (this.#bytes <= this.#bytesMax) return;
      this.#kept.delete(oldest);
      this.#bytes -= kept.bytes;
    }
  }
}
