/** What iceberg/ needs of a catalog: the place that knows a table's current metadata and swaps it. */

import type {
  PartitionSpec,
  Schema,
  SortOrder,
  TableMetadata,
  TableRequirement,
  TableUpdate,
} from "../types.ts";

/** A namespace, outermost level first; never empty. */
export type Namespace = readonly string[];

/** A table's name. */
export interface TableIdent {
  readonly namespace: Namespace;
  readonly name: string;
}

/** A table's metadata as the catalog holds it. */
export interface LoadedTable {
  readonly ident: TableIdent;
  readonly metadata: TableMetadata;
  /** Location of the metadata file, as the catalog says it. */
  readonly metadataLocation: string | undefined;
  /** Settings the catalog gives for this table (credentials, endpoints); empty for most. */
  readonly config: Readonly<Record<string, string>>;
}

/** What a new table is made of. The catalog assigns fresh field ids in the order given. */
export interface CreateTableRequest {
  readonly schema: Schema;
  /** @default {unpartitioned} */
  readonly partitionSpec?: PartitionSpec;
  /** @default {unsorted} */
  readonly sortOrder?: SortOrder;
  readonly properties?: Readonly<Record<string, string>>;
  /** @default {chosen by the catalog} */
  readonly location?: string;
}

/** A change of one table: applied whole if every requirement holds, else not at all. */
export interface CommitRequest {
  readonly requirements: readonly TableRequirement[];
  readonly updates: readonly TableUpdate[];
}

/** What a caller of `loadTable` has already. */
export interface LoadTableOptions {
  /**
   * An earlier answer. A catalog that still has the metadata file of that one may give its metadata again instead
   * of reading the same text anew; what is asked is the catalog's state of now all the same.
   */
  readonly known?: LoadedTable;
}

/** A catalog. All functions reject with the classes of errors.ts. */
export interface Catalog {
  /** Child namespaces; of the root if `parent` is absent. @throws {NoSuchNamespaceError} */
  listNamespaces(parent?: Namespace): Promise<Namespace[]>;
  /** @throws {AlreadyExistsError} */
  createNamespace(
    namespace: Namespace,
    properties?: Readonly<Record<string, string>>,
  ): Promise<void>;
  /** Properties of a namespace. @throws {NoSuchNamespaceError} */
  loadNamespace(namespace: Namespace): Promise<Record<string, string>>;
  /** @throws {NoSuchNamespaceError} @throws {NamespaceNotEmptyError} */
  dropNamespace(namespace: Namespace): Promise<void>;
  /** @throws {NoSuchNamespaceError} */
  listTables(namespace: Namespace): Promise<TableIdent[]>;
  /**
   * Iceberg's own test server takes a table in a namespace that was never created; others refuse.
   *
   * @throws {AlreadyExistsError} @throws {NoSuchNamespaceError}
   */
  createTable(ident: TableIdent, request: CreateTableRequest): Promise<LoadedTable>;
  /** @throws {NoSuchTableError} */
  loadTable(ident: TableIdent, options?: LoadTableOptions): Promise<LoadedTable>;
  /**
   * The commit point of every change.
   *
   * @throws {CommitConflictError} if a requirement does not hold: not applied
   * @throws {CommitStateUnknownError} if it may have been applied
   * @throws {CatalogUnreachableError} if it was not even sent
   */
  commitTable(ident: TableIdent, request: CommitRequest): Promise<LoadedTable>;
  /** Forgets the table; `purge` asks the catalog to delete its files too. @throws {NoSuchTableError} */
  dropTable(ident: TableIdent, options?: { readonly purge?: boolean }): Promise<void>;
  /** @throws {NoSuchTableError} @throws {AlreadyExistsError} */
  renameTable(from: TableIdent, to: TableIdent): Promise<void>;
}

/** `finance.transactions`, for messages and command lines. */
export function identName(ident: TableIdent): string {
  return [...ident.namespace, ident.name].join(".");
}

/** Takes `finance.transactions` apart. @throws {TypeError} if there is no namespace or an empty level */
export function parseIdent(text: string): TableIdent {
  const levels = text.split(".");
  if (levels.length < 2 || levels.some((level) => level === "")) {
    throw new TypeError(`Cannot parse table name "${text}": expected namespace.table`);
  }
  return { namespace: levels.slice(0, -1), name: levels.at(-1)! };
}
