/**
 * DuckDB inside this process, locked down: one scratch folder in reach, no network, no extensions, fixed
 * settings (design sections 6, 12). Statements run one at a time; others queue.
 */
import { DuckDBInstance } from "@duckdb/node-api";
import { quoteText } from "./sql_text.ts";

/** Options of {@linkcode openDuckDb}. */
export interface DuckDbOptions {
  /** Absolute path of the only folder that statements may read and write. */
  directory: string;
  /** Memory for DuckDB's own buffers, in MiB; sorts beyond it spill into `directory`. */
  memoryMb: number;
  threads: number;
  /** Queries without ORDER BY give rows in the order of their files; costs memory. @default {false} */
  keepOrder?: boolean;
}

/** A value as DuckDB prints it to JSON: money, dates and 64-bit numbers are strings (pitfall L7). */
export type DuckDbJson =
  | null
  | boolean
  | number
  | string
  | DuckDbJson[]
  | { [key: string]: DuckDbJson };

/** A DuckDB of our own. */
export interface DuckDb {
  /** Folder in reach. */
  readonly directory: string;
  /** Memory for its buffers, in MiB. */
  readonly memoryMb: number;
  /** A path in the folder that was not given before: no two files ever share a name. */
  newPath(ending: string): string;
  /** Runs one statement and gives its rows. */
  rows(sql: string): Promise<Record<string, DuckDbJson>[]>;
  close(): void;
}

/**
 * Opens an empty in-memory database. Needs `--allow-ffi`; native code is outside of Deno's
 * permissions, hence the lock.
 */
export async function openDuckDb(options: DuckDbOptions): Promise<DuckDb> {
  const { directory, memoryMb, threads, keepOrder = false } = options;
  const instance = await DuckDBInstance.create(":memory:", {
    memory_limit: `${memoryMb}MiB`,
    threads: String(threads),
    temp_directory: `${directory}/duckdb_tmp`,
  });
  const connection = await instance.connect();
  const settings = [
    `SET TimeZone = 'UTC'`,
    `SET autoinstall_known_extensions = false`,
    `SET autoload_known_extensions = false`,
    // Where ORDER BY alone makes the order, buffers need not wait for their turn.
    `SET preserve_insertion_order = ${keepOrder}`,
    // Files are told apart by path and time alone there: one written anew within a tick would be read stale.
    `SET enable_external_file_cache = false`,
    `SET allowed_directories = [${quoteText(directory + "/")}]`,
    `SET enable_external_access = false`,
    `SET lock_configuration = true`,
  ];
  for (const setting of settings) await connection.run(setting);
  let last: Promise<unknown> = Promise.resolve();
  let paths = 0;

  function rows(sql: string): Promise<Record<string, DuckDbJson>[]> {
    const next = last.then(async () => {
      const reader = await connection.runAndReadAll(sql);
      return reader.getRowObjectsJson() as Record<string, DuckDbJson>[];
    });
    // A statement that failed is its caller's matter, not that of the next one in the queue.
    last = next.catch(() => {});
    return next;
  }

  return {
    directory,
    memoryMb,
    newPath: (ending) => `${directory}/file_${++paths}${ending}`,
    rows,
    close() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

/** True if a statement needed more than the memory limit: less at once may do. */
export function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("Out of Memory Error");
}
