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
import { collect, type Collected, noCounts } from "./collect.ts";
import { AUDITED_TABLES, type AuditedTable, LARGE_TABLES, SMALL_TABLES } from "./facts.ts";
import { loadOutput } from "./load_outputs.ts";
import { type LoadedRaw, loadRaw } from "./load_raw.ts";
import type { ForeignSnapshot, LoadedTable, RowOptions } from "./load_tables.ts";
import { loadForeignChange, loadTable, planFiles } from "./load_tables.ts";
import { fileFindings, historyFindings, partitionFindings } from "./other_findings.ts";
import type { AuditReport, Finding, PartitionFigures, TableReport } from "./report.ts";
import { rowsSql } from "./row_sql.ts";
import { Scratch } from "./scratch.ts";
import { slicesOf } from "./slices.ts";
import { examineFiles, type TableFiles, type TableView, viewTable } from "./table_files.ts";
import { TopicReader } from "./topic_reader.ts";
import { type AuditView, fixView, type PartitionView, positionsAfter, TOPIC_OF } from "./view.ts";

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
  const reader = await TopicReader.open(options.broker);
  try {
    const report = await new AuditRun(options, scratch, reader).run();
    return { ...report, durationMs: performance.now() - startedMs };
  } finally {
    await reader.close();
    scratch.close();
  }
}

const OUTPUT_ROLES = ["transactions", "deadLetter", "alerts"] as const;

/** Firsts of {@linkcode OUTPUT_ROLES} in one partition. */
type FirstTraces = Record<typeof OUTPUT_ROLES[number], number>;

class AuditRun {
  readonly #options: AuditOptions;
  readonly #scratch: Scratch;
  readonly #reader: TopicReader;
  readonly #namespace: string;
  readonly #full: boolean;

  constructor(options: AuditOptions, scratch: Scratch, reader: TopicReader) {
    this.#options = options;
    this.#scratch = scratch;
    this.#reader = reader;
    this.#namespace = options.namespace ?? NAMESPACE;
    this.#full = options.full ?? false;
  }

  async run(): Promise<Omit<AuditReport, "durationMs">> {
    const { topics } = this.#options;
    for (const [name, columns] of Object.entries(SMALL_TABLES)) {
      await this.#scratch.create(name, columns);
    }
    for (const [name, columns] of Object.entries(LARGE_TABLES)) {
      await this.#scratch.create(`all_${name}`, columns);
    }
    this.#say("fixing the view", 0);
    const view = await fixView({
      ...this.#options,
      reader: this.#reader,
      namespace: this.#namespace,
      tableNames: TABLE_NAMES,
      sinceMs: this.#options.sinceMs,
    }, () => {});
    const tables = await this.#readTables(view);
    const raw = await this.#readTopics(view);
    await this.#scratch.run(
      "INSERT INTO unstorable_alert SELECT p, o FROM all_table_row WHERE of_alert = 1",
    );
    const after = await positionsAfter(this.#reader, topics.state, view);
    await this.#noteCut(view, { after, firsts: raw.firsts });
    const collected = await collect({
      scratch: this.#scratch,
      reader: this.#reader,
      topics,
      namespace: this.#namespace,
      slices: slicesOf(view.partitions),
      rowTransactionId: (table, p, o) => this.#rowTransactionId(view, table, p, o),
    }, (done, of) => this.#say("comparing", done / of));
    return await this.#report(view, { tables, loaded: raw.loaded, collected });
  }

  #say(phase: string, share: number): void {
    this.#options.onProgress?.(phase, share);
  }

