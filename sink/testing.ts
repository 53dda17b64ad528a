/** What the sink's suites share: records, and one table's loop over given services. */
import type { Broker } from "../broker/port.ts";
import { HEADER_SCHEMA_VERSION, HEADER_TRACE } from "../contracts/headers.ts";
import { PipelineConfig } from "../contracts/pipeline_config.ts";
import { TABLES } from "../contracts/tables.ts";
import type { TableName } from "../contracts/tables.ts";
import { printDate, printTimestamp } from "../contracts/timestamps.ts";
import { NoSuchTableError } from "../iceberg/catalog/errors.ts";
import type { Catalog } from "../iceberg/catalog/port.ts";
import { readEntries, readManifests } from "../iceberg/commit/drafts.ts";
import { loadTable } from "../iceberg/commit/table.ts";
import { currentSnapshot } from "../iceberg/metadata.ts";
import type { Storage } from "../iceberg/storage/port.ts";
import { EntryStatus } from "../iceberg/types.ts";
import type { CommitEnvironment } from "../iceberg/commit/environment.ts";
import { createLogger } from "../runtime/log.ts";
import { tableIdent } from "./create_tables.ts";
import { type DuckDb, type DuckDbJson, openDuckDb } from "./duckdb.ts";
import { quoteText } from "./sql_text.ts";
import { TableHandle } from "./table_handle.ts";
import { TableLoop, type TableLoopOptions } from "./table_loop.ts";

/** 2026-11-21T00:00:00Z in µs. */
export const TEST_DAY_US = 1_795_219_200_000_000;

/** A processed transaction; `values` replace what is made up. */
export function transactionValue(
  number: number,
  values: Record<string, unknown> = {},
): Record<string, unknown> {
  const us = TEST_DAY_US + number * 1_000_000;
  return {
    transaction_id: `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`,
    timestamp: printTimestamp(us),
    account_id: `ACC${number % 100}`,
    amount: (number % 1000) + 0.25,
    currency: "EUR",
    merchant_name: `Merchant ${number % 10}`,
    merchant_category: "retail",
    transaction_type: "purchase",
    location_country: "DE",
    status: "completed",
    processing_timestamp: printTimestamp(us + 1000),
    partition_date: printDate(us),
    is_flagged: number % 7 === 0,
    rules_version: "0123456789ab",
    ...values,
  };
}

/** A record to be produced; without `trace` it names raw offset `number` of its own partition. */
export interface TestRecord {
  value: string | Record<string, unknown> | null;
  trace?: string;
}

/** Appends records to one partition; traces continue with `rawOffset`. */
export async function produce(
  broker: Broker,
  target: { topic: string; partition: number; rawOffset: number },
  records: readonly TestRecord[],
): Promise<void> {
  const encoder = new TextEncoder();
  const { topic, partition, rawOffset } = target;
  const writer = await broker.openWriter();
  await writer.send([{
    topic,
    partition,
    batch: {
      keys: records.map(() => null),
      values: records.map(({ value }) =>
        value === null
          ? null
          : encoder.encode(typeof value === "string" ? value : JSON.stringify(value))
      ),
      headers: [
        { name: HEADER_SCHEMA_VERSION, values: encoder.encode("1") },
        {
          name: HEADER_TRACE,
          values: records.map(({ trace }, index) =>
            encoder.encode(trace ?? `raw-transactions/${partition}/${rawOffset + index}`)
          ),
        },
      ],
    },
  }]);
  await writer.close();
}

/** Services of a test's sink. */
export interface TestSinkOptions {
  broker: Broker;
  catalog: Catalog;
  environment: CommitEnvironment;
  table?: TableName;
  topic?: string;
  namespace?: string;
  /** Settings of pipeline.yaml's section `sink`. */
  settings?: Partial<PipelineConfig["sink"]>;
  paused?: () => string | undefined;
  accept?: TableLoopOptions["accept"];
  retryMs?: number;
  partBytesMax?: number;
}

