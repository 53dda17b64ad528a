/** From words to a checked request. */
import { MisuseError } from "../contracts/errors.ts";
import { isDatePoint } from "./date_range.ts";
import { QUERY_FLAGS } from "./flags.ts";
import { type Flags, oneOf, parseFormat, parseQuestion, type QueryRequest } from "./question.ts";

/** Joins `--date-range A B` into one word, so that the second date is not taken for a stray word. */
function joinDateRange(args: readonly string[]): string[] {
  const at = args.indexOf("--date-range");
  const [first, second] = [args[at + 1], args[at + 2]];
  if (at === -1 || first === undefined) return [...args];
  const two = second !== undefined && !first.includes("..") && isDatePoint(second);
  return [
    ...args.slice(0, at),
    `--date-range=${two ? `${first}..${second}` : first}`,
    ...args.slice(at + (two ? 3 : 2)),
  ];
}

const COLOR_WORDS = ["auto", "always", "never"];

/** `--color` alone is always, `--no-color` is never. */
function spellColor(args: readonly string[]): string[] {
  return args.flatMap((word, at) => {
    if (word === "--no-color") return ["--color=never"];
    if (word !== "--color") return [word];
    return COLOR_WORDS.includes(args[at + 1] ?? "") ? [word] : ["--color=always"];
  });
}

/**
 * Brings a command line into the form that flags are parsed in.
 *
 * @throws {MisuseError} for a value of a flag that takes none, which would be dropped in silence
 */
export function normalizeWords(args: readonly string[]): string[] {
  const words = spellColor(joinDateRange(args));
  for (const word of words) {
    const [, name] = /^--([a-z-]+)=/.exec(word) ?? [];
    if (name !== undefined && QUERY_FLAGS.boolean.includes(name.replace(/^no-/, ""))) {
      throw new MisuseError(`Cannot use "${word}": --${name} takes no value`);
    }
  }
  return words;
}

/** What the process knows of its surroundings. */
export interface RequestOptions {
  nowUs: number;
  stdoutIsTerminal: boolean;
  /** What the file of `--file` holds. */
  sqlText?: string;
}

/** Flags that build a question, which SQL says itself. */
const BUILT = ["date-range", "account-id", "merchant-category", "min-amount", "flagged", "rule"]
  .concat(["severity", "columns", "order-by", "limit", "join-alerts", "table"]);

/** Formats that are no text. */
const BINARY = ["parquet", "arrow"];

/** @throws {MisuseError} for flags that contradict each other */
export function checkTogether(flags: Flags): void {
  const sql = flags["sql"] !== undefined ? "sql" : flags["file"] !== undefined ? "file" : undefined;
  if (sql === "sql" && flags["file"] !== undefined) {
    throw new MisuseError(`Cannot use "--file" with --sql: choose one`);
  }
  const mixed = BUILT.find((name) => flags[name] !== undefined);
  if (sql !== undefined && mixed !== undefined) {
    throw new MisuseError(`Cannot use "--${mixed}" with --${sql}: say it in the SQL`);
  }
  const asked = sql ?? mixed;
  if (flags["interactive"] === true && asked !== undefined) {
    throw new MisuseError(`Cannot use "--${asked}" with --interactive: say it at the prompt`);
  }
}

/** Whether colours are asked for; undefined leaves it to the terminal. */
export function colorWish(flags: Flags): boolean | undefined {
  if (flags["color"] === undefined) return undefined;
  const when = oneOf("color", String(flags["color"]), COLOR_WORDS);
  return when === "auto" ? undefined : when === "always";
}

/**
 * Makes the request of a command line.
 *
 * @throws {MisuseError} naming argument, value and what was expected
 */
export function parseRequest(flags: Flags, options: RequestOptions): QueryRequest {
  const { nowUs, stdoutIsTerminal } = options;
  checkTogether(flags);
  const output = flags["output"] as string | undefined;
  const format = parseFormat(flags["format"] ?? "table");
  const explain = flags["explain"] === true;
  const onTerminal = stdoutIsTerminal && output === undefined;
  if (onTerminal && !explain && BINARY.includes(format)) {
    throw new MisuseError(
      `Cannot use "--format ${format}" on a terminal: it is no text; add -o FILE or a pipe`,
    );
  }
  const sql = options.sqlText ?? flags["sql"] as string | undefined;
  return {
    ...(sql === undefined ? {} : { sql }),
    question: parseQuestion(flags, { nowUs, toTerminal: onTerminal && format === "table" }),
    format,
    ...(output === undefined ? {} : { output }),
    explain,
    stats: flags["stats"] === true,
    maskAccounts: flags["mask-accounts"] === true,
  };
}
