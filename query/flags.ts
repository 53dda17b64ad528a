/** The flags of `deno task query`, as data: parsing, completion and the check of the help text use it. */
import { TABLE_NAMES } from "../contracts/tables.ts";
import { MERCHANT_CATEGORIES, SEVERITIES } from "../contracts/vocabulary.ts";
import { FORMATS } from "./format/names.ts";

/** A flag. */
export interface QueryFlag {
  name: string;
  /** One word in help and completions; absent: the flag takes none. */
  value?: string;
  /** Values that it takes. */
  choices?: readonly string[];
  /** May be given more than once. */
  repeats?: boolean;
  /** Its value is a file. */
  file?: boolean;
  /** One line for completions. */
  description: string;
}

/** Every flag. */
export const FLAGS: readonly QueryFlag[] = [
  { name: "table", value: "NAME", choices: TABLE_NAMES, description: "Table to ask" },
  { name: "columns", value: "a,b", repeats: true, description: "Only these columns" },
  {
    name: "order-by",
    value: "c:desc,…",
    description: "Order of the rows; newest first by default",
  },
  { name: "limit", value: "N", description: "Rows at most" },
  { name: "join-alerts", description: "Transactions with their alerts beside them" },
  { name: "sql", value: "SELECT…", description: "Any read-only SQL over the tables" },
  { name: "file", value: "FILE", file: true, description: "Read the SQL from a file" },
  { name: "interactive", description: "A prompt for SQL" },
  { name: "date-range", value: "A..B", description: "Days (inclusive) or times (half-open), UTC" },
  { name: "account-id", value: "X,…", repeats: true, description: "Only these accounts" },
  {
    name: "merchant-category",
    value: "C,…",
    choices: MERCHANT_CATEGORIES,
    repeats: true,
    description: "Only these categories",
  },
  { name: "min-amount", value: "N", description: "Only amounts from this on" },
  { name: "flagged", description: "Only transactions on which a rule fired" },
  { name: "rule", value: "R,…", repeats: true, description: "Only alerts of these rules" },
  {
    name: "severity",
    value: "S,…",
    choices: SEVERITIES,
    repeats: true,
    description: "Only alerts of these severities",
  },
  { name: "as-of-timestamp", value: "T", description: "The tables as they were at a time" },
  { name: "snapshot", value: "ID", description: "The table as of a snapshot" },
  { name: "tag", value: "NAME", description: "The tables as of a tag or branch" },
  { name: "format", value: "F", choices: FORMATS, description: "Format of the answer" },
  { name: "output", value: "FILE", file: true, description: "Write the answer to a file" },
  { name: "mask-accounts", description: "Account ids as salted SHA-256" },
  { name: "explain", description: "SQL, files and DuckDB's plan instead of the answer" },
  { name: "stats", description: "What was planned, skipped and scanned" },
  {
    name: "color",
    value: "WHEN",
    choices: ["auto", "always", "never"],
    description: "Colours in tables",
  },
  { name: "pager", description: "Show long answers by a pager (--no-pager: never)" },
  {
    name: "completions",
    value: "SHELL",
    choices: ["bash", "zsh", "fish"],
    description: "Print completions for a shell",
  },
];

/** The flags as tasks parse them. */
export const QUERY_FLAGS = {
  boolean: FLAGS.filter((flag) => flag.value === undefined).map((flag) => flag.name),
  string: FLAGS.filter((flag) => flag.value !== undefined).map((flag) => flag.name),
  collect: FLAGS.filter((flag) => flag.repeats).map((flag) => flag.name),
  alias: { o: "output" },
};
