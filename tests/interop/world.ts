/** A real catalog, a namespace of the suite's own, a DuckDB to write with, and the judges. */
import { restCatalog } from "../../iceberg/catalog/rest.ts";
import { commitAppend } from "../../iceberg/commit/append.ts";
import {
  type CommitEnvironment,
  newSnapshotId,
  systemEnvironment,
} from "../../iceberg/commit/environment.ts";
import { createTable, type Table } from "../../iceberg/commit/table.ts";
import { localStorage } from "../../iceberg/storage/local.ts";
import type { DataFile, PartitionSpec, Schema } from "../../iceberg/types.ts";
import { type DuckDb, openDuckDb } from "../../sink/duckdb.ts";
import { startServices } from "../support/services.ts";
import { type Judge, startJudge } from "./judge.ts";

/** Everything a test needs. */
export interface InteropWorld {
  readonly env: CommitEnvironment;
  readonly db: DuckDb;
  readonly judge: Judge;
  /** Creates a table; the name is unique within the suite. */
  table(
    name: string,
    options: { schema: Schema; spec?: PartitionSpec; properties?: Record<string, string> },
  ): Promise<Table>;
  /** `namespace.name`, for the judges. */
  name(table: Table): string;
  append(table: Table, files: readonly DataFile[], note?: string): Promise<Table>;
  close(): Promise<void>;
}

/** Starts it all. */
export async function openWorld(): Promise<InteropWorld> {
  const services = await startServices({ kafka: false });
  const catalog = restCatalog({ uri: services.catalog });
  const namespace = [`interop_${crypto.randomUUID().slice(0, 8)}`];
  await catalog.createNamespace(namespace);
  const env = systemEnvironment(localStorage({ roots: [services.warehouse] }));
  const db = await openDuckDb({ directory: services.warehouse, memoryMb: 512, threads: 2 });
  const judge = await startJudge(services.catalog);
  return {
    env,
    db,
    judge,
    table: (name, { schema, spec, properties }) =>
      createTable(catalog, { namespace, name }, {
        schema,
        ...(spec === undefined ? {} : { partitionSpec: spec }),
        ...(properties === undefined ? {} : { properties }),
      }),
    name: (table) => [...table.ident.namespace, table.ident.name].join("."),
    append: async (table, files, note) => {
      const outcome = await commitAppend(table, {
        ...env,
        files,
        snapshotId: newSnapshotId(env.random),
        summary: () => note === undefined ? {} : { "pipeline.offsets": note },
      });
      return outcome.table;
    },
    close: async () => {
      db.close();
      await judge.stop();
      for (const ident of await catalog.listTables(namespace)) await catalog.dropTable(ident);
      await catalog.dropNamespace(namespace);
      await services.stop();
    },
  };
}
