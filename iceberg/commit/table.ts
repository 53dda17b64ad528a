/** A table in hand: its metadata at one moment and the catalog that can swap it. */

import type { Catalog, CreateTableRequest, LoadedTable, TableIdent } from "../catalog/port.ts";
import { joinLocation } from "../storage/location.ts";
import type { TableMetadata } from "../types.ts";

/** A table as it was when it was loaded or last committed to. Immutable: a commit gives a new one. */
export interface Table extends LoadedTable {
  readonly catalog: Catalog;
}

/** Loads a table. @throws {NoSuchTableError} */
export async function loadTable(catalog: Catalog, ident: TableIdent): Promise<Table> {
  return { ...await catalog.loadTable(ident), catalog };
}

/**
 * Creates a table. The catalog gives the fields ids of its own (in the order given, nested ones after their
 * parents' level): take them from the result.
 *
 * @throws {AlreadyExistsError} @throws {NoSuchNamespaceError}
 */
export async function createTable(
  catalog: Catalog,
  ident: TableIdent,
  request: CreateTableRequest,
): Promise<Table> {
  return { ...await catalog.createTable(ident, request), catalog };
}

/** The table as it is now. @throws {NoSuchTableError} */
export function reloadTable(table: Table): Promise<Table> {
  return loadTable(table.catalog, table.ident);
}

/** Where manifests and manifest lists go (`write.metadata.path`). */
export function metadataFolder(metadata: TableMetadata): string {
  return metadata.properties["write.metadata.path"] ?? joinLocation(metadata.location, "metadata");
}

/** Where data files go (`write.data.path`). */
export function dataFolder(metadata: TableMetadata): string {
  return metadata.properties["write.data.path"] ?? joinLocation(metadata.location, "data");
}
