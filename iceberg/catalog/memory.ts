/**
 * A catalog in memory that obeys the rules of a real one: requirements are checked against the
 * metadata of the moment, an update is applied whole or not at all. It takes one-shot faults, before or after the
 * effect, and hooks that run between a client's request and its effect. With a storage it writes metadata
 * files as a REST server does, and removes old ones as `write.metadata.delete-after-commit.enabled` says.
 */

import { printTableMetadata } from "../metadata.ts";
import { newTableMetadata } from "../new_table.ts";
import { checkRequirement } from "../requirements.ts";
import { joinLocation } from "../storage/location.ts";
import type { Storage } from "../storage/port.ts";
import type { TableMetadata } from "../types.ts";
import { applyUpdates } from "../updates.ts";
import {
  AlreadyExistsError,
  CatalogRequestError,
  CommitConflictError,
  NamespaceNotEmptyError,
  NoSuchNamespaceError,
  NoSuchTableError,
} from "./errors.ts";
import {
  type Catalog,
  type CommitRequest,
  type CreateTableRequest,
  identName,
  type LoadedTable,
  type Namespace,
  type TableIdent,
} from "./port.ts";

/** A fault that strikes once. */
export interface CatalogFault {
  readonly operation: keyof Catalog;
  /** What is thrown; absent: nothing, only `run` runs. */
  readonly error?: Error;
  /** True: the operation takes effect first. @default {false} */
  readonly afterEffect?: boolean;
  /** Runs before the operation takes effect: the place for another writer's commit. */
  readonly run?: () => Promise<unknown> | unknown;
  /** Calls of this operation to let pass before. @default {0} */
  readonly skip?: number;
}

/** How to make a MemoryCatalog. */
export interface MemoryCatalogOptions {
  /** Tables lie below `<warehouse>/<namespace>/<table>`. @default {"memory://test"} */
  readonly warehouse?: string;
  /** Where metadata files are written; absent: none are. */
  readonly storage?: Storage;
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number;
  /** Makes table uuids and file names. @default {crypto.randomUUID} */
  readonly uuid?: () => string;
}

interface StoredTable {
  readonly ident: TableIdent;
  readonly metadata: TableMetadata;
  readonly metadataLocation: string;
  readonly version: number;
}

/** A `Catalog` in memory; `faultsPending` must be empty at a test's end, or a fault never struck. */
export class MemoryCatalog implements Catalog {
  readonly #namespaces = new Map<string, Record<string, string>>();
  readonly #tables = new Map<string, StoredTable>();
  readonly #warehouse: string;
  readonly #storage: Storage | undefined;
  readonly #nowMs: () => number;
  readonly #uuid: () => string;
  #faults: { fault: CatalogFault; skip: number }[] = [];

  /** How often each operation was called, struck by a fault or not. */
  readonly calls: Partial<Record<keyof Catalog, number>> = {};

  constructor(options: MemoryCatalogOptions) {
    this.#warehouse = options.warehouse ?? "memory://test";
    this.#storage = options.storage;
    this.#nowMs = options.nowMs;
    this.#uuid = options.uuid ?? (() => crypto.randomUUID());
  }

  /** Sets a fault for the next call of its operation (after `skip` others), once. */
  failNext(fault: CatalogFault): void {
    this.#faults.push({ fault, skip: fault.skip ?? 0 });
  }

  /** The faults that have not struck yet. */
  get faultsPending(): readonly CatalogFault[] {
    return this.#faults.map(({ fault }) => fault);
  }

  /** Takes back the faults that have not struck. */
  clearFaults(): void {
    this.#faults = [];
  }