/** One table's loop, its DuckDB and folder. */
export interface TestSink {
  loop: TableLoop;
  handle: TableHandle;
  db: DuckDb;
  /** Log lines so far. */
  log: Record<string, unknown>[];
  /** Errors that were reported, by type. */
  errors: string[];
  /** Of each commit so far, from full batch to table, in ms by a real clock. */
  timings: number[];
  /** Resolves when the loop has ended. */
  running: Promise<void>;
  /** Ends as a crash would: nothing is committed any more. */
  kill(): Promise<void>;
  /** Ends cleanly, after the topic's present end is in the table. */
  finish(): Promise<void>;
}

/** Starts a loop over one table. */
export async function startTestSink(options: TestSinkOptions): Promise<TestSink> {
  const { broker, catalog, environment, table = "transactions", namespace } = options;
  const folder = await Deno.makeTempDir({ prefix: "sink_test_" });
  const db = await openDuckDb({ directory: folder, memoryMb: 128, threads: 1 });
  const named = namespace === undefined ? {} : { namespace };
  const handle = new TableHandle({ catalog, name: table, ...named });
  const log: Record<string, unknown>[] = [];
  const errors: string[] = [];
  const timings: number[] = [];
  const logger = createLogger({
    component: "sink",
    sessionId: "test",
    write: (line) => log.push(JSON.parse(line)),
  });
  const letters = table === "dead_letters"
    ? handle
    : new TableHandle({ catalog, name: "dead_letters", ...named });
  const loop = new TableLoop({
    broker,
    topic: options.topic ?? table,
    context: {
      handle,
      role: TABLES[table].source,
      environment,
      db,
      log: logger,
      lane: {
        handle: letters,
        environment,
        db,
        rawTopic: "raw-transactions",
        log: logger,
      },
    },
    config: { ...PipelineConfig.parse({}).sink, commit_interval_ms: 100, ...options.settings },
    folder: `${folder}/spool`,
    observer: {
      latency: () => {},
      committed: (commit) => timings.push(commit.ms),
      error: (type) => errors.push(type),
    },
    paused: options.paused ?? (() => undefined),
    ...(options.accept === undefined ? {} : { accept: options.accept }),
    retryMs: options.retryMs ?? 50,
    ...(options.partBytesMax === undefined ? {} : { partBytesMax: options.partBytesMax }),
  });
  const stopping = new AbortController();
  const running = loop.run(stopping.signal);
  async function end(): Promise<void> {
    await running;
    db.close();
    await Deno.remove(folder, { recursive: true });
  }
  return {
    loop,
    handle,
    db,
    log,
    errors,
    timings,
    running,
    kill: () => {
      stopping.abort();
      return end();
    },
    finish: () => {
      loop.finish({ drain: true });
      return end();
    },
  };
}

/** Waits until `done` says so; the deadline only ends a test that would hang. */
export async function until(what: string, done: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!await done()) {
    if (performance.now() > deadline) throw new Error(`Cannot wait for "${what}": not within 60 s`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Rows of a table's current snapshot, ordered by their source; none for a table that is not there. */
export async function readRows(
  catalog: Catalog,
  storage: Storage,
  name: TableName,
): Promise<Record<string, DuckDbJson>[]> {
  let table;
  try {
    table = await loadTable(catalog, tableIdent(name));
  } catch (error) {
    if (error instanceof NoSuchTableError) return [];
    throw error;
  }
  const { metadata } = table;
  const folder = await Deno.makeTempDir({ prefix: "sink_rows_" });
  const db = await openDuckDb({ directory: folder, memoryMb: 128, threads: 1 });
  try {
    const rows: Record<string, DuckDbJson>[] = [];
    for (const manifest of await readManifests(storage, currentSnapshot(metadata))) {
      for (const { status, data_file } of await readEntries(storage, metadata, manifest)) {
        if (status === EntryStatus.deleted) continue;
        const path = db.newPath(".parquet");
        await Deno.writeFile(path, await storage.read(data_file.file_path));
        rows.push(...await db.rows(`SELECT * FROM read_parquet(${quoteText(path)})`));
      }
    }
    const order = (row: Record<string, DuckDbJson>) =>
      Number(row.source_partition) * 1e9 + Number(row.source_offset);
    return rows.sort((a, b) => order(a) - order(b));
  } finally {
    db.close();
    await Deno.remove(folder, { recursive: true });
  }
}
