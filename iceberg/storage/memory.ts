/** Files in memory, with the failure rules of a real store and one-shot faults. For tests. */

import { isWithin, joinLocation, locationKey, parseLocation } from "./location.ts";
import {
  FileExistsError,
  type FileInfo,
  NoSuchFileError,
  type ReadRange,
  type Storage,
  UnsafeLocationError,
} from "./port.ts";

/** The operations a fault can be set on. */
export type StorageOperation = "read" | "create" | "stat" | "remove" | "list";

/** A fault that strikes once. */
export interface StorageFault {
  /** Which call it strikes. */
  readonly operation: StorageOperation;
  /** Only calls whose location contains this; all if absent. */
  readonly match?: string;
  /** What is thrown. */
  readonly error: Error;
  /** True: the operation takes effect first, then throws. @default {false} */
  readonly afterEffect?: boolean;
}

/** How to make a MemoryStorage. */
export interface MemoryStorageOptions {
  /** Folders it serves. @default {["memory://test"]} */
  readonly roots?: readonly string[];
  /** The clock that stamps files, milliseconds since the epoch. @default {() => 0} */
  readonly nowMs?: () => number;
}

/** A `Storage` in memory; `faultsPending` must be empty at a test's end, or the fault never struck. */
export class MemoryStorage implements Storage {
  readonly #files = new Map<string, { bytes: Uint8Array; modifiedMs: number }>();
  readonly #roots: readonly string[];
  readonly #nowMs: () => number;
  #faults: StorageFault[] = [];

  constructor(options: MemoryStorageOptions = {}) {
    this.#roots = options.roots ?? ["memory://test"];
    this.#nowMs = options.nowMs ?? (() => 0);
  }

  /** Sets a fault that strikes the next matching call, once. */
  failNext(fault: StorageFault): void {
    this.#faults.push(fault);
  }

  /** The faults that have not struck yet. */
  get faultsPending(): readonly StorageFault[] {
    return this.#faults;
  }

  /** The keys (`locationKey`) of all files, sorted. */
  keys(): string[] {
    return [...this.#files.keys()].sort();
  }

  read(location: string, range: ReadRange = {}): Promise<Uint8Array> {
    return this.#run("read", location, (key) => {
      const file = this.#files.get(key);
      if (file === undefined) throw new NoSuchFileError(location);
      const offset = range.offset ?? 0;
      return file.bytes.slice(
        offset,
        range.length === undefined ? undefined : offset + range.length,
      );
    });
  }

  create(location: string, bytes: Uint8Array): Promise<void> {
    return this.#run("create", location, (key) => {
      if (this.#files.has(key)) throw new FileExistsError(location);
      this.#files.set(key, { bytes: new Uint8Array(bytes), modifiedMs: this.#nowMs() });
    });
  }

  stat(location: string): Promise<FileInfo | undefined> {
    return this.#run("stat", location, (key) => {
      const file = this.#files.get(key);
      if (file === undefined) return undefined;
      return { location, size: file.bytes.length, modifiedMs: file.modifiedMs };
    });
  }

  remove(location: string): Promise<void> {
    return this.#run("remove", location, (key) => {
      this.#files.delete(key);
    });
  }

  async *list(folder: string): AsyncIterable<FileInfo> {
    const files = await this.#run("list", folder, (key) => {
      const prefix = key.endsWith("/") ? key : key + "/";
      return [...this.#files]
        .filter(([name]) => name.startsWith(prefix))
        .map(([name, file]) => ({
          location: joinLocation(folder, name.slice(prefix.length)),
          size: file.bytes.length,
          modifiedMs: file.modifiedMs,
        }));
    });
    yield* files;
  }

  /** Checks the location, strikes with a pending fault, else runs the operation. */
  // deno-lint-ignore require-await -- a port function rejects, it never throws
  async #run<T>(
    operation: StorageOperation,
    location: string,
    run: (key: string) => T,
  ): Promise<T> {
    const parsed = parseLocation(location);
    if (!this.#roots.some((root) => isWithin(parseLocation(root), parsed))) {
      throw new UnsafeLocationError(location, `it is outside of ${this.#roots.join(", ")}`);
    }
    const fault = this.#faults.find((candidate) =>
      candidate.operation === operation && location.includes(candidate.match ?? "")
    );
    if (fault !== undefined) {
      this.#faults = this.#faults.filter((candidate) => candidate !== fault);
      if (fault.afterEffect === true) run(locationKey(location));
      throw fault.error;
    }
    return run(locationKey(location));
  }
}
