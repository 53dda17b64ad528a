/** Data files for suites: rows written to Parquet by DuckDB with field ids, described as the sink does. */
import { partitionValueOf } from "../../iceberg/partition.ts";
import { defaultSpec, schemaForSpec } from "../../iceberg/metadata.ts";
import { joinLocation } from "../../iceberg/storage/location.ts";
import { dataFolder } from "../../iceberg/commit/table.ts";
import { currentSchema } from "../../iceberg/metadata.ts";
import type { DataFile, TableMetadata, Value } from "../../iceberg/types.ts";
import { fieldIdsSql } from "../../sink/columns.ts";
import type { DuckDb, DuckDbJson } from "../../sink/duckdb.ts";
import { type ColumnStats, metricsOfFile } from "../../sink/parquet_stats.ts";

/** Writes the rows of a query as one data file of the table's default spec. */
export async function writeFile(
  db: DuckDb,
  metadata: TableMetadata,
  options: {
    /** Gives the table's columns, by name and in order. */
    query: string;
    /** A row's values of the partition's source columns, by field id; every row has the same partition. */
    partitionValue?: (fieldId: number) => Value | null;
  },
): Promise<DataFile> {
  const schema = currentSchema(metadata);
  const spec = defaultSpec(metadata);
  const path = joinLocation(dataFolder(metadata), `${crypto.randomUUID()}.parquet`);
  const local = path.replace(/^file:\/*/, "/");
  await Deno.mkdir(local.slice(0, local.lastIndexOf("/")), { recursive: true });
  const [stats] = await db.rows(
    `COPY (${options.query}) TO '${local}'
      (FORMAT parquet, COMPRESSION zstd, FIELD_IDS ${fieldIdsSql(schema)}, RETURN_STATS)`,
  );
  type Entry<V> = { key: string; value: V };
  const binary = new Set(
    schema.fields.filter((field) => field.type === "binary").map((field) => `"${field.name}"`),
  );
  const columns = new Map(
    (stats!.column_statistics as unknown as Entry<Entry<string>[]>[]).map(({ key, value }) => [
      key,
      Object.fromEntries(
        value
          // Printed as hex, which the sink, having no binary column, does not read.
          .filter((entry) => !binary.has(key) || (entry.key !== "min" && entry.key !== "max"))
          .map((entry) => [entry.key, entry.value]),
      ) as ColumnStats,
    ]),
  );
  return {
    content: 0,
    file_path: path,
    file_format: "PARQUET",
    spec_id: spec["spec-id"],
    partition: partitionValueOf(
      spec,
      schemaForSpec(metadata, spec),
      options.partitionValue ?? (() => null),
    ),
    file_size_in_bytes: BigInt((await Deno.stat(local)).size),
    ...metricsOfFile({ count: BigInt(stats!.count as string), columns }, schema, []),
  };
}

/** Rows of data files, read by DuckDB: our own reader's last step. */
export async function readFiles(
  db: DuckDb,
  files: readonly { path: string }[],
  sql: string,
): Promise<Record<string, DuckDbJson>[]> {
  const list = files.map((file) => `'${file.path.replace(/^file:\/*/, "/")}'`).join(", ");
  return await db.rows(sql.replace("FILES", `read_parquet([${list}], union_by_name = true)`));
}
