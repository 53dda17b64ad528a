/** The processor's figures: /status, /metrics and session totals from the units that were committed. */
import type { ConfigIssue } from "../contracts/errors.ts";
import { LATENCY_BUCKETS_S, type Metrics } from "../runtime/metrics.ts";
import type { StageFigures } from "../runtime/stage_status.ts";
import type { CommittedUnit, PartitionView } from "./context.ts";
import { type FailureMinutes, FieldFailures } from "./field_failures.ts";
import type { StepResult } from "./step_types.ts";

/** Takes note of what happens. */
export interface Figures {
  committed(unit: CommittedUnit): void;
  failed(type: string, error: unknown): void;
  /** A valid rule file was read. */
  configLoaded(): void;
  configBroken(issues: readonly ConfigIssue[]): void;
  /** Refreshes the gauges; called before metrics are printed. */
  refresh(views: Iterable<PartitionView>): void;
  failuresByMinute(): FailureMinutes;
}

function createMeters(metrics: Metrics) {
  return {
    records: metrics.counter("processor_records_total", "Raw records judged and committed"),
    accepted: metrics.counter("processor_transactions_total", "Valid transactions committed"),
    alerts: metrics.counter("processor_alerts_total", "Alerts committed"),
    deadLetters: metrics.counter(
      "processor_dead_letters_total",
      "Records that could not be processed, by error_type",
      ["error_type"],
    ),
    failures: metrics.counter(
      "processor_validation_failures_total",
      "Failed fields of dead letters",
      ["field"],
    ),
    keyMismatch: metrics.counter(
      "key_mismatch_total",
      "Accepted records whose key is not their account_id",
    ),
    errors: metrics.counter("processor_errors_total", "Errors of the processor, by type", ["type"]),
    commits: metrics.histogram(
      "processor_commit_duration_seconds",
      "From the beginning of a transaction to its acknowledged commit",
      LATENCY_BUCKETS_S,
    ),
    latency: metrics.histogram(
      "processor_latency_seconds",
      "From the broker time of the raw record to the acknowledged commit",
      LATENCY_BUCKETS_S,
      ["leg"],
    ),
    position: metrics.gauge("processor_position_offset", "Next raw offset", ["partition"]),
    lag: metrics.gauge("processor_lag_records", "Raw offsets up to the log's end", ["partition"]),
    stableLag: metrics.gauge(
      "processor_stable_lag_records",
      "Raw offsets up to the log's stable end",
      ["partition"],
    ),
    running: metrics.gauge("processor_partition_running", "1 while a partition is worked on", [
      "partition",
    ]),
    configErrors: metrics.gauge("config_errors", "Problems of the rule file now"),
    configBroken: metrics.counter("config_broken_total", "Rule files that were refused"),
    rulesApplied: metrics.counter("config_applied_total", "Rule boundaries committed"),
  };
}

/** Figures over a stage's status and metrics; `now` is in ms since the epoch. */
export function createFigures(
  options: { stage: StageFigures; metrics: Metrics; now: () => number },
): Figures {
  const { stage, metrics, now } = options;
  const meters = createMeters(metrics);
  const failures = new FieldFailures();

  function latencies({ nowMs }: CommittedUnit, { recordTimes, alertTimes }: StepResult): void {
    for (
      const [leg, times] of [
        ["generated_to_processed", recordTimes],
        ["generated_to_alert", alertTimes],
      ] as const
    ) {
      times.forEach((time, count) => {
        const ms = Math.max(0, nowMs - time);
        stage.latency(leg, ms, count);
        meters.latency.observe(ms / 1000, { leg }, count);
      });
    }
  }

  function counts({ counts }: StepResult): void {
    stage.add("processed", counts.accepted);
    stage.add("alerts", counts.alerts);
    stage.add("dead_lettered", counts.deadLettered);
    meters.records.inc(counts.records);
    meters.accepted.inc(counts.accepted);
    meters.alerts.inc(counts.alerts);
    meters.keyMismatch.inc(counts.keyMismatch);
    for (const [type, count] of counts.errorsByType) {
      meters.deadLetters.inc(count, { error_type: type });
      for (let i = 0; i < count; i++) stage.error(type);
    }
    for (const [field, count] of counts.failuresByField) {
      meters.failures.inc(count, { field });
      failures.add(field, count, now());
    }
  }

  return {
    committed(unit) {
      const { result } = unit;
      meters.commits.observe(unit.commitMs / 1000);
      if (unit.appliedRules !== undefined) {
        stage.configApplied();
        meters.rulesApplied.inc();
      }
      if (result === undefined) return;
      counts(result);
      latencies(unit, result);
    },
    failed(type, error) {
      stage.error(type, error instanceof Error ? error.message : String(error));
      meters.errors.inc(1, { type });
    },
    configLoaded() {
      stage.configApplied();
      meters.configErrors.set(0);
    },
    configBroken(issues) {
      stage.configBroken(issues);
      meters.configErrors.set(issues.length);
      meters.configBroken.inc();
    },
    refresh(views) {
      for (const { partition, position, stable, end, state } of views) {
        meters.position.set(position, { partition });
        meters.lag.set(Math.max(0, end - position), { partition });
        meters.stableLag.set(Math.max(0, stable - position), { partition });
        meters.running.set(state === "running" ? 1 : 0, { partition });
      }
    },
    failuresByMinute: () => failures.minutes(now()),
  };
}
