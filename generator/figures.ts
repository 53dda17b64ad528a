/** The generator's metrics (design section 9). */
import { LATENCY_BUCKETS_S, type Metrics } from "../runtime/metrics.ts";

/** What is counted. */
export interface GeneratorMetrics {
  generated(injected: string): void;
  published(count: number, sendMs: number): void;
  sendFailed(): void;
  configErrors(count: number): void;
  configApplied(): void;
  /** Values of this moment, set just before printing. */
  moment(values: { buffered: number; breakerOpen: boolean; rate: number; paused: boolean }): void;
}

/** Registers the generator's metrics. */
export function createGeneratorMetrics(metrics: Metrics): GeneratorMetrics {
  const generated = metrics.counter(
    "generator_transactions_generated_total",
    "Records generated, by what was injected",
    ["injected"],
  );
  const published = metrics.counter(
    "generator_transactions_published_total",
    "Records acknowledged by Kafka",
  );
  const failures = metrics.counter("generator_send_failures_total", "Sends that failed");
  const seconds = metrics.histogram(
    "generator_send_seconds",
    "Time from a send to its acknowledgement",
    LATENCY_BUCKETS_S,
  );
  const applied = metrics.counter("generator_config_applied_total", "Settings put in force");
  const errors = metrics.gauge("generator_config_errors", "Issues of the settings file as it is");
  const buffered = metrics.gauge("generator_buffered", "Records not yet acknowledged");
  const open = metrics.gauge("generator_breaker_open", "1 while the circuit breaker is not closed");
  const rate = metrics.gauge("generator_target_rate", "Wanted records per second; +Inf for max");
  const paused = metrics.gauge("generator_paused", "1 while paused by the settings");
  return {
    // Kinds, not details: burst:3/6 counts as burst.
    generated: (injected) => generated.inc(1, { injected: injected.split(":")[0]! }),
    published(count, sendMs) {
      published.inc(count);
      seconds.observe(sendMs / 1000);
    },
    sendFailed: () => failures.inc(),
    configErrors: (count) => errors.set(count),
    configApplied: () => applied.inc(),
    moment(values) {
      buffered.set(values.buffered);
      open.set(values.breakerOpen ? 1 : 0);
      rate.set(values.rate);
      paused.set(values.paused ? 1 : 0);
    },
  };
}
