import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { MisuseError } from "../../contracts/errors.ts";
import { sampleAlerts, sampleTransactions, type TestLakehouse } from "../testing.ts";
import { ask, openTestLakehouse } from "../testing.ts";
import { currentSnapshot } from "../../iceberg/metadata.ts";

// Ten days of 240 transactions each, a file per day; the accounts of the second half differ.
const START = "2026-03-01T00:00:00Z";
const DAY = { count: 1200, start: START, stepSeconds: 360 };
const EARLY = sampleTransactions({ ...DAY, first: 0, accounts: 10 });
const LATE = sampleTransactions({ ...DAY, first: 1200, accounts: 10 });

async function withTables(work: (lakehouse: TestLakehouse, first: bigint) => Promise<void>) {
  const warehouse = await Deno.makeTempDir({ prefix: "query_sql_" });
  const lakehouse = await openTestLakehouse({ warehouse });
  try {
    const { metadata } = await lakehouse.append("transactions", EARLY);
    await lakehouse.append("transactions", LATE);
    await lakehouse.append("alerts", sampleAlerts(`${EARLY} UNION ALL ${LATE}`));
    await work(lakehouse, currentSnapshot(metadata)!["snapshot-id"]);
  } finally {
    await lakehouse.close();
    await Deno.remove(warehouse, { recursive: true });
  }
}

/** Files of transactions (and of alerts) that a statement reads. */
const FILES: readonly [condition: string, files: number][] = [
  ["true", 10],
  ["timestamp >= '2026-03-09'", 2],
  [
    "timestamp > TIMESTAMP '2026-03-09 12:00:00' AND timestamp < TIMESTAMPTZ '2026-03-10 00:00:00Z'",
    1,
  ],
  ["timestamp BETWEEN '2026-03-02' AND '2026-03-03 23:59:59.999999'", 2],
  ["TIMESTAMP '2026-03-02 00:00' > timestamp", 1],
  ["timestamp::DATE = '2026-03-05'", 1],
  ["CAST(timestamp AS DATE) <= DATE '2026-03-02'", 2],
  ["partition_date IN ('2026-03-01', '2026-03-04', '2027-01-01')", 2],
  ["t.partition_date = '2026-03-04' AND lower(currency) = 'eur'", 1],
  ["partition_date < '2026-03-02' OR partition_date = DATE '2026-03-04'", 2],
  ["partition_date < '2026-03-02' OR lower(currency) = 'eur'", 10],
  ["account_id = 'ACC0'", 0],
  ["account_id IN ('A', 'B')", 0],
  ["amount > 19900", 0],
  ["amount > 1e9", 10], // a double: DuckDB would compare rounded values
  ["amount >= 19900.00001", 10], // more digits than the column has
  ["amount > '30000.5'", 0],
  ["source_offset < 60", 1],
  ["source_offset > 1000.5", 10],
  ["is_flagged IS NULL", 0],
  ["source_offset IS NOT NULL", 10],
  ["is_flagged AND timestamp < '2026-03-02'", 1],
  ["NOT is_flagged AND timestamp < '2026-03-02'", 1],
  ["timestamp < now() - INTERVAL 100 YEAR", 10],
  ["extract(hour FROM timestamp) = 1", 10],
  ["account_id COLLATE NOCASE = 'acc0'", 10],
];

