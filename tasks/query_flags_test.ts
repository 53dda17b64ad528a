import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { MisuseError } from "../contracts/errors.ts";
import { checkTogether, colorWish, normalizeWords, parseRequest } from "../query/args.ts";
import { FLAGS, QUERY_FLAGS } from "../query/flags.ts";
import { QUERY_HELP } from "../query/help.ts";
import type { QueryRequest } from "../query/question.ts";
import { parseFlags } from "./cli.ts";

// 2026-03-10T12:00:00Z
const NOW = Date.UTC(2026, 2, 10, 12) * 1000;

function request(words: readonly string[], stdoutIsTerminal = false): QueryRequest {
  const flags = parseFlags(normalizeWords(words), QUERY_FLAGS);
  checkTogether(flags);
  colorWish(flags);
  return parseRequest(flags, { nowUs: NOW, stdoutIsTerminal });
}

const split = (line: string): string[] => line === "" ? [] : line.split(" ");

Deno.test("what is wrong with a command line names the argument and the nearest right one", () => {
  const table: readonly [line: string, message: string][] = [
    ["--tabel alerts", "did you mean --table?"],
    ["--table transaction", "did you mean transactions?"],
    ["--table alerts --flagged", '"--flagged" with --table alerts'],
    ["--table alerts --join-alerts", "it joins transactions"],
    ["--table pipeline_sessions --account-id A1", "it applies to transactions, alerts"],
    ["--severity high", "add --join-alerts"],
    ["--severity hihg --join-alerts", "did you mean high?"],
    ["--merchant-category dinning", "did you mean dining?"],
    ["--account-id A-1", "expected letters and digits"],
    ["--account-id A1,,A2", "an empty value"],
    ["--date-range 2026-03-01 -24h", "do not mix"],
    ["--date-range someday", "is not a day"],
    ["--format jsn", "did you mean json?"],
    ["--limit -1", "expected a whole number"],
    ["--limit 1.5", "expected a whole number"],
    ["--min-amount 12.34567", "at most 4 decimals"],
    ["--order-by amount:up", "expected column[:asc|desc]"],
    ["--snapshot x", "expected a snapshot id"],
    ["--snapshot 1 --tag x", "choose one"],
    ["--as-of-timestamp noon", "expected a time"],
    ["--sql x --limit 1", "say it in the SQL"],
    ["--file x --flagged", "say it in the SQL"],
    ["--sql x --file q.sql", "choose one"],
    ["--interactive --sql x", "say it at the prompt"],
    ["--color=sometimes", "expected one of auto, always, never"],
    ["--flagged=false", "takes no value"],
    ["--output=", "needs a value"],
    ["alerts", 'Cannot use "alerts"'],
  ];
  for (const [line, message] of table) {
    const error = assertThrows(() => request(split(line)), MisuseError);
    assertStringIncludes((error as Error).message, message, line);
  }
});

Deno.test("binary formats stay off the terminal", () => {
  assertThrows(() => request(["--format", "arrow"], true), MisuseError, "on a terminal");
  assertEquals(request(["--format", "arrow", "-o", "x"], true).format, "arrow");
  assertEquals(request(["--format", "arrow"], false).format, "arrow");
});

Deno.test("a table on a terminal ends after 50 rows, anything else does not end", () => {
  const limits = [
    request([], true),
    request([], false),
    request(["--format", "csv"], true),
    request(["-o", "x"], true),
    request(["--limit", "7"], true),
  ].map(({ question }) => question.limit);
  assertEquals(limits, [50, undefined, undefined, undefined, 7]);
});

Deno.test("filters become conditions, several values of one filter any of them", () => {
  const { question } = request([
    "--date-range",
    "2026-03-01",
    "2026-03-02",
    "--account-id",
    "A1,A2",
    "--account-id",
    "A3",
    "--min-amount",
    "10",
    "--no-flagged",
    "--join-alerts",
    "--severity",
    "high,low",
    "--order-by",
    "amount:desc,timestamp",
  ]);
  assertEquals(question.conditions, [
    { column: "timestamp", op: ">=", values: ["2026-03-01T00:00:00.000000Z"], type: "timestamptz" },
    { column: "timestamp", op: "<", values: ["2026-03-03T00:00:00.000000Z"], type: "timestamptz" },
    { column: "account_id", op: "in", values: ["A1", "A2", "A3"], type: "string" },
    { column: "amount", op: ">=", values: ["10"], type: "decimal" },
    { column: "is_flagged", op: "=", values: ["false"], type: "boolean" },
  ]);
  assertEquals(question.alertConditions, [
    { column: "severity", op: "in", values: ["high", "low"], type: "string" },
  ]);
  assertEquals(question.orderBy, [
    { column: "amount", descending: true },
    { column: "timestamp", descending: false },
  ]);
});

Deno.test("a time to look back to may be so long ago, or without an offset, which is UTC", () => {
  const ms = (text: string) => {
    const { snapshot } = request(["--as-of-timestamp", text]).question;
    return snapshot.kind === "timestamp" ? snapshot.ms : undefined;
  };
  assertEquals(ms("-1h"), Date.UTC(2026, 2, 10, 11));
  assertEquals(ms("2026-03-01T10:00:00+01:00"), Date.UTC(2026, 2, 1, 9));
  assertEquals(ms("2026-03-01 10:00"), Date.UTC(2026, 2, 1, 10));
  assertEquals(ms("2026-03-01"), Date.UTC(2026, 2, 1));
});

Deno.test("the help names every flag", () => {
  for (const { name } of FLAGS) {
    assertStringIncludes(QUERY_HELP, `--${name === "pager" ? "no-" : ""}${name}`);
  }
});
