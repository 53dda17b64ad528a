import { assertEquals } from "@std/assert";
import { complete } from "./complete.ts";
import { addLine } from "./statement.ts";

const KNOWN = {
  columns: new Map([
    ["transactions", ["transaction_id", "account_id", "amount"]],
    ["alerts", ["alert_id", "account_id", "severity"]],
  ]),
  formats: ["table", "tsv", "csv"],
};

Deno.test("complete() offers tables after FROM, columns of the tables that are named, and commands", () => {
  const table: readonly [text: string, candidates: string[]][] = [
    ["SELECT * FROM ", ["transactions", "alerts"]],
    ["SELECT * FROM transactions JOIN a", ["alerts"]],
    ["SELECT * FROM alerts WHERE se", ["severity", "SELECT"]],
    ["SELECT * FROM alerts WHERE a.se", ["severity"]],
    ["SELECT account", ["account_id"]],
    ["FROM transactions SELECT am", ["amount"]],
    ["wher", ["WHERE"]],
    [".fo", [".format"]],
    [".format t", ["table", "tsv"]],
    [".schema al", ["alerts"]],
    [
      "SELECT 'from ",
      ["transaction_id", "account_id", "amount", "alert_id", "severity"].concat([
        "transactions",
        "alerts",
      ]),
    ],
  ];
  for (const [text, candidates] of table) {
    assertEquals(complete(text, KNOWN).candidates, candidates, text);
  }
});

Deno.test("addLine() ends a statement at its semicolon, not at one in a text or comment", () => {
  assertEquals(addLine("", "SELECT 1;"), { kind: "sql", sql: "SELECT 1;" });
  assertEquals(addLine("", "SELECT ';' -- ;"), { kind: "more", text: "SELECT ';' -- ;" });
  assertEquals(addLine("SELECT 1", "; -- done"), { kind: "sql", sql: "SELECT 1\n; -- done" });
  assertEquals(addLine("SELECT $$", ".quit"), { kind: "more", text: "SELECT $$\n.quit" });
  assertEquals(addLine("", " .format csv "), { kind: "command", name: "format", argument: "csv" });
  assertEquals(addLine("", "  "), { kind: "nothing" });
  assertEquals(addLine("", ";"), { kind: "nothing" });
});
