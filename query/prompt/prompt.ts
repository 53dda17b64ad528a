/** `--interactive`: a prompt for SQL, with history and completion. */
import process from "node:process";
import { createInterface, type Interface } from "node:readline";
import { EXIT } from "../../contracts/errors.ts";
import { NAMESPACE } from "../../contracts/services.ts";
import { TABLE_NAMES, TABLES } from "../../contracts/tables.ts";
import { currentSchema } from "../../iceberg/metadata.ts";
import { nearest } from "../../runtime/nearest.ts";
import { FORMATS } from "../format/names.ts";
import { parseFormat, type QueryRequest } from "../question.ts";
import type { QuerySession } from "../session.ts";
import { COMMANDS, complete } from "./complete.ts";
import { HISTORY_MAX, readHistory, writeHistory } from "./history.ts";
import { addLine } from "./statement.ts";

/** Rows of an answer that are shown; `.rows` changes it. */
const ROWS_SHOWN = 200;

const WELCOME = `SQL over ${TABLE_NAMES.join(", ")}; end it with ;
.help says more, .quit or Ctrl-D ends, Ctrl-C stops a query`;

const HELP = `.tables            the tables
.schema TABLE      its columns
.format FORMAT     ${FORMATS.filter((name) => name !== "parquet" && name !== "arrow").join(", ")}
.rows N            rows shown of an answer (0: all)
.quit              ends

Tab completes tables and columns, the arrow keys bring back earlier lines.
SELECT count(*) FROM transactions WHERE is_flagged;
FROM transactions AT (TIMESTAMP => '2026-03-01 10:00:00') LIMIT 5;`;

/** Options of {@linkcode runPrompt}. */
export interface PromptOptions {
  /** File of the history. */
  historyPath: string;
}

/** Asks and answers until the input ends; gives the exit code. */
export async function runPrompt(
  session: QuerySession,
  request: QueryRequest,
  options: PromptOptions,
): Promise<number> {
  const prompt = new Prompt(session, request, await readHistory(options.historyPath));
  await prompt.run();
  await writeHistory(options.historyPath, prompt.history);
  return EXIT.ok;
}

class Prompt {
  readonly #session: QuerySession;
  #request: QueryRequest;
  readonly #lines: Interface;
  readonly #columns = new Map<string, readonly string[]>();
  history: string[];
  /** Lines of a statement that has not ended. */
  #text = "";
  #running: AbortController | undefined;
  /** Lines that wait behind what runs, of a pasted text. */
  readonly #typed: string[] = [];

