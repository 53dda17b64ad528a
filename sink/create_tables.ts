/** The namespace and the four tables, made once where they are missing (design sections 6 to 8). */
import { NAMESPACE } from "../contracts/services.ts";
import { type TableDefinition, type TableName, TABLES } from "../contracts/tables.ts";
import { AlreadyExistsError, NoSuchTableError } from "../iceberg/catalog/errors.ts";
import type { Catalog, CreateTableRequest, TableIdent } from "../iceberg/catalog/port.ts";
import { createTable, loadTable, type Table } from "../iceberg/commit/table.ts";
import type { NestedField } from "../iceberg/types.ts";

/** Properties that new tables get. */
export const TABLE_PROPERTIES: Readonly<Record<string, string>> = {
  // Every commit writes a metadata file: without this they pile up for ever (design section 7).
  "write.metadata.delete-after-commit.enabled": "true",
  "write.metadata.previous-versions-max": "20",
  "write.parquet.compression-codec": "zstd",
};

/** Name of a table in the catalog. */
export function tableIdent(table: TableName, namespace: string = NAMESPACE): TableIdent {
  return { namespace: [namespace], name: table };
}

/** Schema, partitioning, sort order and properties of a new table. */
export function tableRequest(definition: TableDefinition): CreateTableRequest {
  const time = definition.columns.find((column) => column.name === definition.timeColumn)!;
  return {
    schema: {
      type: "struct",
      "schema-id": 0,
      fields: structuredClone(definition.columns) as unknown as NestedField[],
    },
    partitionSpec: {
      "spec-id": 0,
      fields: [{
        "source-id": time.id,
        "field-id": 1000,
        name: `${time.name}_day`,
        transform: "day",
      }],
    },
    sortOrder: {
      "order-id": 1,
      fields: [{
        transform: "identity",
        "source-id": time.id,
        direction: "asc",
        "null-order": "nulls-first",
      }],
    },
    properties: TABLE_PROPERTIES,
  };
}

/** Loads a table; makes it, and its namespace, if it is not there. Several sinks may do so at once. */
export async function openTable(
  catalog: Catalog,
  table: TableName,
  options: { namespace?: string } = {},
): Promise<Table> {
  const ident = tableIdent(table, options.namespace);
  try {
    return await loadTable(catalog, ident);
  } catch (error) {
    // Some catalogs answer "no such table" for a namespace that is missing too.
    const missing = error instanceof NoSuchTableError ||
      (error instanceof Error && error.name === "NoSuchNamespaceError");
    if (!missing) throw error;
  }
  await ensureNamespace(catalog, ident.namespace);
  try {
    return await createTable(catalog, ident, tableRequest(TABLES[table]));
  } catch (error) {
    if (error instanceof AlreadyExistsError) return await loadTable(catalog, ident);
    throw error;
  }
}

/** Namespaces that are being made or are there, by catalog: four tables open at once need one request. */
const namespaces = new WeakMap<Catalog, Map<string, Promise<void>>>();

function ensureNamespace(catalog: Catalog, namespace: readonly string[]): Promise<void> {
  let known = namespaces.get(catalog);
  if (known === undefined) namespaces.set(catalog, known = new Map());
  const key = namespace.join(".");
  const made = known.get(key) ?? makeNamespace(catalog, namespace);
  known.set(key, made);
  // A failure is not kept: the next table asks again.
  made.catch(() => known.delete(key));
  return made;
}

async function makeNamespace(catalog: Catalog, namespace: readonly string[]): Promise<void> {
  try {
    await catalog.createNamespace(namespace);
  } catch (error) {
    if (!(error instanceof AlreadyExistsError)) throw error;
  }
}
