/**
 * The life of one table in the sink (design section 6): read from the table's own offsets, spool, commit
 * at the interval or a limit, for ever. Whatever goes wrong, the loop goes on, visibly: what waits makes
 * readiness red and lag grow. A session ends when its offsets are not to be trusted any more (a rival
 * committed, a batch is broken); the next one reads them from the table again. Steps are those of docs/sink.md.
 */
import type { Broker } from "../broker/port.ts";
import type { PartitionStatus } from "../contracts/status.ts";
import type { PipelineConfig } from "../contracts/pipeline_config.ts";
import { backoff, sleep } from "../runtime/retry.ts";
import { commitBatch, type CommitContext, filesExist, stageBatch } from "./batch_commit.ts";
import { type FilledBatch, Intake } from "./intake.ts";
import { identityProblem, type LogIdentity, tableOffsets } from "./offsets.ts";
import type { ObserveLatency } from "./samples.ts";
import type { Accept } from "./spool.ts";
import { Stager } from "./stager.ts";
import type { ConsumedOffsets } from "../contracts/tables.ts";

/** Longest wait of a batch that could not be committed; the first ones are shorter. */
const RETRY_MS = 60_000;
const RETRY_MS_FIRST = 1000;
/** A batch that waited longer than this may have lost its files to a cleaner: they are looked at first. */
const FILES_TRUSTED_MS = 30_000;
/** Offsets that moved past records that are no rows (control records, aborted ones) are stored this often. */
const OFFSETS_ONLY_MS = 3_600_000;
/** How often the group's mirror follows where nothing is committed. */
const MIRROR_MS = 5000;

const MIB = 1024 * 1024;
/** Spool bytes that DuckDB sorts at once, as a share of its memory: at 3 it runs out of it; a quarter keeps the whole process below 500 MB, as quick as a third. */
const PART_SHARE = 0.25;

/** A commit that is in the table. */
export interface TableCommit {
  snapshotId: bigint;
  status: "committed" | "already";
  rows: number;
  files: number;
  bytes: number;
  /** Records that went to dead_letters instead. */
  refused: number;
  /** Requests sent to the catalog. */
  attempts: number;
  /** From full batch to table. */
  ms: number;
}

/** What a loop tells about its work. */
export interface LoopObserver {
  latency: ObserveLatency;
  committed: (commit: TableCommit) => void;
  error: (type: string, error: unknown) => void;
}

/** Options of {@linkcode TableLoop}. */
export interface TableLoopOptions {
  broker: Broker;
  topic: string;
  context: CommitContext;
  config: PipelineConfig["sink"];
  /** Scratch folder of this table. */
  folder: string;
  observer: LoopObserver;
  /** Why nothing may be written now. */
  paused: () => string | undefined;
  /** Records that become rows, made anew for each session from where it starts; all records if absent. */
  accept?: (offsets: ConsumedOffsets | undefined) => Promise<Accept>;
  /** Spool bytes of one part of a day. @default {a quarter of DuckDB's memory} */
  partBytesMax?: number;
  /** Longest wait between tries; tests shorten it. @default {60_000} */
  retryMs?: number;
}

/** Somebody else moved the table's offsets: drop everything, read anew. */
class ZombieError extends Error {
  override readonly name = "ZombieError";
}

/** See the module's comment. */
export class TableLoop {
  readonly #options: TableLoopOptions;
  #intake: Intake | undefined;
  #reason: string | undefined = "starting";
  /** Set by `finish`: what to do before the end. */
  readonly #finishing = new AbortController();
  #drain = false;
  #lastCommitMs: number;
  #lastMirrorMs = 0;
  /** The topic has partitions that this session does not read, or a gap was accepted: the session ends. */
  #stale = false;

  constructor(options: TableLoopOptions) {
    this.#options = options;
    this.#lastCommitMs = options.context.environment.nowMs();
  }

