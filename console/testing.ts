/** A small world for the console's tests: a state with a pipeline in it, at a time of its own. */
import type { Alert } from "../contracts/alert.ts";
import type { StageName } from "../contracts/services.ts";
import type { PipelineStatus, ServiceStatus, StageStatus } from "../contracts/status.ts";
import { SERVICE_NAMES } from "../contracts/services.ts";
import type { RuleDefinition } from "../rules/rule_type.ts";
import type { Fact } from "./store/facts.ts";
import type { AlertItem, DeadLetterItem, LogItem } from "./store/model.ts";
import { initialState, reduce, type Settings, type State } from "./store/state.ts";
import type { UiAction } from "./store/ui.ts";

/** The tests' now: 2026-03-01T12:00:00Z. */
export const NOW_MS = Date.UTC(2026, 2, 1, 12);

const zeros = { generated: 0, published: 0, processed: 0, stored: 0, alerts: 0, dead_lettered: 0 };

/** A service that does its work. */
export function service(name: ServiceStatus["name"], part: Partial<ServiceStatus> = {}) {
  return {
    name,
    state: "running",
    ready: true,
    reasons: [],
    pid: 100,
    uptime_s: 3725,
    restarts: 0,
    rss_bytes: 104_857_600,
    cpu_percent: 4,
    last_error: null,
    ...part,
  } satisfies ServiceStatus as ServiceStatus;
}

/** A healthy pipeline's document. */
export function document(part: Partial<PipelineStatus> = {}): PipelineStatus {
  const none = { p50: null, p95: null, p99: null };
  return {
    schema_version: "1",
    health: "healthy",
    services: SERVICE_NAMES.map((name) => service(name)),
    totals: { ...zeros, generated: 1200, published: 1200, processed: 1190, stored: 1000 },
    rates: { ...zeros, generated: 10, published: 10, processed: 9.9, stored: 10 },
    latency_ms: {
      generated_to_alert: { p50: 8, p95: 51, p99: 265 },
      generated_to_processed: { p50: 10, p95: 70, p99: 116 },
      processed_to_stored: { p50: 5400, p95: 10_200, p99: 10_600 },
      generated_to_stored: none,
    },
    lag: [],
    errors: {},
    dead_letter_depth: 0,
    rss_total_bytes: 524_288_000,
    disk: [{ path: "/data", used_percent: 21 }],
    config: { rules_version: "0123456789ab", errors: [] },
    ...part,
  };
}

/** A stage's document. */
export function stage(name: StageName, part: Partial<StageStatus> = {}): StageStatus {
  return {
    schema_version: "1",
    name,
    session_id: "s",
    pid: 100,
    started_at: new Date(NOW_MS).toISOString(),
    uptime_s: 10,
    ready: true,
    reasons: [],
    totals: zeros,
    rates: zeros,
    latency_ms: {},
    partitions: [],
    errors: {},
    last_error: null,
    rss_bytes: 1,
    cpu_seconds: 1,
    versions: {},
    config: {
      rules_version: name === "processor" ? "0123456789ab" : null,
      applied_at: null,
      errors: [],
    },
    details: name === "generator" ? { rate_per_second: 10, paused: false } : {},
    ...part,
  };
}

/** An alert, `seq` seconds before now at seq 0. */
export function alertItem(seq: number, part: Partial<Alert> = {}, atMs = NOW_MS): AlertItem {
  return {
    id: `a0/${seq}`,
    seq,
    atMs,
    trace: `raw-transactions/0/${seq}`,
    alert: {
      alert_id: "c10224f9-b32f-539a-af4d-1cfa897042e6",
      transaction_id: "ea55493b-95ea-4ac5-b28b-ae0c714ed564",
      rule_name: "high-value",
      severity: "high",
      alert_timestamp: new Date(atMs).toISOString(),
      description:
        "Account ACC1 moved 17,671.78 EUR in one transaction, above the limit of 10,000.00 EUR",
      rules_version: "0123456789ab",
      evidence: { amount: 17671.78, threshold: 10000 },
      transaction: {
        transaction_id: "ea55493b-95ea-4ac5-b28b-ae0c714ed564",
        timestamp: new Date(atMs).toISOString(),
        account_id: "ACC1",
        amount: 17671.78,
        currency: "EUR",
        merchant_name: "Kitchen",
        merchant_category: "dining",
        transaction_type: "purchase",
        location_country: "AT",
        status: "completed",
      },
      ...part,
    },
  };
}

/** A dead letter. */
export function deadLetterItem(seq: number): DeadLetterItem {
  return {
    id: `d0/${seq}`,
    seq,
    atMs: NOW_MS,
    letter: {
      dead_letter_id: "c10224f9-b32f-539a-af4d-1cfa897042e6",
      failed_at: new Date(NOW_MS).toISOString(),
      error_type: "schema",
      errors: [{ field: "amount", expected: "a number", actual: '"x"' }],
      source: { topic: "raw-transactions", partition: 0, offset: "7", timestamp: "t" },
      original: '{"amount":"x"}',
      original_encoding: "utf8",
      truncated: false,
      original_bytes: 14,
      schema_version: "1",
    },
  };
}

/** A log line. */
export function logItem(seq: number, part: Partial<LogItem> = {}): LogItem {
  return {
    id: `l${seq}`,
    seq,
    atMs: NOW_MS + seq,
    level: "info",
    component: "sink",
    event: "committed",
    fields: { rows: seq },
    ...part,
  };
}

/** The rule file of the tests. */
export const RULES_TEXT = `rules:
  # why
  - rule_name: high-value
    rule_type: threshold
    severity: high
    enabled: true
    description: large
    parameters:
      amount: 10000 # strictly above
`;

/** Its rule. */
export const RULE: RuleDefinition = {
  rule_name: "high-value",
  rule_type: "threshold",
  severity: "high",
  enabled: true,
  description: "large",
  parameters: { amount: 10000, per_currency: {}, per_category: {}, absolute: false },
};

/** Settings of the tests. */
export function settings(part: Partial<Settings> = {}): Settings {
  return {
    readOnly: false,
    ascii: false,
    target: ".data",
    verbs: new Set(["up", "down", "restart", "query"]),
    ...part,
  };
}

/** A state in which a pipeline was seen. */
export function seenState(
  options: { settings?: Partial<Settings>; columns?: number; rows?: number } = {},
): State {
  const { columns = 120, rows = 36 } = options;
  const start = initialState(settings(options.settings), { nowMs: NOW_MS, columns, rows });
  return withFacts(start, [
    {
      type: "status",
      atMs: NOW_MS,
      document: document(),
      stages: [stage("generator"), stage("processor"), stage("sink")],
    },
    { type: "rules", file: { path: "rules.yaml", text: RULES_TEXT, value: [RULE], issues: [] } },
    {
      type: "generator",
      file: {
        path: "generator.yaml",
        text: "rate_per_second: 10\n",
        value: {
          rate_per_second: 10,
          paused: false,
          anomaly_share: 0,
          malformed_share: 0,
          seed: 1,
          accounts: 10,
          merchants: 10,
        },
        issues: [],
      },
    },
  ]);
}

/** The state after facts. */
export function withFacts(state: State, facts: readonly Fact[]): State {
  return facts.reduce((at, fact) => reduce(at, { type: "fact", fact }), state);
}

/** The state after actions. */
export function withActions(state: State, actions: readonly UiAction[]): State {
  return actions.reduce((at, action) => reduce(at, { type: "ui", action }), state);
}
