/** The independent judges of judge.py, called from suites. */
import { ensurePython } from "../support/python.ts";

/** What two readers make of a table. */
export interface ReadResult {
  columns: string[];
  pyiceberg: string[][];
  duckdb: string[][];
  /** Rows without the filter. */
  total: number;
}

/** A file as PyIceberg reads it from the manifests (`lower`…), and as it truly is (`true_…`). */
export interface JudgedFile {
  path: string;
  records: number;
  size: number;
  true_size: number;
  partition: Record<string, string>;
  columns: Record<
    string,
    {
      lower: string;
      upper: string;
      nulls: number;
      values: number;
      true_nulls: number;
      true_values: number;
      true_min: string;
      true_max: string;
    }
  >;
}

/** Calls of one catalog's judge; each throws with Python's own message if it cannot read the table. */
export interface Judge {
  read(options: {
    table: string;
    snapshot?: string;
    /** PyIceberg's filter language. */
    filter?: string;
    /** The same in SQL. */
    sql?: string;
  }): Promise<ReadResult>;
  count(options: {
    table: string;
    snapshot?: string;
    ref?: string;
  }): Promise<{ pyiceberg: number; duckdb: number }>;
  /** Rows by DuckDB alone. */
  duckdb(options: { table: string }): Promise<{ rows: string[][] }>;
  files(options: { table: string }): Promise<JudgedFile[]>;
  /** Appends, deletes, overwrites and adds a column with PyIceberg. */
  change(options: { table: string }): Promise<{ snapshots: string[] }>;
  /** Deletes ids 1 and 2 and inserts 500 with DuckDB, which writes position deletes. */
  changeByDuckDb(options: { table: string }): Promise<{ snapshots: string[] }>;
  /** Ends the process. */
  stop(): Promise<void>;
}

/** Starts a judge of the tables of one catalog: one Python process for all its questions, one at a time. */
export async function startJudge(catalogUri: string): Promise<Judge> {
  const script = new URL("judge.py", import.meta.url).pathname;
  const process = new Deno.Command(await ensurePython(), {
    args: [script, catalogUri],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const questions = process.stdin.getWriter();
  const answers = process.stdout.pipeThrough(new TextDecoderStream())
    .pipeThrough(lineStream()).getReader();
  let last: Promise<unknown> = Promise.resolve();

  async function ask(command: string, options: Record<string, unknown>): Promise<unknown> {
    const line = JSON.stringify({ command, arguments: options }) + "\n";
    await questions.write(new TextEncoder().encode(line));
    const { value, done } = await answers.read();
    if (done) throw new Error(`Cannot ${command} by Python: it ended`);
    const { result, error } = JSON.parse(value) as { result?: unknown; error?: string };
    if (error !== undefined) throw new Error(`Cannot ${command} by Python: ${error}`);
    return result;
  }

  function call<T>(command: string, options: Record<string, unknown>): Promise<T> {
    const next = last.then(() => ask(command, options));
    last = next.catch(() => {});
    return next as Promise<T>;
  }

  return {
    read: (options) => call("read", options),
    count: (options) => call("count", options),
    duckdb: (options) => call("duckdb", options),
    files: (options) => call("files", options),
    change: (options) => call("change", options),
    changeByDuckDb: (options) => call("change_duckdb", options),
    stop: async () => {
      await questions.close();
      await answers.cancel();
      await process.status;
    },
  };
}

/** Cuts text into lines. */
function lineStream(): TransformStream<string, string> {
  let rest = "";
  return new TransformStream({
    transform(chunk, controller) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) controller.enqueue(line);
    },
  });
}