  constructor(session: QuerySession, request: QueryRequest, history: string[]) {
    this.#session = session;
    this.#request = { ...request, rowsShown: ROWS_SHOWN };
    this.history = history;
    for (const name of TABLE_NAMES) {
      this.#columns.set(name, TABLES[name].columns.map((column) => column.name));
    }
    this.#lines = createInterface({
      input: process.stdin,
      output: process.stdout,
      history: [...history],
      historySize: HISTORY_MAX,
      removeHistoryDuplicates: true,
      completer: (line: string) => {
        const known = { columns: this.#columns, formats: FORMATS };
        const { candidates, part } = complete(`${this.#text}\n${line}`, known);
        return [candidates, part];
      },
    });
    this.#lines.on("history", (lines: string[]) => this.history = [...lines]);
  }

  async run(): Promise<void> {
    console.error(WELCOME);
    void this.#learnColumns();
    const onInterrupt = () => this.#interrupt();
    this.#lines.on("SIGINT", onInterrupt);
    Deno.addSignalListener("SIGINT", onInterrupt);
    this.#ask();
    await this.#takeLines();
    Deno.removeSignalListener("SIGINT", onInterrupt);
    this.#lines.close();
  }

  /**
   * Takes lines until the input ends. By events, not by the reader's iterator: that gives a line a turn later,
   * and a Ctrl-C that was typed right behind Enter would find nothing to stop and the query would go on.
   */
  #takeLines(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let busy = false;
    let closed = false;
    const drain = async (): Promise<void> => {
      if (busy) return;
      busy = true;
      for (let line = this.#typed.shift(); line !== undefined; line = this.#typed.shift()) {
        if (await this.#take(line) === "quit") return resolve();
        if (!closed) this.#ask();
      }
      busy = false;
      if (closed) resolve();
    };
    this.#lines.on("line", (line) => {
      this.#typed.push(line);
      drain().catch(reject);
    });
    this.#lines.on("close", () => {
      closed = true;
      drain().catch(reject);
    });
    return promise;
  }

  #ask(): void {
    this.#lines.setPrompt(this.#text === "" ? "finance> " : "      -> ");
    this.#lines.prompt();
  }

  /** Ctrl-C stops what runs; while typing it drops the statement. */
  #interrupt(): void {
    this.#typed.length = 0;
    if (this.#running !== undefined) return this.#running.abort();
    this.#text = "";
    console.error("");
    this.#lines.write(null, { ctrl: true, name: "e" });
    this.#lines.write(null, { ctrl: true, name: "u" });
    this.#ask();
  }

  async #take(line: string): Promise<"quit" | void> {
    const entry = addLine(this.#text, line);
    this.#text = entry.kind === "more" ? entry.text : "";
    if (entry.kind === "command") return this.#command(entry.name, entry.argument);
    if (entry.kind === "sql") await this.#answer(entry.sql);
  }

  async #answer(sql: string): Promise<void> {
    this.#running = new AbortController();
    const { signal } = this.#running;
    try {
      await this.#session.run({ ...this.#request, sql }, signal);
    } catch (error) {
      // Whatever it was, the next question may be a better one.
      console.error(error instanceof Error ? error.message : error);
    } finally {
      // Also one that had just ended: Ctrl-C has dropped what waited behind it.
      if (signal.aborted) console.error("Interrupted");
      this.#running = undefined;
    }
  }

  #command(name: string, argument: string): "quit" | void {
    switch (name) {
      case "quit":
      case "exit":
        return "quit";
      case "help":
        return console.error(HELP);
      case "tables":
        return console.log([...this.#columns.keys()].join("\n"));
      case "schema":
        return this.#schema(argument);
      case "format":
        return this.#format(argument);
      case "rows":
        return this.#rows(argument);
    }
    const meant = nearest(`.${name}`, COMMANDS);
    console.error(
      `Cannot use ".${name}": no such command${
        meant === undefined ? "" : `; did you mean ${meant}?`
      }`,
    );
  }

  #schema(table: string): void {
    const columns = this.#columns.get(table);
    if (columns !== undefined) return console.log(columns.join("\n"));
    console.error(`Cannot describe "${table}": expected one of ${TABLE_NAMES.join(", ")}`);
  }

  #format(name: string): void {
    try {
      const format = parseFormat(name);
      if (format === "parquet" || format === "arrow") {
        return console.error(`Cannot show "${format}" at a prompt: it is no text`);
      }
      this.#request = { ...this.#request, format };
    } catch (error) {
      console.error((error as Error).message);
    }
  }

  #rows(text: string): void {
    if (!/^\d{1,9}$/.test(text)) {
      return console.error(`Cannot use ".rows ${text}": expected a whole number`);
    }
    const { rowsShown: _, ...rest } = this.#request;
    this.#request = Number(text) === 0 ? rest : { ...rest, rowsShown: Number(text) };
  }

  /** Columns that were added or renamed since; until they are known, the contract's are offered. */
  async #learnColumns(): Promise<void> {
    const { catalog, namespace = NAMESPACE } = this.#session.lakehouse;
    await Promise.all(TABLE_NAMES.map(async (name) => {
      try {
        const { metadata } = await catalog.loadTable({ namespace: [namespace], name });
        this.#columns.set(name, currentSchema(metadata).fields.map((field) => field.name));
      } catch {
        // Asking will say what is wrong.
      }
    }));
  }
}
