/**
 * The audit: reads the raw log, the outputs and the tables, and says what is missing, doubled or misjudged
 * (docs/audit.md). Shares no code with the stages beyond contracts, readers and the naive judge of rules.
 */
import type { Broker } from "../broker/port.ts";
import { NAMESPACE } from "../contracts/services.ts";
import { TABLE_NAMES } from "../contracts/tables.ts";
import type { TopicNames } from "../contracts/topics.ts";
import type { Catalog } from "../iceberg/catalog/port.ts";
import type { Storage } from "../iceberg/storage/port.ts";
import { excuseLost } from "./accepted_gaps.ts";
import { collect, type Collected, runChecks } from "./collect.ts";
import { type AuditedTable, LARGE_TABLES, SMALL_TABLES } from "./facts.ts";
import { partitionFigures, tableReport, totalFigures } from "./figures.ts";
import { planFiles } from "./load_tables.ts";
import { fileFindings, historyFindings, partitionFindings } from "./other_findings.ts";
import { offsetsIn, type ReadPartition, readPartition } from "./read_partition.ts";
import { type ReadTable, readTables } from "./read_tables.ts";
import type { AuditReport, Finding } from "./report.ts";
import { rowsSql } from "./row_sql.ts";
import { Scratch } from "./scratch.ts";
import { REST_SLICE, slicesOf } from "./slices.ts";
import { TopicReader } from "./topic_reader.ts";
import { type AuditView, fixView } from "./view.ts";

/** What an audit looks at, and how. */
export interface AuditOptions {
  broker: Broker;
  catalog: Catalog;
  storage: Storage;
  topics: TopicNames;
  /** @default {"finance"} */
  namespace?: string;
  /** An existing folder for scratch files; emptied by the caller. */
  folder: string;
  /** Look only at raw records from this Kafka timestamp on, ms. */
  sinceMs?: number;
  /** Compare every value of each record and row, not only identity and verdict. */
  full?: boolean;
  /** Told what is done now, and how far it is (0 to 1). */
  onProgress?: (phase: string, share: number) => void;
}

/** Runs an audit. */
export async function audit(options: AuditOptions): Promise<AuditReport> {
  const startedMs = performance.now();
  const scratch = await Scratch.open(options.folder);
  const beside = await scratch.beside();
  const reader = await TopicReader.open(options.broker);
  try {
    const report = await new AuditRun(options, { scratch, beside, reader }).run();
    return { ...report, durationMs: performance.now() - startedMs };
  } finally {
    await reader.close();
    beside.close();
    scratch.close();
  }
}

interface Tools {
  scratch: Scratch;
  /** Checks run on it while records are read. */
  beside: Scratch;
  reader: TopicReader;
}

class AuditRun {
  readonly #options: AuditOptions;
  readonly #tools: Tools;
  readonly #namespace: string;
  readonly #full: boolean;

  constructor(options: AuditOptions, tools: Tools) {
    this.#options = options;
    this.#tools = tools;
    this.#namespace = options.namespace ?? NAMESPACE;
    this.#full = options.full ?? false;
  }

  async run(): Promise<Omit<AuditReport, "durationMs">> {
    const { scratch, reader } = this.#tools;
    const { topics } = this.#options;
    for (const [name, columns] of Object.entries(SMALL_TABLES)) await scratch.create(name, columns);
    for (const [name, columns] of Object.entries(LARGE_TABLES)) {
      await scratch.create(`all_${name}`, columns);
    }
    this.#say("fixing the view", 0);
    const view = await fixView({
      ...this.#options,
      reader,
      namespace: this.#namespace,
      tableNames: TABLE_NAMES,
      sinceMs: this.#options.sinceMs,
    });
    const tables = await readTables(
      { ...this.#options, scratch, namespace: this.#namespace },
      view,
      {
        full: this.#full,
        alertsTopic: topics.alerts,
        starts: view.partitions.map(({ start }) => start),
        renewed: view.partitions.map(({ changelog }) => changelog.renewedAtMs),
      },
      (done, of) => this.#say("reading the tables", done / of),
    );
    await scratch.run(
      "INSERT INTO unstorable_alert SELECT p, o FROM all_table_row WHERE of_alert = 1",
    );
    const read = await this.#readAndCheck(view);
    const lost = await excuseLost(scratch, view);
    const collected = await collect({
      scratch,
      reader,
      topics,
      namespace: this.#namespace,
      rowTransactionId: (table, p, o) => this.#rowTransactionId(view, table, p, o),
    });
    return await this.#report(view, { tables, read, collected, lost });
  }

  #say(phase: string, share: number): void {
    this.#options.onProgress?.(phase, share);
  }