  listNamespaces(parent: Namespace = []): Promise<Namespace[]> {
    return this.#run("listNamespaces", () => {
      if (parent.length > 0) this.#namespace(parent);
      return [...this.#namespaces.keys()]
        .map((key) => JSON.parse(key) as string[])
        .filter((levels) =>
          levels.length === parent.length + 1 && parent.every((level, at) => levels[at] === level)
        );
    });
  }

  createNamespace(
    namespace: Namespace,
    properties: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    return this.#run("createNamespace", () => {
      const key = JSON.stringify(namespace);
      if (this.#namespaces.has(key)) {
        throw new AlreadyExistsError(
          `Cannot create namespace "${namespace.join(".")}": it exists`,
        );
      }
      this.#namespaces.set(key, { ...properties });
    });
  }

  loadNamespace(namespace: Namespace): Promise<Record<string, string>> {
    return this.#run("loadNamespace", () => ({ ...this.#namespace(namespace) }));
  }

  dropNamespace(namespace: Namespace): Promise<void> {
    return this.#run("dropNamespace", () => {
      this.#namespace(namespace);
      if (this.#tablesOf(namespace).length > 0) {
        throw new NamespaceNotEmptyError(
          `Cannot drop namespace "${namespace.join(".")}": it has tables`,
        );
      }
      this.#namespaces.delete(JSON.stringify(namespace));
    });
  }

  listTables(namespace: Namespace): Promise<TableIdent[]> {
    return this.#run("listTables", () => {
      this.#namespace(namespace);
      return this.#tablesOf(namespace);
    });
  }

  createTable(ident: TableIdent, request: CreateTableRequest): Promise<LoadedTable> {
    return this.#run("createTable", async () => {
      this.#namespace(ident.namespace);
      this.#checkFree(ident, "create");
      const location = request.location ??
        joinLocation(this.#warehouse, [...ident.namespace, ident.name].join("/"));
      const metadata = newTableMetadata({
        uuid: this.#uuid(),
        location,
        schema: request.schema,
        ...(request.partitionSpec === undefined ? {} : { spec: request.partitionSpec }),
        ...(request.sortOrder === undefined ? {} : { sortOrder: request.sortOrder }),
        properties: { ...request.properties },
        nowMs: this.#nowMs(),
      });
      const metadataLocation = await this.#write(metadata, 0);
      // Others may have been quicker while the file was written.
      if (this.#tables.has(keyOf(ident))) await this.#storage?.remove(metadataLocation);
      this.#checkFree(ident, "create");
      const table = { ident, metadata, metadataLocation, version: 0 };
      this.#tables.set(keyOf(ident), table);
      return loaded(table);
    });
  }

  loadTable(ident: TableIdent): Promise<LoadedTable> {
    return this.#run("loadTable", () => loaded(this.#table(ident)));
  }

  commitTable(ident: TableIdent, request: CommitRequest): Promise<LoadedTable> {
    return this.#run("commitTable", async () => {
      // Like the REST server: who finds the table moved when the file is written looks again at what it is now.
      while (true) {
        const table = this.#table(ident);
        const swapped = await this.#swap(table, request);
        if (swapped !== undefined) return loaded(swapped);
      }
    });
  }

  dropTable(ident: TableIdent): Promise<void> {
    return this.#run("dropTable", () => {
      this.#table(ident);
      this.#tables.delete(keyOf(ident));
    });
  }

  renameTable(from: TableIdent, to: TableIdent): Promise<void> {
    return this.#run("renameTable", () => {
      const table = this.#table(from);
      this.#namespace(to.namespace);
      this.#checkFree(to, "rename to");
      this.#tables.delete(keyOf(from));
      this.#tables.set(keyOf(to), { ...table, ident: to });
    });
  }

  /** Counts the call, strikes with a pending fault or hook, else runs the operation. */
  async #run<T>(operation: keyof Catalog, run: () => T | Promise<T>): Promise<T> {
    this.calls[operation] = (this.calls[operation] ?? 0) + 1;
    const pending = this.#faults.find(({ fault }) => fault.operation === operation);
    if (pending === undefined) return await run();
    if (pending.skip > 0) {
      pending.skip--;
      return await run();
    }
    this.#faults = this.#faults.filter((other) => other !== pending);
    const { fault } = pending;
    await fault.run?.();
    if (fault.error === undefined) return await run();
    if (fault.afterEffect === true) await run();
    throw fault.error;
  }

  #apply(table: StoredTable, request: CommitRequest): TableMetadata {
    try {
      // A deep copy: a caller that changes its request later must not change the table.
      const updates = structuredClone(request.updates) as typeof request.updates;
      return applyUpdates(table.metadata, updates, {
        nowMs: this.#nowMs(),
        previousLocation: table.metadataLocation,
      });
    } catch (cause) {
      throw new CatalogRequestError(
        `Cannot commit to "${identName(table.ident)}": ${(cause as Error).message}`,
        { cause, status: 400 },
      );
    }
  }

  /** Compares and swaps; undefined if another commit came between the look and the swap. */
  async #swap(table: StoredTable, request: CommitRequest): Promise<StoredTable | undefined> {
    for (const requirement of request.requirements) {
      const reason = checkRequirement(requirement, table.metadata);
      if (reason !== undefined) {
        throw new CommitConflictError(`Cannot commit to "${identName(table.ident)}": ${reason}`, {
          status: 409,
        });
      }
    }
    const metadata = this.#apply(table, request);
    const version = table.version + 1;
    const metadataLocation = await this.#write(metadata, version);
    const key = keyOf(table.ident);
    if (this.#tables.get(key) !== table) {
      await this.#storage?.remove(metadataLocation);
      return undefined;
    }
    const next = { ident: table.ident, metadata, metadataLocation, version };
    this.#tables.set(key, next);
    await this.#cleanLog(table.metadata, metadata);
    return next;
  }

  /** Writes a metadata file; gives its location. */
  async #write(metadata: TableMetadata, version: number): Promise<string> {
    const name = `${String(version).padStart(5, "0")}-${this.#uuid()}.metadata.json`;
    const location = joinLocation(metadata.location, `metadata/${name}`);
    await this.#storage?.create(location, new TextEncoder().encode(printTableMetadata(metadata)));
    return location;
  }

  /** Removes metadata files that fell off the metadata log. */
  async #cleanLog(before: TableMetadata, after: TableMetadata): Promise<void> {
    if (after.properties["write.metadata.delete-after-commit.enabled"] !== "true") return;
    const kept = new Set(after["metadata-log"].map((entry) => entry["metadata-file"]));
    for (const entry of before["metadata-log"]) {
      if (!kept.has(entry["metadata-file"])) await this.#storage?.remove(entry["metadata-file"]);
    }
  }

  #namespace(namespace: Namespace): Record<string, string> {
    const properties = this.#namespaces.get(JSON.stringify(namespace));
    if (properties !== undefined) return properties;
    throw new NoSuchNamespaceError(
      `Cannot find namespace "${namespace.join(".")}": there is none of that name`,
      { status: 404 },
    );
  }

  #table(ident: TableIdent): StoredTable {
    const table = this.#tables.get(keyOf(ident));
    if (table !== undefined) return table;
    throw new NoSuchTableError(
      `Cannot find table "${identName(ident)}": there is none of that name`,
      { status: 404 },
    );
  }

  #tablesOf(namespace: Namespace): TableIdent[] {
    const key = JSON.stringify(namespace);
    return [...this.#tables.values()]
      .map((table) => table.ident)
      .filter((ident) => JSON.stringify(ident.namespace) === key);
  }

  #checkFree(ident: TableIdent, verb: string): void {
    if (!this.#tables.has(keyOf(ident))) return;
    throw new AlreadyExistsError(`Cannot ${verb} table "${identName(ident)}": it exists`, {
      status: 409,
    });
  }
}

function keyOf(ident: TableIdent): string {
  return JSON.stringify([ident.namespace, ident.name]);
}

function loaded(table: StoredTable): LoadedTable {
  const { ident, metadata, metadataLocation } = table;
  return { ident, metadata: structuredClone(metadata), metadataLocation, config: {} };
}
