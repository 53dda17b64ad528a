/** Tables as the catalog has them, for one question; until it has answered, as it had them last. */
import { NAMESPACE } from "../contracts/services.ts";
import type { TableName } from "../contracts/tables.ts";
import type { LoadedTable } from "../iceberg/catalog/port.ts";
import type { Lakehouse } from "./plan.ts";

/** Options of {@linkcode TableLoader}. */
export interface TableLoaderOptions {
  /**
   * Give tables as earlier questions found them, without waiting for the catalog, which is asked all the same: what
   * was computed from them is worth something only when `isConfirmed` says so.
   * @default {false}
   */
  suppose?: boolean;
}

/** Loads tables for one question, each once, so that all parts of it see the same state. */
export class TableLoader {
  readonly lakehouse: Lakehouse;
  readonly #suppose: boolean;
  /** The catalog's answers. */
  readonly #asked = new Map<TableName, Promise<LoadedTable>>();
  /** What was given without waiting for them. */
  readonly #supposed = new Map<TableName, LoadedTable>();

  constructor(lakehouse: Lakehouse, options: TableLoaderOptions = {}) {
    this.lakehouse = lakehouse;
    this.#suppose = options.suppose ?? false;
  }

  /** Asks the catalog for a table that will be needed. */
  prefetch(name: TableName): void {
    void this.#ask(name);
  }

  /** @throws {NoSuchTableError} */
  load(name: TableName): Promise<LoadedTable> {
    const known = this.#suppose ? this.lakehouse.memory?.tables.get(name) : undefined;
    // Asked before it is supposed: what the memory holds is then what the request is compared with.
    const asked = this.#ask(name);
    const supposed = this.#supposed.get(name) ?? known;
    if (supposed?.metadataLocation === undefined) return asked;
    this.#supposed.set(name, supposed);
    return Promise.resolve(supposed);
  }

  /**
   * Whether all that was given is what the catalog has now.
   *
   * @throws {CatalogError} if it cannot say
   */
  async isConfirmed(): Promise<boolean> {
    const same = await Promise.all([...this.#supposed].map(async ([name, supposed]) => {
      const { metadataLocation } = await this.#ask(name);
      return metadataLocation === supposed.metadataLocation;
    }));
    return !same.includes(false);
  }

  /** A loader of what the catalog has answered, which supposes nothing. */
  corrected(): TableLoader {
    const loader = new TableLoader(this.lakehouse);
    for (const [name, table] of this.#asked) loader.#asked.set(name, table);
    return loader;
  }

  #ask(name: TableName): Promise<LoadedTable> {
    let table = this.#asked.get(name);
    if (table === undefined) {
      table = this.#loadTable(name);
      // Told by whoever waits for it.
      table.catch(() => {});
      this.#asked.set(name, table);
    }
    return table;
  }

  async #loadTable(name: TableName): Promise<LoadedTable> {
    const { catalog, namespace = NAMESPACE, memory } = this.lakehouse;
    const known = memory?.tables.get(name);
    const table = await catalog.loadTable(
      { namespace: [namespace], name },
      known === undefined ? {} : { known },
    );
    memory?.tables.set(name, table);
    return table;
  }
}
