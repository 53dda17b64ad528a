/**
 * DuckDB in a process of its own (design section 12): nothing in reach but planned data files, configuration locked,
 * one SELECT at a time.
 */
import {
  type DuckDBConnection,
  DuckDBInstance,
  type DuckDBPreparedStatement,
  type DuckDBResult,
  DuckDBTypeId,
  LIST,
  listValue,
  StatementType,
  VARCHAR,
} from "@duckdb/node-api";
import { MisuseError } from "../contracts/errors.ts";
import { NAMESPACE } from "../contracts/services.ts";
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

/** DuckDB's own parser. */
export interface SqlParser {
  /** DuckDB's tree of a text, as JSON; of other statements than SELECT it says that it has none. */
  parse(sql: string): Promise<string>;
  /** A tree as SQL. */
  print(tree: string): Promise<string>;
}

/** A DuckDB that is not locked yet: it parses, and runs nothing of the user's. */
export interface Engine extends SqlParser {
  /** Locks. Nothing can be opened afterwards but the allowed paths. */
  lock(options: LockOptions): Promise<LockedEngine>;
  /** Stops what runs; it fails then. */
  interrupt(): void;
  close(): void;
}

/** A locked DuckDB; what is written between `begin` and `end` is not there afterwards. */
export interface LockedEngine {
  /** Begins a question; `views` are statements of ours that make what it refers to. Without any, nothing is begun. */
  begin(views: readonly string[]): Promise<void>;
  /** Ends it: of what was begun nothing is left, answers that were not read to their end neither. */
  end(): Promise<void>;
  /**
   * Runs one SELECT. `small` is for statements of ours, built from flags, with few rows: they run at once, neither
   * parsed beforehand to see what they are nor streamed, which is a seventh quicker for a day's newest 50.
   */
  select(sql: string, options?: { small?: boolean }): Promise<Answer>;
  /** Runs one SELECT of one yes or no. */
  holds(sql: string): Promise<boolean>;
  /** Runs one SELECT of one text per row; gives the texts in batches. */
  lines(sql: string): AsyncIterable<readonly string[]>;
  /** Runs one SELECT and gives DuckDB's own result. */
  stream(sql: string): Promise<DuckDBResult>;
  /** Writes the rows of one SELECT to an allowed path; gives their number. */
  copyToParquet(sql: string, path: string): Promise<number>;
  /** The physical plan as text. */
  explain(sql: string): Promise<string>;
}

/** Options of {@linkcode openEngine}. */
export interface EngineOptions {
  /** Most memory of DuckDB's buffers, in MiB; what is more is spilled. @default {2048} */
  memoryMb?: number;
  /** A folder for what does not fit into memory; made when it is needed. */
  spillFolder?: string;
}

/** Options of `lock`. */
export interface LockOptions {
  /** The only files that SQL may open. */
  allowedPaths: readonly string[];
  /** Statements of ours that run before the lock: settings. */
  settings?: readonly string[];
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
    throw new MisuseError(`Cannot run ${kind}: expected one SELECT`);
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

function answerOf(result: DuckDBResult): Answer {
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
}

async function* linesOf(
  connection: DuckDBConnection,
  sql: string,
): AsyncIterable<readonly string[]> {
  const result = await (await prepareSelect(connection, sql)).stream();
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) return;
    yield chunk.getColumnValues(0) as string[];
  }
}

function lockedEngine(connection: DuckDBConnection): LockedEngine {
  let isBegun = false;
  return {
    begin: async (views) => {
      if (views.length === 0) return;
      isBegun = true;
      await connection.run(["BEGIN TRANSACTION", ...views].join(";\n"));
    },
    end: async () => {
      if (isBegun) await connection.run("ROLLBACK");
      isBegun = false;
    },
    holds: async (sql) => {
      const reader = await (await prepareSelect(connection, sql)).runAndReadAll();
      return reader.getRowsJson()[0]?.[0] === true;
    },
    lines: (sql) => linesOf(connection, sql),
    stream: async (sql) => await (await prepareSelect(connection, sql)).stream(),
    select: async (sql, { small = false } = {}) => {
      if (small) return answerOf(await connection.run(sql));
      return answerOf(await (await prepareSelect(connection, sql)).stream());
    },
    copyToParquet: async (sql, path) => {
      await prepareSelect(connection, sql);
      const reader = await connection.runAndReadAll(
        `COPY (\n${sql}\n) TO ${quoteText(path)} (FORMAT parquet, COMPRESSION zstd)`,
      );
      return Number(reader.getRowsJson()[0]?.[0] ?? 0);
    },
    explain: async (sql) => {
      await prepareSelect(connection, sql);
      const reader = await connection.runAndReadAll(`EXPLAIN ${sql}`);
      return reader.getRowsJson().map((row) => String(row[1])).join("\n");
    },
  };
}

/** @throws {Error} DuckDB's, if the text is no SQL */
async function checkSyntax(connection: DuckDBConnection, sql: string): Promise<void> {
  try {
    await connection.extractStatements(sql);
  } catch (error) {
    const message = (error as Error).message.replace(/^Failed to extract statements: /, "");
    throw new Error(message, { cause: error });
  }
}

/** Runs one statement with one text as its parameter, and gives its one value. */
async function textOf(connection: DuckDBConnection, sql: string, text: string): Promise<string> {
  const prepared = await connection.prepare(sql);
  prepared.bindVarchar(1, text);
  return String((await prepared.runAndReadAll()).getRowsJson()[0]?.[0]);
}

/** Opens an empty DuckDB. Needs `--allow-ffi`; native code is outside of Deno's permissions, hence the lock. */
export async function openEngine(options: EngineOptions = {}): Promise<Engine> {
  const { memoryMb = 2048, spillFolder } = options;
  const instance = await DuckDBInstance.create(":memory:", {
    memory_limit: `${memoryMb}MiB`,
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
    // The files are local: the system keeps what was read of them, and keeping it twice saves nothing.
    enable_external_file_cache: "false",
    ...(spillFolder === undefined ? {} : { temp_directory: spillFolder }),
  });
  const connection = await instance.connect();
  // A question's views stand in the schema; once locked, neither the path to it nor the cache can be set.
  await connection.run(
    `SET TimeZone = 'UTC';
    SET parquet_metadata_cache = true;
    CREATE SCHEMA ${NAMESPACE};
    SET search_path = '${NAMESPACE}'`,
  );
  return {
    async parse(sql) {
      const tree = await textOf(connection, "SELECT json_serialize_sql($1::VARCHAR)", sql);
      // DuckDB tells a syntax error with its place. Nothing else may come there: extracting statements opens
      // the files of an IMPORT DATABASE, and nothing is locked yet.
      if (tree.startsWith('{"error":true,"error_type":"parser"')) {
        await checkSyntax(connection, sql);
      }
      return tree;
    },
    print: (tree) => textOf(connection, "SELECT json_deserialize_sql($1::JSON)", tree),
    lock: async ({ allowedPaths, settings = [] }) => {
      // As a value: written out, a thousand paths take twice as long.
      const paths = listValue([...allowedPaths]);
      await connection.run("SET allowed_paths = $1", [paths], [LIST(VARCHAR)]);
      const locks = ["SET enable_external_access = false", "SET lock_configuration = true"];
      await connection.run([...settings, ...locks].join(";\n"));
      return lockedEngine(connection);
    },
    interrupt: () => connection.interrupt(),
    close() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}
