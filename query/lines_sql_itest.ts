/** Answers of many rows are made into text by DuckDB, those of few by us: the same rows give the same text. */
import { assertEquals } from "@std/assert";
import { LINE_FORMATS } from "./lines_sql.ts";
import { parseQuestion } from "./question.ts";
import { ask, openTestLakehouse, sampleAlerts, sampleTransactions } from "./testing.ts";

/** Names that a format has to quote or escape. */
const NAMES = [
  `plain`,
  `say "no"`,
  `a, b`,
  `two\nlines\r\n`,
  `tab\tand \\ and \\t`,
  `naïve 日本 😀`,
  `\u0001\u007f</script>`,
  ``,
  ` +00 `,
];

const ROWS = sampleTransactions({
  first: 0,
  count: 1500,
  start: "2026-03-01T00:00:00Z",
  stepSeconds: 60,
  accounts: 20,
});

Deno.test("ndjson, csv and tsv are the same text whoever makes it", async () => {
  const warehouse = await Deno.makeTempDir({ prefix: "query_lines_" });
  const lakehouse = await openTestLakehouse({ warehouse });
  try {
    const names = NAMES.map((name) => `'${name.replaceAll("'", "''")}'`).join(", ");
    await lakehouse.append(
      "transactions",
      `SELECT * REPLACE ([${names}][1 + source_offset % ${NAMES.length}] AS merchant_name,
        CASE WHEN source_offset % 7 = 0 THEN NULL ELSE amount END AS amount,
        CASE WHEN source_offset % 5 = 0 THEN NULL ELSE currency END AS currency,
        CASE WHEN source_offset % 3 = 0 THEN NULL ELSE is_flagged END AS is_flagged,
        CASE WHEN source_offset % 11 = 0 THEN NULL ELSE processing_timestamp END AS processing_timestamp)
       FROM (${ROWS})`,
    );
    await lakehouse.append("alerts", sampleAlerts(ROWS));
    const sql = "SELECT * FROM transactions ORDER BY timestamp DESC";
    for (const format of LINE_FORMATS) {
      const question = parseQuestion({}, { nowUs: 0, toTerminal: false });
      const byDuckDb = await ask(lakehouse, { question, format });
      const byUs = await ask(lakehouse, { sql, format });
      if (format === "ndjson") assertEquals(byDuckDb.rows(), byUs.rows());
      else assertEquals(byDuckDb.text, byUs.text);
    }
    const flags = { "join-alerts": true, columns: ["alert_timestamp,severity,amount,alert_id"] };
    const many = parseQuestion(flags, { nowUs: 0, toTerminal: false });
    // The array of json is always made by us. Two alerts of one transaction come in any order.
    const sorted = (rows: unknown[]) => rows.map((row) => JSON.stringify(row)).sort();
    const lines = sorted((await ask(lakehouse, { question: many })).rows());
    const array = (await ask(lakehouse, { question: many, format: "json" })).text;
    assertEquals(lines, sorted(JSON.parse(array)));
    const empty = parseQuestion({ "account-id": "ACC0" }, { nowUs: 0, toTerminal: false });
    assertEquals(
      (await ask(lakehouse, { question: empty, format: "csv" })).text.split("\n").length,
      2,
    );
    const masked = await ask(lakehouse, { question: many, maskAccounts: true, format: "csv" }, {
      maskSalt: "salt",
    });
    assertEquals(masked.text.split("\n")[0], "alert_timestamp,severity,amount,alert_id");
  } finally {
    await lakehouse.close();
    await Deno.remove(warehouse, { recursive: true });
  }
});
