/** What the table verbs share: catalog, storage, and the words that name tables. */
import { MisuseError, ServiceUnreachableError } from "../contracts/errors.ts";
import type { PipelineConfig } from "../contracts/pipeline_config.ts";
import { TABLE_NAMES, type TableName } from "../contracts/tables.ts";
import { CatalogError, CatalogUnreachableError } from "../iceberg/catalog/errors.ts";
import { restCatalog } from "../iceberg/catalog/rest.ts";
import type { Catalog } from "../iceberg/catalog/port.ts";
import { type CommitEnvironment, systemEnvironment } from "../iceberg/commit/environment.ts";
import { IcebergError } from "../iceberg/errors.ts";
import { localStorage } from "../iceberg/storage/local.ts";
import { type Environment, readEnvironment } from "../runtime/env.ts";
import { catalogOptions, warehouseFolder } from "../runtime/lakehouse.ts";
import { nearest } from "../runtime/nearest.ts";
import { readPipelineConfig } from "../runtime/pipeline_config.ts";

/** The lakehouse as a verb sees it. */
export interface Lakehouse {
  place: Environment;
  config: PipelineConfig;
  catalog: Catalog;
  environment: CommitEnvironment;
}

/** Opens it from the environment and config/pipeline.yaml; nothing is asked yet. */
export async function openLakehouse(): Promise<Lakehouse> {
  const place = readEnvironment();
  const config = await readPipelineConfig(place);
  return {
    place,
    config,
    catalog: restCatalog(catalogOptions(place, config)),
    environment: systemEnvironment(localStorage({ roots: [warehouseFolder(place, config)] })),
  };
}

/** The table that a word names, with or without `finance.`. @throws {MisuseError} */
export function readTableName(word: string): TableName {
  const name = word.replace(/^finance\./, "") as TableName;
  if (TABLE_NAMES.includes(name)) return name;
  const meant = nearest(name, TABLE_NAMES);
  throw new MisuseError(
    `Cannot use table "${word}": expected one of ${TABLE_NAMES.join(", ")}${
      meant === undefined ? "" : `; did you mean ${meant}?`
    }`,
  );
}

/** `--table T`, or all tables. */
export function chosenTables(flag: unknown): readonly TableName[] {
  return typeof flag === "string" ? [readTableName(flag)] : TABLE_NAMES;
}

/** Runs a verb's work; errors of the catalog become what people can act on. */
export async function withCatalogErrors(work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof CatalogUnreachableError) {
      throw new ServiceUnreachableError(
        "catalog",
        `${error.message}: is the pipeline up? (deno task up)`,
        { cause: error },
      );
    }
    if (error instanceof CatalogError || error instanceof IcebergError) {
      console.error(error.message);
      return 1;
    }
    throw error;
  }
}

/** Aligned columns; numbers to the right. */
export function printColumns(
  header: readonly string[],
  rows: readonly (string | number)[][],
): void {
  const cells = [header, ...rows.map((row) => row.map(String))];
  const widths = header.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  const right = header.map((_, column) => rows.every((row) => typeof row[column] === "number"));
  for (const row of cells) {
    const text = row.map((cell, column) =>
      right[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)
    );
    console.log(text.join("  ").trimEnd());
  }
}