  /** While a partition is read and judged, DuckDB compares what the one before it left. */
  async #readAndCheck(view: AuditView): Promise<ReadPartition[]> {
    const { beside } = this.#tools;
    const total = view.partitions.reduce((sum, one) => sum + offsetsIn(one), 0);
    let done = 0;
    const onProgress = (offsets: number) => {
      done += offsets;
      this.#say("reading, judging, comparing", total === 0 ? 1 : done / total);
    };
    const sources = { ...this.#tools, topics: this.#options.topics, full: this.#full };
    const read: ReadPartition[] = [];
    let checking = Promise.resolve();
    try {
      for (const one of view.partitions) {
        read.push(await readPartition(sources, view, one, onProgress));
        await checking;
        checking = runChecks(beside, slicesOf(one));
        // Awaited a partition later: until then an error of it must not count as unhandled.
        checking.catch(() => {});
      }
    } finally {
      this.#say("comparing", 1);
      await checking;
    }
    await runChecks(beside, [REST_SLICE]);
    return read;
  }

  async #report(
    view: AuditView,
    found: {
      tables: ReadTable[];
      read: ReadPartition[];
      collected: Collected;
      lost: ReadonlyMap<number, number>;
    },
  ): Promise<Omit<AuditReport, "durationMs">> {
    const { topics, sinceMs } = this.#options;
    const { scratch } = this.#tools;
    const { tables, read, collected, lost } = found;
    const findings: Finding[] = [
      ...partitionFindings(view, topics.raw),
      ...collected.findings,
      ...historyFindings(view, this.#namespace),
      ...fileFindings(tables, this.#namespace),
    ];
    const partitions = await partitionFigures(scratch, view, { read, collected, lost });
    return {
      clean: findings.every(({ excused }) => excused),
      rawTopic: topics.raw,
      since: sinceMs === undefined ? undefined : new Date(sinceMs).toISOString(),
      full: this.#full,
      cuts: view.partitions.map(({ partition, start, position, end }) => ({
        partition,
        start,
        position,
        end,
        truncated: start > 0,
      })),
      partitions,
      total: totalFigures(partitions),
      tables: await Promise.all(
        tables.map((table) => tableReport(scratch, this.#namespace, table)),
      ),
      findings,
      gaps: view.partitions.flatMap(({ partition, changelog }) =>
        changelog.gaps.map((gap) => ({ partition, ...gap }))
      ),
      tableGaps: [...view.histories].flatMap(([table, { gaps }]) =>
        gaps.map((gap) => ({ table: `${this.#namespace}.${table}`, ...gap }))
      ),
      earlier: read.flatMap(({ earlier }, partition) =>
        earlier === 0 ? [] : [{ partition, records: earlier }]
      ),
    };
  }

  async #rowTransactionId(
    view: AuditView,
    table: AuditedTable,
    partition: number,
    offset: number,
  ): Promise<string | undefined> {
    const metadata = view.tables.get(table)?.metadata;
    if (metadata === undefined || table === "dead_letters") return undefined;
    const files = await planFiles({ metadata, storage: this.#options.storage });
    try {
      const [row] = await this.#tools.scratch.rows<{ transaction_id: string | null }>(
        `SELECT transaction_id FROM (${rowsSql(table, files)})
          WHERE source_partition = ${partition} AND source_offset = ${offset} LIMIT 1`,
      );
      return row?.transaction_id ?? undefined;
    } catch {
      return undefined; // one of its files cannot be read: that is a finding of its own
    }
  }
}
