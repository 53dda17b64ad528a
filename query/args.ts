/** From words to a checked request. */
import { MisuseError } from "../contracts/errors.ts";
import { isDatePoint } from "./date_range.ts";
import { type Flags, parseFormat, parseQuestion, type QueryRequest } from "./question.ts";

/** Joins `--date-range A B` into one word, so that the second date is not taken for a stray word. */
export function joinDateRange(args: readonly string[]): string[] {
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

/** What the process knows of its surroundings. */
export interface RequestOptions {
  nowUs: number;
  stdoutIsTerminal: boolean;
}

const BUILT = ["date-range", "account-id", "merchant-category", "min-amount", "flagged", "rule"]
  .concat(["severity", "columns", "order-by", "limit", "join-alerts", "table"]);

/** Checks flags that belong together. @throws {MisuseError} */
export function parseRequest(flags: Flags, options: RequestOptions): QueryRequest {
  const { nowUs, stdoutIsTerminal } = options;
  const output = flags["output"] as string | undefined;
  const format = parseFormat(flags["format"] ?? "table");
  const toTerminal = stdoutIsTerminal && output === undefined && format === "table";
  const sql = flags["sql"] as string | undefined;
  const mixed = BUILT.find((name) => flags[name] !== undefined);
  if (sql !== undefined && mixed !== undefined) {
    throw new MisuseError(`Cannot use "--${mixed}" with --sql: say it in the SQL`);
  }
  return {
    ...(sql === undefined ? {} : { sql }),
    question: parseQuestion(flags, { nowUs, toTerminal }),
    format,
    ...(output === undefined ? {} : { output }),
    explain: flags["explain"] === true,
    stats: flags["stats"] === true,
    maskAccounts: flags["mask-accounts"] === true,
  };
}
