/** The sink as a whole, on ports: the same on Kafka and a REST catalog, and in memory. */
import type { Broker } from "../broker/port.ts";
import type { PipelineConfig } from "../contracts/pipeline_config.ts";
import type { StageStatus } from "../contracts/status.ts";
import { TABLE_NAMES, type TableName, TABLES } from "../contracts/tables.ts";
import type { Catalog } from "../iceberg/catalog/port.ts";
import type { CommitEnvironment } from "../iceberg/commit/environment.ts";
import type { Readiness } from "../runtime/http.ts";
import type { Logger } from "../runtime/log.ts";
import type { Metrics } from "../runtime/metrics.ts";
import { sleep } from "../runtime/retry.ts";
import { publishSessions, type SessionBatch, sessionBatch } from "../runtime/session.ts";
import type { StageFigures } from "../runtime/stage_status.ts";
import { TableCare } from "./care.ts";
import type { DiskGuard } from "./disk_guard.ts";
import { type DuckDb, openDuckDb } from "./duckdb.ts";
import { createSinkFigures, type SinkFigures } from "./figures.ts";
import { openSessionFilter } from "./session_rows.ts";
import { claimScratch } from "./scratch.ts";
import { TableHandle } from "./table_handle.ts";
import { TableLoop } from "./table_loop.ts";

/** What the sink needs. */
export interface SinkContext {
  broker: Broker;
  catalog: Catalog;
  environment: CommitEnvironment;
  config: PipelineConfig;
  /** Absolute path of the scratch folder, shared by the sinks of this machine. */
  scratch: string;
  /** Names this sink's part of it. */
  sessionId: string;
  log: Logger;
  metrics: Metrics;
  stage: StageFigures;
  disk: DiskGuard;
  /** How long a stop may take to commit what was read. @default {8_000} */
  stopMsMax?: number;
  /** @default {"finance"} */
  namespace?: string;
}

/** The supervisor gives a stop 9 s. */
const STOP_MS_MAX = 8_000;

/** How long what was given up may take to notice. */
const LAST_MS = 500;

/** Fills four tables. */
export class Sink {
  readonly #context: SinkContext;
  readonly #figures: SinkFigures;
  readonly #handles: ReadonlyMap<TableName, TableHandle>;
  readonly #loops = new Map<TableName, TableLoop>();

