/**
 * Table care by the sink on a schedule (design section 7): expiry every few minutes, compaction, orphans once a day.
 * One table after the other, beside the appends; a failure is logged and made good by the next round.
 */
import { expireSnapshots } from "../iceberg/commit/expire.ts";
import type { CommitEnvironment } from "../iceberg/commit/environment.ts";
import { removeOrphans } from "../iceberg/commit/orphans.ts";
import type { Logger } from "../runtime/log.ts";
import { compactTable } from "./compact.ts";
import { COMPACT_SOME } from "./compaction_plan.ts";
import { openDuckDb } from "./duckdb.ts";
import type { TableHandle } from "./table_handle.ts";

/** Untagged snapshots older than this go. */
export const SNAPSHOT_AGE_MS = 30 * 60_000;

/** Never fewer snapshots than this stay. */
export const SNAPSHOTS_MIN = 10;

/** Orphans are that many times older than the longest life of a staged batch. */
export const ORPHAN_AGE_FACTOR = 3;

const EXPIRE_EVERY_MS = 5 * 60_000;
const COMPACT_EVERY_MS = 10 * 60_000;
const ORPHANS_EVERY_MS = 24 * 3_600_000;
const LOOK_MS = 30_000;

/** Options of {@linkcode TableCare}. */
export interface TableCareOptions {
  handles: readonly TableHandle[];
  environment: CommitEnvironment;
  /** Folder for files in between. */
  folder: string;
  duckDb: { memoryMb: number; threads: number };
  stagedAgeMaxMs: number;
  /** Why nothing may be written now; expiry goes on, it makes space. */
  paused: () => string | undefined;
  log: Logger;
  onError: (table: string, error: unknown) => void;
}

/** Runs the schedule. */
export class TableCare {
  readonly #options: TableCareOptions;
  readonly #last = { expire: 0, compact: 0, orphans: 0 };

  constructor(options: TableCareOptions) {
    this.#options = options;
    const now = options.environment.nowMs();
    // The first compaction of a run waits its turn; expiry looks at once, a stopped sink let things age.
    this.#last = { expire: 0, compact: now, orphans: now };
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { environment } = this.#options;
    while (!signal.aborted) {
      await environment.sleep(LOOK_MS, signal).catch(() => {});
      if (!signal.aborted) await this.round(signal);
    }
  }

  /** Does what is due now. */
  async round(signal: AbortSignal): Promise<void> {
    if (this.#due("expire", EXPIRE_EVERY_MS)) {
      await this.#each(signal, (handle) => this.#expire(handle, signal));
    }
    if (this.#options.paused() !== undefined) return;
    if (this.#due("compact", COMPACT_EVERY_MS)) {
      await this.#each(signal, (handle) => this.#compact(handle, signal));
    }
    if (this.#due("orphans", ORPHANS_EVERY_MS)) {
      await this.#each(signal, (handle) => this.#orphans(handle));
    }
  }

  #due(what: "expire" | "compact" | "orphans", everyMs: number): boolean {
    const nowMs = this.#options.environment.nowMs();
    if (nowMs - this.#last[what] < everyMs) return false;
    this.#last[what] = nowMs;
    return true;
  }

  async #each(signal: AbortSignal, work: (handle: TableHandle) => Promise<void>): Promise<void> {
    for (const handle of this.#options.handles) {
      if (signal.aborted) return;
      try {
        await work(handle);
      } catch (error) {
        if (signal.aborted) return;
        this.#options.onError(handle.name, error);
        this.#options.log.warn("table_care_failed", { table: handle.name, error });
      }
    }
  }

  async #expire(handle: TableHandle, signal: AbortSignal): Promise<void> {
    const { environment, log } = this.#options;
    const outcome = await expireSnapshots(await handle.reload(), {
      ...environment,
      signal,
      maxSnapshotAgeMs: SNAPSHOT_AGE_MS,
      minSnapshotsToKeep: SNAPSHOTS_MIN,
    });
    handle.seen(outcome.table);
    if (outcome.snapshotIds.length === 0 && outcome.refs.length === 0) return;
    log.info("snapshots_expired", {
      table: handle.name,
      snapshots: outcome.snapshotIds.length,
      refs: outcome.refs,
      data_files: outcome.deleted?.dataFiles.length ?? 0,
      manifests: outcome.deleted?.manifests.length ?? 0,
    });
  }

  async #compact(handle: TableHandle, signal: AbortSignal): Promise<void> {
    const { environment, folder, duckDb, log } = this.#options;
    await Deno.mkdir(folder, { recursive: true });
    const db = await openDuckDb({ directory: folder, ...duckDb, keepOrder: true });
    try {
      const policy = COMPACT_SOME;
      const result = await compactTable({ handle, environment, db, policy, signal });
      if (result.filesBefore > 0) log.info("compacted", { table: handle.name, ...result });
    } finally {
      db.close();
    }
  }

  async #orphans(handle: TableHandle): Promise<void> {
    const { environment, stagedAgeMaxMs, log } = this.#options;
    const report = await removeOrphans(await handle.reload(), {
      storage: environment.storage,
      nowMs: environment.nowMs,
      ageMinMs: ORPHAN_AGE_FACTOR * stagedAgeMaxMs,
      stagedAgeMaxMs,
    });
    if (report.orphans.length === 0) return;
    log.info("orphans_removed", {
      table: handle.name,
      orphans: report.orphans.length,
      failed: report.failed.length,
    });
  }
}
