/** The sink's figures: /status, /metrics and session totals. */
import type { TableName } from "../contracts/tables.ts";
import type { StageFigures, TotalName } from "../runtime/stage_status.ts";
import { LATENCY_BUCKETS_S, type Metrics } from "../runtime/metrics.ts";
import type { DiskUsage } from "../runtime/disk.ts";
import type { LoopObserver, TableCommit } from "./table_loop.ts";

/** Total that a table's rows count into. Sessions are figures, not records of the flow. */
const TOTALS: Readonly<Record<TableName, TotalName | undefined>> = {
  transactions: "stored",
  alerts: "alerts",
  dead_letters: "dead_lettered",
  pipeline_sessions: undefined,
};

/** A table's last commit, for /status. */
export interface LastCommit extends Omit<TableCommit, "snapshotId"> {
  snapshot_id: string;
  at: string;
}

/** Figures of all tables. */
export interface SinkFigures {
  readonly lastCommits: Readonly<Partial<Record<TableName, LastCommit>>>;
  /** Takes note of one table's work. */
  observer(table: TableName): LoopObserver;
  /** Rows that took the way into dead_letters past that table's own topic. */
  unstorable(rows: number): void;
  /** Gauges of the moment, before metrics are printed. */
  refresh(moment: { ready: boolean; disks: readonly DiskUsage[] }): void;
}

/** Starts at zero. */
export function createSinkFigures(
  options: { stage: StageFigures; metrics: Metrics; now: () => number },
): SinkFigures {
  const { stage, metrics, now } = options;
  const last: Partial<Record<TableName, LastCommit>> = {};
  const rows = metrics.counter("sink_rows_total", "Rows committed, by table", ["table"]);
  const files = metrics.counter("sink_files_total", "Data files committed, by table", ["table"]);
  const bytes = metrics.counter("sink_bytes_total", "Bytes of data files committed", ["table"]);
  const commits = metrics.counter("sink_commits_total", "Commits, by table", ["table"]);
  const attempts = metrics.counter(
    "sink_commit_attempts_total",
    "Commit requests sent to the catalog",
    ["table"],
  );
  const errors = metrics.counter("sink_errors_total", "Errors, by table and type", [
    "table",
    "type",
  ]);
  const unstorable = metrics.counter("sink_unstorable_total", "Records that cannot be stored");
  const seconds = metrics.histogram(
    "sink_commit_duration_seconds",
    "From a full batch to its commit",
    LATENCY_BUCKETS_S,
    ["table"],
  );
  const latency = metrics.histogram(
    "pipeline_latency_seconds",
    "Latency of records, sampled, by leg",
    LATENCY_BUCKETS_S,
    ["leg"],
  );
  const ready = metrics.gauge("sink_ready", "1 when every table is up to date");
  const disk = metrics.gauge("disk_used_percent", "How full a volume is", ["path"]);
  return {
    lastCommits: last,
    observer: (table) => ({
      committed(commit) {
        const total = TOTALS[table];
        if (total !== undefined) stage.add(total, commit.rows);
        rows.inc(commit.rows, { table });
        bytes.inc(commit.bytes, { table });
        files.inc(commit.files, { table });
        commits.inc(1, { table });
        attempts.inc(commit.attempts, { table });
        seconds.observe(commit.ms / 1000, { table });
        const { snapshotId, ...figures } = commit;
        last[table] = {
          snapshot_id: String(snapshotId),
          at: new Date(now()).toISOString(),
          ...figures,
        };
      },
      latency(leg, ms, count) {
        if (table !== "transactions") return;
        stage.latency(leg, ms, count);
        latency.observe(Math.max(0, ms) / 1000, { leg }, count);
      },
      error(type, error) {
        stage.error(type, error instanceof Error ? error.message : String(error));
        errors.inc(1, { table, type });
      },
    }),
    unstorable(count) {
      stage.add("dead_lettered", count);
      unstorable.inc(count);
    },
    refresh(moment) {
      ready.set(moment.ready ? 1 : 0);
      for (const { path, used_percent } of moment.disks) disk.set(used_percent, { path });
    },
  };
}
