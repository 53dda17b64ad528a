/** Where the Iceberg catalog and the table files are: environment, then file, then what `up` starts. */
import type { PipelineConfig } from "../contracts/pipeline_config.ts";
import { catalogAddress, type Environment } from "./env.ts";
import { join } from "./path.ts";

/** What an Iceberg REST catalog is opened with. */
export interface CatalogAddress {
  uri: string;
  warehouse?: string;
  token?: string;
  credential?: string;
}

/** The catalog in force. */
export function catalogOptions(environment: Environment, config: PipelineConfig): CatalogAddress {
  const { token, credential, warehouse = environment.catalogWarehouse } = config.catalog;
  return {
    uri: catalogAddress(environment, config),
    ...(warehouse === undefined ? {} : { warehouse }),
    ...(token === undefined ? {} : { token }),
    ...(credential === undefined ? {} : { credential }),
  };
}

/** The folder that local table files lie in: the catalog's, or the one that `up` gives it. */
export function warehouseFolder(environment: Environment, config: PipelineConfig): string {
  const named = environment.catalogWarehouse ?? config.catalog.warehouse;
  const isPath = named !== undefined && /^(\/|file:)/.test(named);
  return isPath ? named.replace(/^file:(\/\/)?/, "") : join(environment.dataDir, "warehouse");
}
