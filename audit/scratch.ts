/**
 * The audit's DuckDB: facts of the topics and rows of the tables side by side in a file that goes away, so
 * that 100 M records need no more memory than one million.
 */
import {
  DOUBLE,
  type DuckDBAppender,
  type DuckDBConnection,
  DuckDBDataChunk,
  DuckDBInstance,
  INTEGER,
  VARCHAR,
} from "@duckdb/node-api";

/** Memory for DuckDB's own buffers, in MiB; beyond it, it spills into the scratch folder. */
export const SCRATCH_MEMORY_MB = 64;

const CHUNK_ROWS = 2048;

const TYPES = { double: DOUBLE, int: INTEGER, text: VARCHAR } as const;

/** Columns of a scratch table. Offsets are doubles: exact below 2^53, and no BigInt per value. */
export type ScratchColumns = Readonly<Record<string, keyof typeof TYPES>>;

/** A value of a scratch row. */
export type Cell = number | string | null;

/** A value as DuckDB prints it to JSON. */
export type SqlValue = null | boolean | number | string;

/** Appends rows to one scratch table, column-wise and in chunks. */
export class ScratchWriter {
  readonly #appender: DuckDBAppender;
  readonly #types: (typeof TYPES)[keyof typeof TYPES][];
  /** Filled again and again: arrays that grow anew for each chunk cost more than what is in them. */
  readonly #columns: Cell[][];
  #rows = 0;

  constructor(appender: DuckDBAppender, columns: ScratchColumns) {
    this.#appender = appender;
    this.#types = Object.values(columns).map((type) => TYPES[type]);
    this.#columns = this.#types.map(() => new Array<Cell>(CHUNK_ROWS).fill(null));
  }

  /** Adds a row; values in the order of the columns. */
  add(values: readonly Cell[]): void {
    for (let i = 0; i < values.length; i++) this.#columns[i]![this.#rows] = values[i]!;
    if (++this.#rows === CHUNK_ROWS) this.#flush();
  }

  #flush(): void {
    if (this.#rows === 0) return;
    const chunk = DuckDBDataChunk.create(this.#types, this.#rows);
    for (let i = 0; i < this.#columns.length; i++) {
      const column = this.#columns[i]!;
      chunk.setColumnValues(i, this.#rows === CHUNK_ROWS ? column : column.slice(0, this.#rows));
    }
    this.#appender.appendDataChunk(chunk);
    this.#rows = 0;
  }

  /** Makes everything visible to queries. */
  close(): void {
    this.#flush();
    this.#appender.closeSync();
  }
}

const SESSION_SETTINGS = [
  "SET TimeZone = 'UTC'",
  "SET preserve_insertion_order = false",
  "SET allocator_flush_threshold = '16MiB'",
  "SET allocator_bulk_deallocation_flush_threshold = '16MiB'",
  "SET autoinstall_known_extensions = false",
  "SET autoload_known_extensions = false",
  // The file goes away: putting it in order at the end is time for nothing.
  "PRAGMA disable_checkpoint_on_shutdown",
];

/** A DuckDB in a folder of its own. */
export class Scratch {
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;
  readonly #owner: boolean;

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection, owner: boolean) {
    this.#instance = instance;
    this.#connection = connection;
    this.#owner = owner;
  }

  /** Opens one in an existing folder. */
  static async open(folder: string, options: { memoryMb?: number } = {}): Promise<Scratch> {
    const { memoryMb = SCRATCH_MEMORY_MB } = options;
    const instance = await DuckDBInstance.create(`${folder}/audit.duckdb`, {
      memory_limit: `${memoryMb}MiB`,
      threads: "1",
      temp_directory: `${folder}/spill`,
    });
    return new Scratch(instance, await connect(instance), true);
  }

  /** Another connection to the same data, for work beside this one's; temporary tables are its own. */
  async beside(): Promise<Scratch> {
    return new Scratch(this.#instance, await connect(this.#instance), false);
  }

  /** Makes a table. */
  async create(name: string, columns: ScratchColumns): Promise<void> {
    const types = { double: "DOUBLE", int: "INTEGER", text: "VARCHAR" };
    const list = Object.entries(columns).map(([column, type]) => `${column} ${types[type]}`);
    await this.run(`CREATE TABLE ${name} (${list.join(", ")})`);
  }

  /** Begins to fill a table made by {@linkcode Scratch.create}. */
  async writer(name: string, columns: ScratchColumns): Promise<ScratchWriter> {
    return new ScratchWriter(await this.#connection.createAppender(name), columns);
  }

  /** Runs one statement. */
  async run(sql: string): Promise<void> {
    await this.#connection.run(sql);
  }

  /** Rows of one statement, all at once: for answers that are small by their LIMIT or grouping. */
  async rows<Row = Record<string, SqlValue>>(sql: string): Promise<Row[]> {
    const reader = await this.#connection.runAndReadAll(sql);
    return reader.getRowObjectsJson() as Row[];
  }

  close(): void {
    this.#connection.closeSync();
    if (this.#owner) this.#instance.closeSync();
  }
}

async function connect(instance: DuckDBInstance): Promise<DuckDBConnection> {
  const connection = await instance.connect();
  for (const setting of SESSION_SETTINGS) await connection.run(setting);
  return connection;
}
