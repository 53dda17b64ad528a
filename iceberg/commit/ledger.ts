/** The metadata files one commit wrote, so that exactly those that nothing can refer to are removed. */

import type { Storage } from "../storage/port.ts";

/** Writes files and remembers them. */
export class FileLedger {
  readonly #storage: Storage;
  readonly #written = new Set<string>();

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /** Creates a file under a name that is this commit's own. */
  async create(location: string, bytes: Uint8Array): Promise<void> {
    // Remembered first: a create that fails may have left the file.
    this.#written.add(location);
    await this.#storage.create(location, bytes);
  }

  /**
   * Removes what was written except `keep`. A file that cannot be removed is left to the orphan cleaner:
   * the outcome of the commit does not depend on it.
   */
  async discardExcept(keep: ReadonlySet<string>): Promise<void> {
    const unused = [...this.#written].filter((location) => !keep.has(location));
    await Promise.allSettled(unused.map((location) => this.#storage.remove(location)));
    for (const location of unused) this.#written.delete(location);
  }
}
