/**
 * Design section 12: exactly one statement, only SELECT, no table functions but ours, nothing in reach but
 * the planned files. Asked twice: as a user would, and past our own reading of the text, of the locked
 * DuckDB itself.
 */
import { assertEquals } from "@std/assert";
import { MisuseError } from "../contracts/errors.ts";
import { openEngine } from "./engine.ts";
import { ask, openTestLakehouse, sampleTransactions, type TestLakehouse } from "./testing.ts";

const ROWS = sampleTransactions({
  first: 0,
  count: 100,
  start: "2026-03-01T00:00:00Z",
  stepSeconds: 60,
  accounts: 10,
});

async function withTables(
  work: (lakehouse: TestLakehouse, place: { folder: string; file: string }) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "query_lock_" });
  const lakehouse = await openTestLakehouse({ warehouse: `${folder}/warehouse` });
  try {
    await lakehouse.append("transactions", ROWS);
    // A second table's file lies in the same warehouse: not planned, so not in reach.
    await lakehouse.db.rows(`CREATE TABLE secret AS SELECT 'secret' AS word`);
    const made = `${lakehouse.db.directory}/secret.parquet`;
    await lakehouse.db.rows(`COPY secret TO '${made}' (FORMAT parquet)`);
    const file = `${folder}/warehouse/secret.parquet`;
    await Deno.copyFile(made, file);
    await Deno.writeTextFile(`${folder}/secret.txt`, "secret\n");
    await work(lakehouse, { folder, file });
  } finally {
    await lakehouse.close();
    await Deno.remove(folder, { recursive: true });
  }
}

/** The error that a statement ends with. */
async function refusal(sql: string, run: () => Promise<unknown>): Promise<Error> {
  try {
    await run();
  } catch (error) {
    return error as Error;
  }
  throw new Error(`Nothing refused "${sql}"`);
}

/** `{folder}` and `{file}` stand for a folder and a Parquet file that exist. */
const STATEMENTS = [
  "COPY (SELECT 1) TO '{folder}/out.csv'",
  "COPY transactions TO '{folder}/out.parquet' (FORMAT parquet)",
  "COPY transactions FROM '{folder}/secret.txt'",
  "EXPORT DATABASE '{folder}/out'",
  "IMPORT DATABASE '{folder}/out'",
  "ATTACH '{folder}/out.db'",
  "DETACH memory",
  "USE memory",
  "INSTALL httpfs",
  "LOAD httpfs",
  "SET lock_configuration = false",
  "SET enable_external_access = true",
  "SET allowed_directories = ['/']",
  "RESET TimeZone",
  "PRAGMA version",
  "PRAGMA enable_profiling",
  "CALL enable_logging()",
  "CHECKPOINT",
  "VACUUM",
  "EXPLAIN ANALYZE SELECT 1",
  "CREATE TABLE x AS SELECT 1",
  "CREATE TEMP VIEW x AS SELECT 1",
  "CREATE MACRO f() AS 1",
  "CREATE SECRET (TYPE http, BEARER_TOKEN 'x')",
  "INSERT INTO transactions SELECT * FROM transactions",
  "DELETE FROM transactions",
  "UPDATE transactions SET amount = 0",
  "DROP VIEW transactions",
  "BEGIN TRANSACTION",
  "PREPARE p AS SELECT 1",
  "EXECUTE p",
  "SELECT 1; SELECT 2",
  "SELECT 1; COPY (SELECT 1) TO '{folder}/out.csv'",
  "PIVOT transactions ON currency USING sum(amount)",
  "SHOW TABLES",
  "SHOW DATABASES",
  "SHOW ALL TABLES",
];

const SOURCES = [
  "read_parquet('{file}')",
  "parquet_scan('{file}')",
  "parquet_metadata('{file}')",
  "'{file}'",
  '"{file}"',
  "read_text('{folder}/secret.txt')",
  "read_blob('{folder}/secret.txt')",
  "read_csv('{folder}/secret.txt')",
  "read_json('{folder}/secret.txt')",
  "read_duckdb('{folder}/x.db')",
  "sniff_csv('{folder}/secret.txt')",
  "glob('{folder}/*')",
  "'https://example.com/x.parquet'",
  "query('SELECT 1')",
  "query_table('transactions')",
  "json_execute_serialized_sql('{}')",
  "enable_logging()",
  "seq_scan('transactions')",
  "duckdb_settings()",
  "duckdb_secrets()",
  "duckdb_views",
  "duckdb_tables()",
  "information_schema.tables",
  "main.transactions",
  "memory.finance.transactions",
  "sqlite_master",
  "pg_catalog.pg_tables",
  "pragma_version()",
  "range(3)",
  "unnest([1, 2])",
  "LATERAL (FROM read_text('{folder}/secret.txt'))",
  "(WITH transactions AS (FROM glob('/*')) FROM transactions)",
];

