/** What the query's suites and bench share: tables with made-up rows, written as the sink writes them. */
import { type TableName, TABLES } from "../contracts/tables.ts";
import { MemoryCatalog } from "../iceberg/catalog/memory.ts";
import type { Catalog } from "../iceberg/catalog/port.ts";
import { commitAppend } from "../iceberg/commit/append.ts";
import { newSnapshotId, systemEnvironment } from "../iceberg/commit/environment.ts";
import { reloadTable, type Table } from "../iceberg/commit/table.ts";
import { localStorage } from "../iceberg/storage/local.ts";
import type { Storage } from "../iceberg/storage/port.ts";
import type { DataFile } from "../iceberg/types.ts";
import { openTable } from "../sink/create_tables.ts";
import { type DuckDb, openDuckDb } from "../sink/duckdb.ts";
import { dataFileLocation, dataFileOf, layoutOf } from "../sink/layout.ts";
import { copyToParquet } from "../sink/parquet.ts";
import { quoteName } from "./conditions.ts";
import { type QueryContext, runQuery } from "./main.ts";
import type { QueryOutput } from "./output/output.ts";
import type { Lakehouse } from "./plan.ts";
import { parseQuestion, type QueryRequest } from "./question.ts";

/** Tables to ask. */
export interface TestLakehouse {
  catalog: Catalog;
  storage: Storage;
  namespace: string;
  db: DuckDb;
  /** Appends the rows of a SELECT that gives the table's columns, in one snapshot, a file per day. */
  append(table: TableName, select: string, options?: { filesPerDay?: number }): Promise<Table>;
  /** Closes DuckDB and removes the scratch folder; the tables stay. */
  close(): Promise<void>;
}

/** Where the tables lie. */
export interface TestLakehouseOptions {
  /** Absent: a catalog in this process. */
  catalog?: Catalog;
  warehouse: string;
  /** @default {"finance"} */
  namespace?: string;
}

