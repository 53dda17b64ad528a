/**
 * DuckDB for one query in a process of its own (design section 12): nothing in reach but the planned
 * data files, configuration locked, one SELECT at a time.
 */
import {
  type DuckDBConnection,
  DuckDBInstance,
  type DuckDBPreparedStatement,
  DuckDBTypeId,
  StatementType,
} from "@duckdb/node-api";
import { MisuseError } from "../contracts/errors.ts";
import { quoteText } from "./conditions.ts";

/** A value as DuckDB prints it to JSON: decimals and 64-bit numbers are strings (pitfall L7). */
export type Cell = null | boolean | number | string | Cell[] | { [key: string]: Cell };

/** A column of an answer. */
export interface AnswerColumn {
  name: string;
  /** DuckDB's spelling, `DECIMAL(18,4)`. */
  type: string;
  /** Numbers are set to the right in tables. */
  numeric: boolean;
}

/** An answer, streamed. */
export interface Answer {
  columns: AnswerColumn[];
  /** Batches of rows, in order. */
  rows(): AsyncIterable<Cell[][]>;
}

/** A locked DuckDB. */
export interface Engine {
  connection: DuckDBConnection;
  /** Runs one SELECT. */
  select(sql: string): Promise<Answer>;
  /** The physical plan as text. */
  explain(sql: string): Promise<string>;
  close(): void;
}

/** Options of {@linkcode openEngine}. */
export interface EngineOptions {
  /** The only files that SQL may open. */
  allowedPaths: readonly string[];
  /** Statements of ours that run before the lock: views. */
  setup?: readonly string[];
}

const NUMERIC = new Set([
  DuckDBTypeId.TINYINT,
  DuckDBTypeId.SMALLINT,
  DuckDBTypeId.INTEGER,
  DuckDBTypeId.BIGINT,
  DuckDBTypeId.UTINYINT,
  DuckDBTypeId.USMALLINT,
  DuckDBTypeId.UINTEGER,
  DuckDBTypeId.UBIGINT,
  DuckDBTypeId.HUGEINT,
  DuckDBTypeId.UHUGEINT,
  DuckDBTypeId.FLOAT,
  DuckDBTypeId.DOUBLE,
  DuckDBTypeId.DECIMAL,
]);

/** `2026-03-01 10:00:00.5+00` → `2026-03-01T10:00:00.5Z`. */
function isoTimestamp(value: unknown): Cell {
  return typeof value === "string" ? value.replace(" ", "T").replace(/\+00(:00)?$/, "Z") : null;
}

/**
 * DuckDB's own parser says what a text is: exactly one statement, and a SELECT.
 *
 * @throws {MisuseError} otherwise.
 */
async function prepareSelect(
  connection: DuckDBConnection,
  sql: string,
): Promise<DuckDBPreparedStatement> {
  const statements = await connection.extractStatements(sql);
  if (statements.count !== 1) {
    throw new MisuseError(`Cannot run ${statements.count} statements: expected one SELECT`);
  }
  const prepared = await statements.prepare(0);
  if (prepared.statementType !== StatementType.SELECT) {
    const kind = StatementType[prepared.statementType] ?? "another statement";
    throw new MisuseError(`Cannot run ${kind}: only SELECT is allowed`);
  }
  return prepared;
}

async function* convert(
  batches: AsyncIterable<Cell[][]>,
  timestamps: readonly number[],
): AsyncIterable<Cell[][]> {
  for await (const rows of batches) {
    for (const row of rows) {
      for (const index of timestamps) row[index] = isoTimestamp(row[index]);
    }
    yield rows;
  }
}

/** Opens a DuckDB and locks it. */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const { allowedPaths, setup = [] } = options;
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  const settings = [
    `SET TimeZone = 'UTC'`,
    `SET autoinstall_known_extensions = false`,
    `SET autoload_known_extensions = false`,
    ...setup,
    `SET allowed_paths = [${allowedPaths.map(quoteText).join(", ")}]`,
    `SET enable_external_access = false`,
    `SET lock_configuration = true`,
  ];
  for (const setting of settings) await connection.run(setting);
  return {
    connection,
    async select(sql) {
      const result = await (await prepareSelect(connection, sql)).stream();
      const types = result.columnTypes();
      const columns = result.columnNames().map((name, index) => ({
        name,
        type: String(types[index]),
        numeric: NUMERIC.has(types[index]!.typeId),
      }));
      const timestamps = types.flatMap((type, index) =>
        type.typeId === DuckDBTypeId.TIMESTAMP_TZ ? [index] : []
      );
      return {
        columns,
        rows: () => convert(result.yieldRowsJson() as AsyncIterable<Cell[][]>, timestamps),
      };
    },
    async explain(sql) {
      await prepareSelect(connection, sql);
      const reader = await connection.runAndReadAll(`EXPLAIN ${sql}`);
      return reader.getRowsJson().map((row) => String(row[1])).join("\n");
    },
    close() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}