const EXPRESSIONS = [
  "getenv('HOME')",
  "current_setting('allowed_paths')",
  "getvariable('x')",
  "write_log('x')",
  "nextval('s')",
  "(SELECT content FROM read_text('{folder}/secret.txt'))",
  "EXISTS (FROM '{file}')",
  "1 IN (SELECT 1 FROM glob('*'))",
  "list_transform([1], x -> (SELECT count(*) FROM glob('*')) + x)",
];

Deno.test("user SQL is one SELECT over our tables, or it is refused before it runs", async () => {
  await withTables(async (lakehouse, { folder, file }) => {
    const asked = [
      ...STATEMENTS,
      ...SOURCES.map((source) => `SELECT * FROM ${source}`),
      ...SOURCES.map((source) => `SELECT count(*) FROM transactions, ${source}`),
      ...EXPRESSIONS.map((expression) => `SELECT ${expression} FROM transactions`),
    ];
    for (const template of asked) {
      const sql = template.replaceAll("{folder}", folder).replaceAll("{file}", file);
      const error = await refusal(sql, () => ask(lakehouse, { sql }));
      const syntax = error.message.startsWith("Parser Error: syntax error");
      assertEquals(error instanceof MisuseError || syntax, true, `${sql}: ${error.message}`);
    }
    assertEquals([...Deno.readDirSync(folder)].map((entry) => entry.name).sort(), [
      "secret.txt",
      "warehouse",
    ]);
  });
});

Deno.test("the locked DuckDB refuses on its own what reaches outside of the planned files", async () => {
  await withTables(async (_, { folder, file }) => {
    const planned = `${folder}/warehouse/planned.parquet`;
    await Deno.copyFile(file, planned);
    const engine = await openEngine();
    try {
      const locked = await engine.lock({ allowedPaths: [planned] });
      const answer = await locked.select(`SELECT word FROM read_parquet('${planned}')`);
      assertEquals((await Array.fromAsync(answer.rows())).flat(), [["secret"]]);
      const files = SOURCES.filter((source) => /\{(file|folder)\}|https/.test(source));
      const asked = [
        ...files.map((source) => `SELECT * FROM ${source}`),
        "SELECT getenv('HOME')",
        // Only SELECT is prepared at all; PRAGMA is one for DuckDB, so it is our reading that refuses it.
        ...STATEMENTS.filter((statement) => !/^(PRAGMA|CALL|SHOW)/.test(statement)),
      ];
      for (const template of asked) {
        const sql = template.replaceAll("{folder}", folder).replaceAll("{file}", file);
        await refusal(sql, () => locked.select(sql));
      }
    } finally {
      engine.close();
    }
    assertEquals([...Deno.readDirSync(folder)].map((entry) => entry.name).sort(), [
      "secret.txt",
      "warehouse",
    ]);
  });
});

Deno.test("what only computes is allowed", async () => {
  await withTables(async (lakehouse) => {
    const fine: readonly [sql: string, value: unknown][] = [
      ["SELECT 1 AS v", 1],
      ["VALUES (1)", 1],
      ["SELECT unnest(range(1, 2)) AS v", "1"],
      ["WITH transactions AS (SELECT 1 AS v) FROM transactions", 1],
      [
        "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT max(n) FROM r",
        3,
      ],
      ["SELECT count(*) FROM FINANCE.Transactions", "100"],
      ["TABLE transactions LIMIT 0", undefined],
      [
        "SELECT count(*) FROM transactions WHERE account_id NOT IN (SELECT account_id FROM transactions)",
        "0",
      ],
      ["SELECT 5 AS amount FROM transactions WHERE amount > 1e9 OR amount < 20000 LIMIT 1", 5],
      ["SELECT 50000 AS amount FROM transactions WHERE amount > 30000", undefined],
      ["SELECT column_name FROM (DESCRIBE transactions) LIMIT 1", "transaction_id"],
      ["SELECT count(*) FROM (SUMMARIZE transactions)", "16"],
      [
        "SELECT count(*) FROM (SELECT currency, amount FROM transactions) PIVOT (sum(amount) FOR currency IN ('EUR', 'USD'))",
        "1",
      ],
    ];
    for (const [sql, value] of fine) {
      const [row] = (await ask(lakehouse, { sql })).rows();
      assertEquals(row && Object.values(row)[0], value, sql);
    }
  });
});