Deno.test("WHERE prunes files by plain comparisons, and by nothing else", async () => {
  await withTables(async (lakehouse) => {
    for (const [condition, files] of FILES) {
      const sql = `SELECT count(*) AS n FROM transactions AS t WHERE ${condition}`;
      const { notes, rows } = await ask(lakehouse, { sql, stats: true });
      const read = Number(/, (\d+) files \(/.exec(notes[0]!)![1]);
      assertEquals(read, files, `${condition}: ${notes.join("\n")}`);
      // The same condition, hidden from the planner.
      const whole = `SELECT count(*) FILTER (${condition}) AS n FROM transactions AS t`;
      assertEquals(rows(), (await ask(lakehouse, { sql: whole })).rows(), condition);
    }
  });
});

/** Where leaving rows out would change the answer of the other side. */
const JOINS: readonly [sql: string, transactions: number, alerts: number][] = [
  [
    "FROM transactions t JOIN alerts a USING (transaction_id) WHERE t.timestamp >= '2026-03-10'",
    1,
    10,
  ],
  [
    "FROM transactions t JOIN alerts a ON t.transaction_id = a.transaction_id AND a.transaction_timestamp < '2026-03-02' WHERE t.timestamp < '2026-03-02'",
    1,
    1,
  ],
  [
    "FROM transactions t LEFT JOIN alerts a USING (transaction_id) WHERE transaction_timestamp < '2026-03-02'",
    10,
    1,
  ],
  [
    "FROM transactions t LEFT JOIN alerts a USING (transaction_id) WHERE a.alert_id IS NULL",
    10,
    10,
  ],
  [
    "FROM transactions t LEFT JOIN alerts a ON t.transaction_id = a.transaction_id AND a.transaction_timestamp < '2026-03-02'",
    10,
    10,
  ],
  ["FROM transactions t SEMI JOIN alerts a USING (transaction_id) WHERE amount > 30000", 0, 10],
  [
    "FROM alerts a ASOF JOIN transactions t ON a.account_id = t.account_id AND a.transaction_timestamp >= t.timestamp WHERE t.timestamp < '2026-03-02'",
    10,
    10,
  ],
  ["FROM transactions AS t(timestamp, transaction_id) WHERE transaction_id < '2026-03-02'", 10, 0],
  ["FROM transactions t TABLESAMPLE 100% WHERE timestamp < '2026-03-02'", 10, 0],
  [
    "FROM transactions t, alerts a WHERE t.timestamp < '2026-03-02' AND a.transaction_timestamp < '2026-03-02' AND t.transaction_id = a.transaction_id",
    1,
    1,
  ],
  [
    "FROM (SELECT * FROM transactions WHERE timestamp < '2026-03-02') WHERE timestamp > '2026-03-10'",
    1,
    0,
  ],
  [
    "FROM transactions WHERE timestamp < '2026-03-02' AND transaction_id IN (SELECT transaction_id FROM alerts WHERE transaction_timestamp < '2026-03-03')",
    1,
    2,
  ],
  [
    "FROM transactions a, transactions b WHERE a.timestamp < '2026-03-02' AND b.timestamp > '2026-03-10' AND a.account_id = b.account_id",
    2,
    0,
  ],
  [
    "WITH transactions AS (FROM alerts WHERE transaction_timestamp < '2026-03-02') SELECT 1 AS timestamp FROM transactions",
    0,
    1,
  ],
  ["WITH x AS (FROM transactions) SELECT 1 FROM x WHERE timestamp < '2026-03-02'", 10, 0],
];

Deno.test("joins, subqueries and CTEs prune only what cannot change the answer", async () => {
  await withTables(async (lakehouse) => {
    for (const [sql, transactions, alerts] of JOINS) {
      const counted = /^(WITH .*\) SELECT)/.test(sql)
        ? `SELECT count(*) AS n FROM (${sql})`
        : `SELECT count(*) AS n ${sql}`;
      const { notes, rows } = await ask(lakehouse, { sql: counted, stats: true });
      const read = (table: string): number => {
        const note = notes.find((one) => one.startsWith(`${table}:`));
        return note === undefined ? 0 : Number(/, (\d+) files \(/.exec(note)![1]);
      };
      assertEquals([read("transactions"), read("alerts")], [transactions, alerts], sql);
      // A state that is named is planned apart from the pushdown's scopes: the same rows, all files.
      const whole = counted.replaceAll(/'(2026-03-\d\d)'/g, "CAST(concat('$1') AS TIMESTAMP)");
      assertEquals(rows(), (await ask(lakehouse, { sql: whole })).rows(), sql);
    }
  });
});

Deno.test("AT reads each reference at its own state, and leaves the rest of the text alone", async () => {
  await withTables(async (lakehouse, first) => {
    const count = async (sql: string) => (await ask(lakehouse, { sql })).rows()[0];
    assertEquals(await count(`SELECT count(*) AS n FROM transactions AT (VERSION => ${first})`), {
      n: "1200",
    });
    assertEquals(
      await count(
        `SELECT count(*) AS n FROM finance.transactions /* é */ AS t AT (VERSION => '${first}') WHERE t.amount IS NOT NULL`,
      ),
      { n: "1200" },
    );
    assertEquals(
      await count(
        `SELECT count(transactions.amount) AS n FROM transactions AT (VERSION => 'main')`,
      ),
      { n: "2400" },
    );
    assertEquals(
      await count(
        `SELECT (SELECT count(*) FROM transactions AT (VERSION => ${first})) AS old, count(*) AS now, '日; --' AS text FROM transactions;  -- end`,
      ),
      { old: "1200", now: "2400", text: "日; --" },
    );
    const later =
      `SELECT count(*) AS n FROM transactions AT (TIMESTAMP => TIMESTAMP '2100-01-01 00:00:00')`;
    assertEquals(await count(later), { n: "2400" });
    await assertRejects(
      () => count(`FROM transactions AT (TIMESTAMP => TIMESTAMP '2000-01-01')`),
      Error,
      "there is no a snapshot at or before 2000-01-01",
    );
    await assertRejects(() => count("FROM transactions AT (VERSION => 'nope')"), Error, `"nope"`);
    await assertRejects(
      () => count("FROM transactions AT (TIMESTAMP => now())"),
      MisuseError,
      "expected a literal",
    );
    await assertRejects(
      () => count("FROM transactions AT (TIMESTAMP => 'noon')"),
      MisuseError,
      "expected a time",
    );
  });
});

Deno.test("a snapshot id for several tables is refused, with the way out", async () => {
  await withTables(async (lakehouse, first) => {
    const question = (await import("../testing.ts")).testRequest().question;
    const asked = { question: { ...question, snapshot: { kind: "id" as const, id: first } } };
    const one = await ask(lakehouse, { ...asked, sql: "SELECT count(*) AS n FROM transactions" });
    assertEquals(one.rows(), [{ n: "1200" }]);
    await assertRejects(
      () => ask(lakehouse, { ...asked, sql: "SELECT count(*) FROM transactions, alerts" }),
      MisuseError,
      "AT (VERSION =>",
    );
  });
});

Deno.test("--stats names the conditions that skip nothing", async () => {
  await withTables(async (lakehouse) => {
    const sql =
      "FROM transactions WHERE lower(account_id) = 'x' AND timestamp < '2026-03-02' LIMIT 1";
    const { notes } = await ask(lakehouse, { sql, stats: true });
    assertEquals(notes.filter((note) => note.startsWith("skips no file")), [
      "skips no file: (lower(account_id) = 'x')",
    ]);
    assert(
      notes.some((note) => note.includes("9 files: timestamp < 2026-03-02")),
      notes.join("\n"),
    );
  });
});

Deno.test("--mask-accounts hides account ids from user SQL, and no hash of one prunes", async () => {
  await withTables(async (lakehouse) => {
    const masked = (sql: string) =>
      ask(lakehouse, { sql, maskAccounts: true }, { maskSalt: "it's salt" });
    const { text } = await masked(
      "FROM transactions t JOIN alerts a USING (transaction_id) LIMIT 50",
    );
    assert(!text.includes("ACC1"), text.slice(0, 500));
    const [row] = (await masked("SELECT account_id FROM transactions LIMIT 1")).rows();
    const again = await masked(
      `SELECT count(*) > 0 AS found FROM transactions WHERE account_id = '${row!["account_id"]}'`,
    );
    assertEquals(again.rows(), [{ found: true }]);
    await assertRejects(
      () => ask(lakehouse, { sql: "FROM alerts", maskAccounts: true }),
      MisuseError,
      "PIPELINE_MASK_SALT",
    );
    const plan = await ask(lakehouse, {
      sql: "SELECT account_id FROM alerts",
      maskAccounts: true,
      explain: true,
    }, { maskSalt: "pepper" });
    assert(!plan.text.includes("pepper"), plan.text);
    assertStringIncludes(plan.text, "SELECT account_id FROM alerts");
  });
});