  /** Runs until `signal` aborts, or `finish` was called and its work is done. */
  async run(signal: AbortSignal): Promise<void> {
    const waits = backoff({ initialMs: 500, maxMs: 30_000 });
    while (!signal.aborted && !this.#finishing.signal.aborted) {
      try {
        await this.#session(signal);
        waits.reset();
      } catch (error) {
        if (signal.aborted) break;
        this.#report(error);
        const ending = AbortSignal.any([signal, this.#finishing.signal]);
        await sleep(error instanceof ZombieError ? 100 : waits.next(), ending).catch(() => {});
      }
    }
    this.#reason = "stopped";
  }

  /** Commits what was read, with `drain` also what the topic holds by now; then `run` resolves. */
  finish(options: { drain?: boolean } = {}): void {
    this.#drain = options.drain ?? false;
    this.#finishing.abort();
    this.#intake?.changed.notify();
  }

  /** Looks anew whether a commit is due: for clocks that are not the machine's. */
  wake(): void {
    this.#intake?.changed.notify();
  }

  /** Reasons why this table is not up to date; empty when all is well. */
  reasons(): string[] {
    const name = `finance.${this.#options.context.handle.name}`;
    const own = this.#reason === undefined ? [] : [`${name}: ${this.#reason}`];
    return [...own, ...this.#intake?.reasons() ?? []];
  }

  /** For /status. */
  status(): PartitionStatus[] {
    return this.#intake?.status() ?? [];
  }

  async #session(signal: AbortSignal): Promise<void> {
    // L1. and L2. Where the table stands.
    const opened = await this.#open();
    if (opened === undefined) {
      await sleep(
        this.#options.retryMs ?? RETRY_MS,
        AbortSignal.any([signal, this.#finishing.signal]),
      )
        .catch(() => {});
      return;
    }
    // L3. and L4. Fetch and spool.
    const intake = this.#intake = opened;
    this.#stale = false;
    const fetching = new AbortController();
    const stop = () => fetching.abort();
    signal.addEventListener("abort", stop, { once: true });
    let failure: unknown;
    const fetched = intake.run(fetching.signal).catch((error) => {
      failure = error;
      intake.changed.notify();
    });
    this.#reason = undefined;
    try {
      while (!signal.aborted) {
        await this.#wait(intake, signal);
        if (failure !== undefined) throw failure;
        if (signal.aborted) return;
        const ending = this.#finishing.signal.aborted && (!this.#drain || await intake.caughtUp());
        if (ending) {
          fetching.abort();
          await fetched;
          if (this.#options.paused() !== undefined) return;
        }
        // L5. Commit.
        if (ending || this.#due(intake)) await this.#commit(intake, signal);
        await this.#mirror(intake);
        if (ending || this.#stale) return;
      }
    } finally {
      // L6. Nothing of a session outlives it.
      signal.removeEventListener("abort", stop);
      fetching.abort();
      await fetched;
      this.#intake = undefined;
      await intake.drop();
    }
  }

  /**
   * Looks whether the topic is still the one that was read: made anew, its records would be taken for the
   * next ones of the old (P10). Grown, it has partitions that nobody reads yet: the next session does.
   */
  async #checkTopic(intake: Intake): Promise<void> {
    const { broker, topic } = this.#options;
    const info = (await broker.topics([topic])).get(topic);
    if (info?.id !== intake.identity.topicId) {
      throw new ZombieError(
        `Cannot commit records of topic "${topic}": it was made anew or is gone`,
      );
    }
    if (info.partitions > intake.partitionsKnown) this.#stale = true;
  }

  /** Looks whether an operator has moved the table's offsets behind a gap: the next session goes on there. */
  async #checkGaps(intake: Intake): Promise<void> {
    const { metadata } = await this.#options.context.handle.reload();
    const stored = tableOffsets(metadata);
    if (stored.state === "known" && intake.gapLeft(stored.offsets)) this.#stale = true;
  }

  /** Finds where the table stands and where reading begins; undefined if an operator has to decide first. */
  async #open(): Promise<Intake | undefined> {
    const { broker, topic, context, config, folder } = this.#options;
    const { metadata } = await context.handle.reload();
    const info = (await broker.topics([topic])).get(topic);
    if (info === undefined) throw new Error(`Cannot read topic "${topic}": it does not exist`);
    const identity: LogIdentity = { cluster: await broker.clusterId(), topic, topicId: info.id };
    const stored = tableOffsets(metadata);
    if (stored.state === "rolled_back") {
      const name = context.handle.name;
      this.#reason = "the table was rolled back to an older snapshot; choose: " +
        `\`deno task rollback --table ${name} --replay\` reads the removed records again, ` +
        `\`deno task rollback --table ${name} --skip\` leaves them out`;
      return undefined;
    }
    const offsets = stored.state === "known" ? stored.offsets : undefined;
    const problem = offsets && identityProblem(offsets, identity);
    if (problem !== undefined) {
      this.#reason = `${problem}; \`deno task resume --accept-gap\` begins with the new one`;
      return undefined;
    }
    const all = Array.from({ length: info.partitions }, (_, partition) => partition);
    const accept = await this.#options.accept?.(offsets);
    return await Intake.open({
      broker,
      table: context.handle.name,
      identity,
      topicPartitions: info.partitions,
      partitions: config.partitions === "all"
        ? all
        : config.partitions.filter((one) => one < info.partitions),
      offsets,
      folder,
      limits: {
        rowsMax: config.commit_rows_max,
        bytesMax: config.commit_bytes_max,
        daysMax: config.commit_days_max,
        partBytesMax: this.#options.partBytesMax ?? config.duckdb_memory_mb * MIB * PART_SHARE,
      },
      newStager: () => new Stager(context),
      fetchBytesMax: config.fetch_bytes_max,
      ...(accept === undefined ? {} : { accept }),
      paused: this.#options.paused,
      onError: (error, partition) => {
        this.#options.observer.error("fetch", error);
        context.log.warn("fetch_failed", { topic, partition, error });
      },
    });
  }

  /** Until a commit may be due, the batch is full, something failed, or the end has come. */
  async #wait(intake: Intake, signal: AbortSignal): Promise<void> {
    if (intake.filling.full) return;
    if (this.#finishing.signal.aborted) return await intake.changed.wait(50, signal);
    const { nowMs } = this.#options.context.environment;
    const untilDue = this.#lastCommitMs + this.#options.config.commit_interval_ms - nowMs();
    const waitMs = intake.filling.records > 0 ? Math.max(untilDue, 0) : MIRROR_MS;
    await intake.changed.wait(Math.min(waitMs, MIRROR_MS), signal);
  }

  #due(intake: Intake): boolean {
    if (this.#options.paused() !== undefined) return false;
    const { filling } = intake;
    if (filling.full) return true;
    const sinceMs = this.#options.context.environment.nowMs() - this.#lastCommitMs;
    if (filling.records > 0) return sinceMs >= this.#options.config.commit_interval_ms;
    return filling.moved && sinceMs >= OFFSETS_ONLY_MS;
  }

  /** Stages and commits, as often as it takes; meanwhile the next batch fills. */
  async #commit(intake: Intake, signal: AbortSignal): Promise<void> {
    const { context, config } = this.#options;
    const { nowMs } = context.environment;
    const batch = intake.take();
    this.#lastCommitMs = nowMs();
    try {
      batch.spool.finish();
      if (batch.spool.records === 0 && !batch.spool.moved) return;
      const startMs = performance.now();
      await this.#persist(signal, () => this.#checkTopic(intake));
      const staged = await this.#persist(signal, () => stageBatch(context, batch));
      const result = await this.#persist(signal, async () => {
        if (nowMs() - staged.stagedAtMs > config.staged_age_max_ms) {
          throw new ZombieError("Cannot commit a batch: it is older than staged_age_max_ms");
        }
        if (nowMs() - staged.stagedAtMs > FILES_TRUSTED_MS && !await filesExist(context, staged)) {
          throw new ZombieError("Cannot commit a batch: its files are gone");
        }
        return await commitBatch(context, staged, { signal });
      });
      if (result.status === "zombie") {
        throw new ZombieError("Cannot commit a batch: somebody else moved the table's offsets");
      }
      const { rows, bytes, files, unfit } = staged.staged;
      this.#stored(batch, {
        snapshotId: staged.snapshotId,
        status: result.status,
        rows,
        files: files.length,
        bytes,
        refused: staged.refused,
        attempts: result.attempts,
        ms: Math.round(performance.now() - startMs),
      }, unfit);
    } finally {
      await batch.stager.cancel();
      await batch.spool.remove();
    }
  }

  /** Tries until it works, every minute in the end; what repeating cannot mend ends the session. */
  async #persist<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const maxMs = this.#options.retryMs ?? RETRY_MS;
    const waits = backoff({ initialMs: Math.min(RETRY_MS_FIRST, maxMs), maxMs });
    while (true) {
      try {
        const result = await work();
        this.#reason = undefined;
        return result;
      } catch (error) {
        const ending = AbortSignal.any([signal, this.#finishing.signal]);
        if (error instanceof ZombieError || ending.aborted) throw error;
        this.#report(error);
        await sleep(waits.next(), ending).catch(() => {});
      }
    }
  }

  #stored(batch: FilledBatch, commit: TableCommit, unfit: number): void {
    const { observer, context } = this.#options;
    observer.committed(commit);
    batch.samples.observe(context.environment.nowMs(), observer.latency);
    if (unfit > 0) {
      observer.error("value_does_not_fit", new Error(`${unfit} values stored as null`));
    }
    const { snapshotId, ...figures } = commit;
    context.log.info("committed", {
      table: context.handle.name,
      snapshot_id: snapshotId,
      ...figures,
    });
  }

  async #mirror(intake: Intake): Promise<void> {
    const nowMs = this.#options.context.environment.nowMs();
    if (nowMs - this.#lastMirrorMs < MIRROR_MS) return;
    this.#lastMirrorMs = nowMs;
    try {
      // An idle topic grows too, and it is no commit that would tell.
      if (intake.filling.records === 0) await this.#checkTopic(intake);
      if (intake.hasGap) await this.#checkGaps(intake);
      await this.#options.broker.commitGroupOffsets(this.#options.config.group, intake.mirror());
    } catch (error) {
      if (error instanceof ZombieError) throw error;
      // For lag tools only: the next one makes it good.
      this.#options.context.log.warn("mirror_failed", { error });
    }
  }

  #report(error: unknown): void {
    const { observer, context } = this.#options;
    this.#reason = error instanceof Error ? error.message : String(error);
    observer.error(error instanceof ZombieError ? "zombie" : "commit", error);
    const level = error instanceof ZombieError ? "warn" : "error";
    context.log[level]("table_waits", { table: context.handle.name, error });
  }
}