  constructor(context: SinkContext) {
    const { catalog, namespace, stage, metrics } = context;
    this.#context = context;
    this.#figures = createSinkFigures({ stage, metrics, now: context.environment.nowMs });
    this.#handles = new Map(
      TABLE_NAMES.map((name) => [
        name,
        new TableHandle({ catalog, name, ...(namespace === undefined ? {} : { namespace }) }),
      ]),
    );
    stage.configApplied();
  }

  /** Ready when every table is up to date with its topic, as far as it is asked to be. */
  readiness(): Readiness {
    const disk = this.#context.disk.reason;
    const reasons = [
      ...(disk === undefined ? [] : [disk]),
      ...(this.#loops.size === 0 ? ["starting"] : []),
      ...[...this.#loops.values()].flatMap((loop) => loop.reasons()),
    ];
    return { ready: reasons.length === 0, reasons };
  }

  /** The document of `/status`. */
  status(): StageStatus {
    const { stage, disk } = this.#context;
    return stage.status({
      ...this.readiness(),
      partitions: [...this.#loops.values()].flatMap((loop) => loop.status()),
      details: { disks: disk.usages, last_commits: this.#figures.lastCommits },
    });
  }

  /** The text of `/metrics`. */
  metrics(): string {
    const { metrics, disk } = this.#context;
    this.#figures.refresh({ ready: this.readiness().ready, disks: disk.usages });
    return metrics.print();
  }

  /**
   * Runs until `stop` aborts, then 1. commits what was read 2. publishes the final figures 3. commits the
   * session rows, its own included; all within one deadline.
   */
  async run(stop: AbortSignal): Promise<void> {
    const { config, disk, stopMsMax = STOP_MS_MAX } = this.#context;
    const scratch = await claimScratch(this.#context.scratch, this.#context.sessionId);
    await disk.look();
    const db = await openDuckDb({
      directory: scratch.folder,
      memoryMb: config.sink.duckdb_memory_mb,
      threads: config.sink.duckdb_threads,
    });
    const kill = new AbortController();
    for (const table of TABLE_NAMES) {
      this.#loops.set(table, this.#loop(table, db, scratch.folder));
    }
    const runs = new Map(
      [...this.#loops].map(([table, loop]) => [table, loop.run(kill.signal)]),
    );
    const background = [disk.run(stop), this.#care(scratch.folder).run(stop)];
    const publishing = this.#publishFigures(stop);
    await aborted(stop);
    const deadline = setTimeout(() => kill.abort(), stopMsMax);
    try {
      // 1. What was read.
      const flow = TABLE_NAMES.filter((table) => table !== "pipeline_sessions");
      for (const table of flow) this.#loops.get(table)!.finish();
      await Promise.all(flow.map((table) => runs.get(table)));
      // 2. and 3. The figures are final now, and theirs are the last records of that topic.
      await publishing;
      await this.#publishFinal();
      this.#loops.get("pipeline_sessions")!.finish({ drain: true });
      await runs.get("pipeline_sessions");
    } finally {
      clearTimeout(deadline);
      kill.abort();
      const ended = Promise.all([...runs.values(), ...background]);
      // A request that hangs must not hold up the end: its outcome is found by the next start.
      if (await within(LAST_MS, ended)) {
        db.close();
        await scratch.release();
      }
    }
    this.#context.log.info("stopped", { ...this.#context.stage.totals });
  }

  #loop(table: TableName, db: DuckDb, scratch: string): TableLoop {
    const { broker, environment, config, log, disk } = this.#context;
    const handle = this.#handles.get(table)!;
    const topics = config.kafka.topics;
    const topic = topics[TABLES[table].source];
    const folder = `${scratch}/${table}`;
    return new TableLoop({
      broker,
      topic,
      context: {
        handle,
        role: TABLES[table].source,
        environment,
        db,
        log: log.child(`sink.${table}`),
        lane: {
          handle: this.#handles.get("dead_letters")!,
          environment,
          db,
          rawTopic: topics.raw,
          log: log.child(`sink.${table}`),
          onStored: (rows) => this.#figures.unstorable(rows),
        },
      },
      config: config.sink,
      folder: `${folder}/spool`,
      observer: this.#figures.observer(table),
      paused: () => disk.reason,
      ...(table === "pipeline_sessions"
        ? { accept: (offsets) => openSessionFilter(broker, topic, offsets) }
        : {}),
    });
  }

  #care(scratch: string): TableCare {
    const { environment, config: { sink }, disk, log, stage } = this.#context;
    return new TableCare({
      handles: [...this.#handles.values()],
      environment,
      folder: `${scratch}/care`,
      // Half of what commits have: it runs beside them.
      duckDb: { memoryMb: Math.max(128, sink.duckdb_memory_mb / 2), threads: 1 },
      stagedAgeMaxMs: sink.staged_age_max_ms,
      paused: () => disk.reason,
      log: log.child("sink.care"),
      onError: (table, error) =>
        stage.error(
          "table_care",
          `finance.${table}: ${error instanceof Error ? error.message : error}`,
        ),
    });
  }

  #publishFigures(stop: AbortSignal): Promise<void> {
    const { stage, log } = this.#context;
    return publishSessions({
      figures: (final) => stage.session({ leg: "processed_to_stored", final }),
      publish: (batch) => this.#publish(batch),
      now: this.#context.environment.nowMs,
      log,
      signal: stop,
    });
  }

  /** A writer of its own per record: it is one a minute. */
  async #publish(batch: SessionBatch): Promise<void> {
    const { broker, config } = this.#context;
    const writer = await broker.openWriter();
    try {
      await writer.send([{ topic: config.kafka.topics.sessions, partition: 0, batch }]);
    } finally {
      await writer.close();
    }
  }

  async #publishFinal(): Promise<void> {
    const { stage, log } = this.#context;
    try {
      const figures = stage.session({ leg: "processed_to_stored", final: true });
      await this.#publish(sessionBatch(figures));
    } catch (error) {
      log.warn("session_not_published", { error });
    }
  }
}

/** True if the work ended in time. */
async function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((resolve) => timer = setTimeout(() => resolve(false), ms));
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves when the signal aborts. */
async function aborted(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) await sleep(3_600_000, signal).catch(() => {});
}