  #rowOptions(view: AuditView): RowOptions {
    return {
      full: this.#full,
      alertsTopic: this.#options.topics.alerts,
      starts: view.partitions.map(({ start }) => start),
    };
  }

  // ---- Reading ---------------------------------------------------------------------------------------

  async #readTables(view: AuditView): Promise<ReadTable[]> {
    const { storage } = this.#options;
    const read: ReadTable[] = [];
    for (const [index, name] of TABLE_NAMES.entries()) {
      this.#say("reading the tables", index / TABLE_NAMES.length);
      const table = view.tables.get(name);
      if (table === undefined) {
        read.push({ name, view: undefined, files: undefined, loaded: undefined, foreign: [] });
        continue;
      }
      const files = await this.#examine(table);
      const audited = AUDITED_TABLES.find((one) => one === name);
      if (audited === undefined) {
        read.push({ name, view: table, files, loaded: undefined, foreign: [] });
        continue;
      }
      const load = { table: audited, metadata: table.metadata, storage, files };
      const options = this.#rowOptions(view);
      const loaded = await loadTable(this.#scratch, load, options);
      const foreign: ForeignSnapshot[] = [];
      const history = view.histories.get(audited)!;
      for (const snapshot of history.foreign) {
        foreign.push(await loadForeignChange(this.#scratch, load, snapshot, options));
      }
      for (const { snapshotId, partition, from, next } of history.ranges) {
        await this.#scratch.run(
          `INSERT INTO consumed VALUES (${AUDITED_TABLES.indexOf(audited)}, '${snapshotId}',
            ${partition}, ${from}, ${next})`,
        );
      }
      read.push({ name, view: table, files, loaded, foreign });
    }
    return read;
  }

  /** A file that is gone may have expired since the table was looked at; then the table no longer wants it. */
  async #examine(table: TableView): Promise<TableFiles> {
    const { catalog, storage } = this.#options;
    const files = await examineFiles(table, storage);
    if (files.missing.length === 0) return files;
    const now = await viewTable(catalog, this.#namespace, table.name);
    if (now === undefined || now.metadataLocation === table.metadataLocation) return files;
    const still = new Set((await examineFiles(now, storage)).missing);
    return { ...files, missing: files.missing.filter((location) => still.has(location)) };
  }

  async #readTopics(view: AuditView): Promise<{ loaded: LoadedRaw[]; firsts: FirstTraces[] }> {
    const { topics } = this.#options;
    const total = view.partitions.reduce((sum, one) => sum + offsetsIn(one), 0);
    let done = 0;
    const onProgress = (offsets: number) => {
      done += offsets;
      this.#say("reading and judging", total === 0 ? 1 : done / total);
    };
    const loaded: LoadedRaw[] = [];
    const firsts: FirstTraces[] = [];
    for (const one of view.partitions) {
      const { partition, start, end, position, changelog } = one;
      const first: FirstTraces = { transactions: 0, deadLetter: 0, alerts: 0 };
      for (const role of OUTPUT_ROLES) {
        const { start: from, end: to } = one.outputs[role];
        const range = { topic: topics[role], partition, from, to };
        const context = { rawTopic: topics.raw, partition, full: this.#full };
        const load = { role, range, context, since: start };
        const output = await loadOutput(this.#scratch, this.#reader, load, onProgress);
        first[role] = output.firstTrace;
      }
      firsts.push(first);
      const range = { topic: topics.raw, partition, from: start, to: end };
      loaded.push(
        await loadRaw(this.#scratch, this.#reader, {
          range,
          position,
          changelog,
          truncated: start > 0,
          full: this.#full,
        }, onProgress),
      );
    }
    return { loaded, firsts };
  }

  async #noteCut(
    view: AuditView,
    { after, firsts }: { after: readonly number[]; firsts: readonly FirstTraces[] },
  ): Promise<void> {
    for (const [index, { partition, start, position, changelog }] of view.partitions.entries()) {
      const { transactions, deadLetter, alerts } = firsts[index]!;
      const next = AUDITED_TABLES.map((table) =>
        [table, view.histories.get(table)?.next.get(partition) ?? 0] as const
      );
      const nextOf = Object.fromEntries(next) as Record<AuditedTable, number>;
      const values = [
        partition,
        start,
        position,
        after[index],
        transactions,
        deadLetter,
        alerts,
        nextOf.transactions,
        nextOf.dead_letters,
        nextOf.alerts,
      ];
      await this.#scratch.run(`INSERT INTO cut VALUES (${values.join(", ")})`);
      for (const { from, to } of changelog.gaps) {
        await this.#scratch.run(`INSERT INTO gap VALUES (${partition}, ${from}, ${to})`);
      }
    }
  }

  // ---- Reporting -------------------------------------------------------------------------------------

  async #report(
    view: AuditView,
    found: { tables: ReadTable[]; loaded: LoadedRaw[]; collected: Collected },
  ): Promise<Omit<AuditReport, "durationMs">> {
    const { topics, sinceMs } = this.#options;
    const { tables, loaded, collected } = found;
    const findings: Finding[] = [
      ...partitionFindings(view, topics.raw),
      ...collected.findings,
      ...historyFindings(view, this.#namespace),
      ...fileFindings(tables, this.#namespace),
    ];
    const figures = await this.#figures(view, loaded, collected);
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
      partitions: figures,
      total: figures.reduce(sumFigures, emptyFigures()),
      tables: await Promise.all(tables.map((table) => this.#tableReport(table))),
      findings,
      gaps: view.partitions.flatMap(({ partition, changelog }) =>
        changelog.gaps.map((gap) => ({ partition, ...gap }))
      ),
    };
  }

  async #figures(
    view: AuditView,
    loaded: readonly LoadedRaw[],
    { counts }: Collected,
  ): Promise<PartitionFigures[]> {
    const rows = await this.#scratch.rows<{ tbl: number; p: number; n: string }>(
      `SELECT tbl, p, count(*) AS n FROM all_table_row
        WHERE p IS NOT NULL AND o IS NOT NULL AND of_alert = 0 GROUP BY ALL`,
    );
    const waiting = await this.#scratch.rows<{ p: number; n: string }>(
      `SELECT p, count(*) AS n FROM all_output u JOIN cut c USING (p)
        WHERE u.o >= c.start AND u.o < c.position
        AND u.pos >= CASE u.topic WHEN 0 THEN c.transactions_next ELSE c.dead_letters_next END
        GROUP BY ALL`,
    );
    return view.partitions.map(({ partition, changelog }, index) => {
      const rowsOf = (tbl: number) =>
        Number(rows.find((row) => row.tbl === tbl && row.p === partition)?.n ?? 0);
      return {
        ...(counts.get(partition) ?? noCounts()),
        raw: loaded[index]!.judged + loaded[index]!.waiting,
        stored: rowsOf(0),
        deadLettered: rowsOf(1),
        alerts: rowsOf(2),
        unjudged: loaded[index]!.waiting,
        unstored: Number(waiting.find(({ p }) => p === partition)?.n ?? 0),
        lost: changelog.gaps.reduce((sum, { from, to }) => sum + to - from, 0),
      };
    });
  }

  async #tableReport(table: ReadTable): Promise<TableReport> {
    const { name, files, foreign } = table;
    const audited = AUDITED_TABLES.find((one) => one === name);
    const tbl = audited === undefined ? -1 : AUDITED_TABLES.indexOf(audited);
    const [counted] = await this.#scratch.rows<{ ours: string; others: string }>(
      `SELECT count(p) AS ours, count(*) - count(p) AS others FROM all_table_row WHERE tbl = ${tbl}`,
    );
    return {
      name: `${this.#namespace}.${name}`,
      exists: table.view !== undefined,
      rows: Number(counted!.ours),
      foreignRows: Number(counted!.others),
      waiting: audited === undefined ? 0 : await this.#waiting(audited),
      snapshots: table.view?.metadata.snapshots.length ?? 0,
      files: files?.addedBy.size ?? 0,
      missingFiles: files?.missing.length ?? 0,
      orphans: files?.orphans ?? { count: 0, bytes: 0, first: [] },
      foreign: foreign.map(({ snapshotId, operation, timestampMs, rows }) => ({
        snapshotId: String(snapshotId),
        operation,
        at: new Date(timestampMs).toISOString(),
        rows,
      })),
    };
  }

  async #waiting(table: AuditedTable): Promise<number> {
    const records = table === "alerts"
      ? "all_alert u"
      : `(SELECT * FROM all_output WHERE topic = ${TOPIC_OF[table] === "transactions" ? 0 : 1}) u`;
    const [row] = await this.#scratch.rows<{ n: string }>(
      `SELECT count(*) AS n FROM ${records} JOIN cut c USING (p)
        WHERE u.o < c.position AND u.pos >= c.${table}_next`,
    );
    return Number(row!.n);
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
      const [row] = await this.#scratch.rows<{ transaction_id: string | null }>(
        `SELECT transaction_id FROM (${rowsSql(table, files)})
          WHERE source_partition = ${partition} AND source_offset = ${offset} LIMIT 1`,
      );
      return row?.transaction_id ?? undefined;
    } catch {
      return undefined; // one of its files cannot be read: that is a finding of its own
    }
  }
}

/** A table that was read. */
export interface ReadTable {
  name: string;
  view: TableView | undefined;
  files: TableFiles | undefined;
  loaded: LoadedTable | undefined;
  foreign: ForeignSnapshot[];
}

function offsetsIn({ start, end, outputs }: PartitionView): number {
  const { transactions, deadLetter, alerts } = outputs;
  return [transactions, deadLetter, alerts]
    .reduce((sum, one) => sum + one.end - one.start, Math.max(0, end - start));
}

function emptyFigures(): PartitionFigures {
  return {
    ...noCounts(),
    raw: 0,
    stored: 0,
    deadLettered: 0,
    alerts: 0,
    unjudged: 0,
    unstored: 0,
    lost: 0,
  };
}

function sumFigures(a: PartitionFigures, b: PartitionFigures): PartitionFigures {
  const keys = Object.keys(a) as (keyof PartitionFigures)[];
  return Object.fromEntries(
    keys.map((key) => [key, a[key] + b[key]]),
  ) as unknown as PartitionFigures;
}
