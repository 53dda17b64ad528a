/** A table in hand, shared by all in this process that commit to it, one at a time. */
import type { TableName } from "../contracts/tables.ts";
import type { Catalog } from "../iceberg/catalog/port.ts";
import { reloadTable, type Table } from "../iceberg/commit/table.ts";
import { openTable } from "./create_tables.ts";

/** Options of {@linkcode TableHandle}. */
export interface TableHandleOptions {
  catalog: Catalog;
  name: TableName;
  /** @default {"finance"} */
  namespace?: string;
}

/** Holds the newest metadata that this process has seen, so that most first attempts need no reload. */
export class TableHandle {
  readonly name: TableName;
  readonly #options: TableHandleOptions;
  #table: Table | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: TableHandleOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /** The table as it was last seen; loaded, or made, on first use. */
  async current(): Promise<Table> {
    const { catalog, name, namespace } = this.#options;
    return this.#table ??= await openTable(
      catalog,
      name,
      namespace === undefined ? {} : { namespace },
    );
  }

  /** The table as it is now. */
  async reload(): Promise<Table> {
    const table = await this.current();
    return this.#table = await reloadTable(table);
  }

  /** Takes note of a newer state that was seen elsewhere (table care commits beside the appends). */
  seen(table: Table): void {
    const known = this.#table?.metadata["last-sequence-number"] ?? -1n;
    if (table.metadata["last-sequence-number"] > known) this.#table = table;
  }

  /**
   * Runs commits one after the other: rivals inside one process would only refuse each other. `work` gets
   * the table and gives it back as it left it.
   */
  commit<T extends { table: Table }>(work: (table: Table) => Promise<T>): Promise<T> {
    const next = this.#last.then(async () => {
      const outcome = await work(await this.current());
      this.#table = outcome.table;
      return outcome;
    });
    this.#last = next.catch(() => {});
    return next;
  }
}
