/** Keeps a stage's figures and prints them as its `/status` (contracts/status.ts). */
import type { ConfigIssue } from "../contracts/errors.ts";
import { SCHEMA_VERSION, type StageName } from "../contracts/services.ts";
import type {
  LatencyLeg,
  PartitionStatus,
  Percentiles,
  StageStatus,
  Totals,
} from "../contracts/status.ts";
import type { SessionFigures } from "../contracts/session.ts";
import type { Readiness } from "./http.ts";
import { createLatency, type Latency } from "./latency.ts";
import type { ProcessStats } from "./process_stats.ts";
import { createRate, type Rate } from "./rates.ts";

/** Name of a cumulative count. */
export type TotalName = keyof Totals;

/** Most error types that are counted apart; further ones count as `other` (H6). */
export const ERROR_TYPES_MAX = 100;

/** What differs from one look to the next. */
export interface StageView extends Readiness {
  partitions?: PartitionStatus[];
  rulesVersion?: string | null;
  details?: Record<string, unknown>;
}

/** Figures of a stage. */
export interface StageFigures {
  /** Adds to a total and its rate. */
  add(name: TotalName, n: number): void;
  /** Counts an error; the message becomes last_error. */
  error(type: string, message?: string): void;
  /** Observes a latency of `count` records. */
  latency(leg: LatencyLeg, ms: number, count?: number): void;
  /** A good settings file is in force. */
  configApplied(): void;
  /** A settings file is broken: shown until a good one is in force. */
  configBroken(issues: readonly ConfigIssue[]): void;
  readonly totals: Readonly<Totals>;
  readonly errors: ReadonlyMap<string, number>;
  readonly startedAtMs: number;
  /** The status document of this moment. */
  status(view: StageView): StageStatus;
  /** Cumulative figures for `pipeline-sessions`; `leg` is the stage's own. */
  session(options: { leg?: LatencyLeg; final: boolean }): SessionFigures;
}

/** Options of {@linkcode createStageStatus}. */
export interface StageStatusOptions {
  name: StageName;
  sessionId: string;
  pid: number;
  versions: Record<string, string>;
  /** ms since the epoch. */
  now: () => number;
  processStats: () => ProcessStats;
}

const NAMES: readonly TotalName[] = [
  "generated",
  "published",
  "processed",
  "stored",
  "alerts",
  "dead_lettered",
];

function zeroTotals(): Totals {
  return Object.fromEntries(NAMES.map((name) => [name, 0])) as Totals;
}

const NO_PERCENTILES: Percentiles = { p50: null, p95: null, p99: null };

function mapValues<K extends string, A, B>(map: Map<K, A>, to: (value: A) => B): Record<K, B> {
  return Object.fromEntries([...map].map(([key, value]) => [key, to(value)])) as Record<K, B>;
}

/** Starts a stage's figures at zero. */
export function createStageStatus(options: StageStatusOptions): StageFigures {
  const { name, sessionId, pid, versions, now, processStats } = options;
  const startedAtMs = now();
  const totals = zeroTotals();
  const rates = new Map<TotalName, Rate>(NAMES.map((total) => [total, createRate()]));
  const recent = new Map<LatencyLeg, Latency>();
  const whole = new Map<LatencyLeg, Latency>();
  const errors = new Map<string, number>();
  let lastError: string | null = null;
  let appliedAt: string | null = null;
  let issues: readonly ConfigIssue[] = [];
  function latencyOf(map: Map<LatencyLeg, Latency>, leg: LatencyLeg, windowMs: number): Latency {
    let latency = map.get(leg);
    if (latency === undefined) map.set(leg, latency = createLatency({ windowMs }));
    return latency;
  }
  return {
    totals,
    errors,
    startedAtMs,
    add(total, n) {
      totals[total] += n;
      rates.get(total)!.add(n, now());
    },
    error(type, message) {
      const key = errors.has(type) || errors.size < ERROR_TYPES_MAX ? type : "other";
      errors.set(key, (errors.get(key) ?? 0) + 1);
      if (message !== undefined) lastError = message;
    },
    latency(leg, ms, count = 1) {
      const latency = latencyOf(recent, leg, 60_000);
      latency.rotate(now());
      latency.observe(ms, count);
      latencyOf(whole, leg, Infinity).observe(ms, count);
    },
    configApplied() {
      appliedAt = new Date(now()).toISOString();
      issues = [];
    },
    configBroken(broken) {
      issues = broken;
    },
    status(view) {
      const nowMs = now();
      for (const latency of recent.values()) latency.rotate(nowMs);
      return {
        schema_version: SCHEMA_VERSION,
        name,
        session_id: sessionId,
        pid,
        started_at: new Date(startedAtMs).toISOString(),
        uptime_s: Math.max(0, nowMs - startedAtMs) / 1000,
        ready: view.ready,
        reasons: view.reasons,
        totals: { ...totals },
        rates: mapValues(rates, (rate) => Number(rate.perSecond(nowMs).toFixed(2))),
        latency_ms: mapValues(recent, (latency) => latency.percentiles()),
        partitions: view.partitions ?? [],
        errors: Object.fromEntries(errors),
        last_error: lastError,
        ...processStats(),
        versions,
        config: {
          rules_version: view.rulesVersion ?? null,
          applied_at: appliedAt,
          errors: issues.map((issue) => ({ ...issue })),
        },
        details: view.details ?? {},
      };
    },
    session({ leg, final }) {
      const nowMs = now();
      const seconds = Math.max(0.001, (nowMs - startedAtMs) / 1000);
      const own = { generator: totals.published, processor: totals.processed, sink: totals.stored };
      return {
        session_id: sessionId,
        stage: name,
        start_timestamp: new Date(startedAtMs).toISOString(),
        end_timestamp: new Date(nowMs).toISOString(),
        final,
        generated: totals.generated,
        published: totals.published,
        processed: totals.processed,
        stored: totals.stored,
        alerts_generated: totals.alerts,
        dead_lettered: totals.dead_lettered,
        rate_per_second: Number((own[name] / seconds).toFixed(3)),
        latency_ms: (leg && whole.get(leg)?.percentiles()) ?? NO_PERCENTILES,
        schema_version: SCHEMA_VERSION,
      };
    },
  };
}