/** Opens tables; they are made by the first append. */
export async function openTestLakehouse(options: TestLakehouseOptions): Promise<TestLakehouse> {
  const { warehouse, namespace = "finance" } = options;
  const storage = localStorage({ roots: [warehouse] });
  const { catalog = new MemoryCatalog({ storage, nowMs: Date.now, warehouse }) } = options;
  const folder = await Deno.makeTempDir({ prefix: "query_test_" });
  const db = await openDuckDb({ directory: folder, memoryMb: 512, threads: 2 });
  const environment = systemEnvironment(storage);
  return {
    catalog,
    storage,
    namespace,
    db,
    async append(name, select, { filesPerDay = 1 } = {}) {
      const table = await reloadTable(await openTable(catalog, name, { namespace }));
      const snapshotId = newSnapshotId(environment.random);
      const files = await writeFiles(
        { db, storage, table, name, snapshotId },
        { select, filesPerDay },
      );
      return (await commitAppend(table, { ...environment, snapshotId, files })).table;
    },
    async close() {
      db.close();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

interface WriteContext {
  db: DuckDb;
  storage: Storage;
  table: Table;
  name: TableName;
  snapshotId: bigint;
}

async function writeFiles(
  { db, storage, table, name, snapshotId }: WriteContext,
  { select, filesPerDay }: { select: string; filesPerDay: number },
): Promise<DataFile[]> {
  const layout = layoutOf(name, table.metadata);
  const time = quoteName(TABLES[name].timeColumn);
  await db.rows(`CREATE OR REPLACE TEMP TABLE rows_to_write AS ${select}`);
  const days = await db.rows(
    `SELECT DISTINCT CAST(${time} AS DATE) AS day FROM rows_to_write ORDER BY day`,
  );
  const files: DataFile[] = [];
  for (const { day } of days) {
    for (let part = 0; part < filesPerDay; part++) {
      const output = db.newPath(".parquet");
      const query = `SELECT * FROM rows_to_write WHERE CAST(${time} AS DATE) = DATE '${day}' ` +
        `AND epoch_us(${time}) // 1000000 % ${filesPerDay} = ${part}`;
      const metrics = await copyToParquet(db, { plan: layout.plan, query, output });
      const bytes = await Deno.readFile(output);
      await Deno.remove(output);
      if (metrics.record_count === 0n) continue;
      const location = dataFileLocation(layout, {
        day: String(day),
        snapshotId,
        counter: files.length,
      });
      await storage.create(location, bytes);
      files.push(dataFileOf(layout, { day: String(day), location, size: bytes.length, metrics }));
    }
  }
  return files;
}

/** Which made-up transactions. */
export interface SampleOptions {
  /** First number; numbers make ids, so that appends do not repeat each other. */
  first: number;
  count: number;
  /** Time of number 0, ISO 8601. */
  start: string;
  /** Between two numbers. */
  stepSeconds: number;
  /** Accounts they are spread over. */
  accounts: number;
}

/** SELECT of made-up transactions: the same numbers give the same rows. */
export function sampleTransactions(options: SampleOptions): string {
  const { first, count, start, stepSeconds, accounts } = options;
  const below = (salt: number, limit: number): string =>
    `CAST(hash(i, ${salt}) % ${limit} AS BIGINT)`;
  const pick = (values: readonly string[], salt: number): string =>
    `[${values.map((value) => `'${value}'`).join(", ")}][1 + ${below(salt, values.length)}]`;
  const time = `TIMESTAMPTZ '${start}' + to_microseconds(i * ${stepSeconds * 1_000_000} + ` +
    `${below(9, 1000)})`;
  return `SELECT printf('%08x-0000-4000-8000-%012d', i % 4294967296, i) AS transaction_id,
    ${time} AS timestamp,
    'ACC' || CAST(1000000 + ${below(1, accounts)} AS VARCHAR) AS account_id,
    CAST((${below(2, 2_000_000)} - 10000)::DECIMAL(14,0) * 0.01 AS DECIMAL(18,4)) AS amount,
    ${pick(["EUR", "USD", "GBP", "JPY"], 3)} AS currency,
    'Merchant ' || CAST(${below(4, 500)} AS VARCHAR) AS merchant_name,
    ${pick(["retail", "dining", "travel", "online", "groceries"], 5)} AS merchant_category,
    ${pick(["purchase", "withdrawal", "transfer", "refund"], 6)} AS transaction_type,
    ${pick(["DE", "US", "GB", "JP"], 7)} AS location_country,
    ${pick(["completed", "pending", "failed"], 8)} AS status,
    ${time} + INTERVAL 1 SECOND AS processing_timestamp,
    CAST(${time} AS DATE) AS partition_date,
    ${below(10, 20)} = 0 AS is_flagged,
    '0123456789ab' AS rules_version,
    CAST(i % 4 AS INTEGER) AS source_partition,
    CAST(i // 4 AS BIGINT) AS source_offset
  FROM range(${first}, ${first + count}) AS numbers(i)`;
}

/** SELECT of the alerts of the flagged ones among such transactions: one or two each. */
export function sampleAlerts(transactions: string): string {
  return `SELECT printf('%s-%s', rule.name, t.transaction_id) AS alert_id, t.transaction_id,
    rule.name AS rule_name, rule.severity AS severity,
    t.processing_timestamp AS alert_timestamp,
    'Account ' || t.account_id || ' did something' AS description, t.rules_version,
    t.timestamp AS transaction_timestamp, t.account_id, t.amount, t.currency,
    t.source_partition, t.source_offset
  FROM (${transactions}) AS t, (VALUES ('high-value', 'high'), ('unusual-hour', 'low')) AS rule(name, severity)
  WHERE t.is_flagged AND (rule.name = 'high-value' OR t.source_offset % 3 = 0)`;
}

/** A request as the command line makes it. */
export function testRequest(values: Partial<QueryRequest> = {}): QueryRequest {
  return {
    question: parseQuestion({}, { nowUs: 0, toTerminal: false }),
    format: "ndjson",
    explain: false,
    stats: false,
    maskAccounts: false,
    ...values,
  };
}

/** What a query printed. */
export interface TestAnswer {
  bytes: Uint8Array;
  text: string;
  notes: string[];
  /** Of ndjson. */
  rows(): Record<string, unknown>[];
}

/** Asks in this process. */
export async function ask(
  lakehouse: Lakehouse,
  values: Partial<QueryRequest>,
  options:
    & Pick<QueryContext, "maskSalt" | "signal" | "engines" | "onPlanned">
    & Partial<QueryOutput> = {},
): Promise<TestAnswer> {
  const { maskSalt, signal, engines, onPlanned, ...look } = options;
  const parts: Uint8Array[] = [];
  const notes: string[] = [];
  const scratch = await Deno.makeTempFile({ prefix: "query_test_" });
  try {
    await runQuery(testRequest(values), {
      lakehouse,
      output: {
        print(data) {
          parts.push(typeof data === "string" ? new TextEncoder().encode(data) : data);
          return Promise.resolve();
        },
        note: (text) => void notes.push(text),
        ...look,
      },
      scratch,
      ...(maskSalt === undefined ? {} : { maskSalt }),
      ...(signal === undefined ? {} : { signal }),
      ...(engines === undefined ? {} : { engines }),
      ...(onPlanned === undefined ? {} : { onPlanned }),
    });
  } finally {
    await Deno.remove(scratch);
    await Deno.remove(`${scratch}.parquet`).catch(() => {});
  }
  const bytes = new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
  const text = new TextDecoder().decode(bytes);
  const rows = () => text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
  return { bytes, text, notes, rows };
}
