/** What Tab offers at the prompt: tables after FROM and JOIN, else columns, tables and words of SQL. Pure. */
import { tokens } from "../sql/tokens.ts";

/** Column names by table. */
export type KnownColumns = ReadonlyMap<string, readonly string[]>;

/** Commands of the prompt itself. */
export const COMMANDS = [".help", ".tables", ".schema", ".format", ".rows", ".quit"] as const;

const WORDS = [
  "SELECT",
  "FROM",
  "WHERE",
  "GROUP BY",
  "ORDER BY",
  "HAVING",
  "LIMIT",
  "JOIN",
  "LEFT JOIN",
  "USING",
  "DISTINCT",
  "BETWEEN",
  "DESCRIBE",
  "SUMMARIZE",
  "count(*)",
  "sum(",
  "avg(",
  "min(",
  "max(",
  "date_trunc('hour', ",
  "TIMESTAMP '",
  "INTERVAL ",
];

const TABLE_BEFORE = ["FROM", "JOIN", "DESCRIBE", "SUMMARIZE"];

/** What can follow, and the part of the text that it would replace. */
export interface Completion {
  candidates: string[];
  /** End of the text. */
  part: string;
}

function startingWith(part: string, candidates: Iterable<string>): string[] {
  const low = part.toLowerCase();
  return [...new Set(candidates)].filter((one) => one.toLowerCase().startsWith(low));
}

/** Completes a text whose end is the cursor. `formats` follow `.format`. */
export function complete(
  text: string,
  known: { columns: KnownColumns; formats: readonly string[] },
): Completion {
  const { columns, formats } = known;
  const part = /[\w.]*$/.exec(text)![0];
  const tables = [...columns.keys()];
  const command = /^\s*(\.\w+)\s+(\S*)$/.exec(text);
  if (command !== null) {
    const values = command[1] === ".format" ? formats : command[1] === ".schema" ? tables : [];
    return { candidates: startingWith(command[2]!, values), part: command[2]! };
  }
  if (/^\s*\.\w*$/.test(text)) return { candidates: startingWith(part, COMMANDS), part };
  const before = [...tokens(text.slice(0, text.length - part.length))]
    .map((token) => token.text.toUpperCase());
  if (TABLE_BEFORE.includes(before.at(-1) ?? "")) {
    return { candidates: startingWith(part, tables), part };
  }
  const dot = part.lastIndexOf(".");
  const mentioned = tables.filter((table) => before.includes(table.toUpperCase()));
  const from = mentioned.length > 0 ? mentioned : tables;
  const names = from.flatMap((table) => columns.get(table)!);
  if (dot !== -1) {
    return { candidates: startingWith(part.slice(dot + 1), names), part: part.slice(dot + 1) };
  }
  return {
    candidates: startingWith(part, [...names, ...tables, ...(part === "" ? [] : WORDS)]),
    part,
  };
}
