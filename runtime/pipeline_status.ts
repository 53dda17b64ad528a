/** The status of the whole pipeline from what its parts say, as a pure function (design section 8). */
import { SCHEMA_VERSION, type ServiceName, type StageName } from "../contracts/services.ts";
import {
  LATENCY_LEGS,
  type PipelineStatus,
  type Rates,
  type ServiceStatus,
  type StageStatus,
  type Totals,
} from "../contracts/status.ts";
import { DISK_STOP_PERCENT } from "./disk.ts";

/** What was found out about the parts. */
export interface PipelineParts {
  /** All five, in start order. */
  services: readonly ServiceStatus[];
  /** Stages that answered. */
  stages: readonly StageStatus[];
  lag: PipelineStatus["lag"];
  disk: PipelineStatus["disk"];
  /** Rows of the dead letters' table; null where nobody knows. */
  deadLetterDepth: number | null;
  /** Other resident memory that belongs to the pipeline: its supervisor's. */
  otherRssBytes?: number;
}

/** Which stage's word counts for which figure. */
const AUTHORITY: Readonly<Record<keyof Totals, StageName>> = {
  generated: "generator",
  published: "generator",
  processed: "processor",
  alerts: "processor",
  dead_lettered: "processor",
  stored: "sink",
};

function figures(
  stages: readonly StageStatus[],
  read: (stage: StageStatus) => Totals | Rates,
): Totals {
  const byName = new Map(stages.map((stage) => [stage.name, stage]));
  return Object.fromEntries(
    Object.entries(AUTHORITY).map(([figure, name]) => {
      const stage = byName.get(name);
      return [figure, stage === undefined ? 0 : read(stage)[figure as keyof Totals]];
    }),
  ) as Totals;
}

function latencies(stages: readonly StageStatus[]): PipelineStatus["latency_ms"] {
  const nothing = { p50: null, p95: null, p99: null };
  const found = Object.assign({}, ...stages.map((stage) => stage.latency_ms));
  return Object.fromEntries(
    LATENCY_LEGS.map((leg) => [leg, found[leg] ?? nothing]),
  ) as PipelineStatus["latency_ms"];
}

function sumErrors(stages: readonly StageStatus[]): Record<string, number> {
  const errors: Record<string, number> = {};
  for (const stage of stages) {
    for (const [type, count] of Object.entries(stage.errors)) {
      errors[type] = (errors[type] ?? 0) + count;
    }
  }
  return errors;
}

/**
 * Healthy: all five run and do their work, every config file is in force, no disk is full.
 * Unreachable: none of the five answers. Degraded: anything between.
 */
function health(parts: PipelineParts, configErrors: number): PipelineStatus["health"] {
  if (
    parts.services.every((service) =>
      service.state === "unreachable" ||
      service.state === "stopped"
    )
  ) {
    return "unreachable";
  }
  const allDoTheirWork = parts.services.every((s) => s.state === "running" && s.ready);
  const room = parts.disk.every((disk) => disk.used_percent < DISK_STOP_PERCENT);
  return allDoTheirWork && room && configErrors === 0 ? "healthy" : "degraded";
}

/** Puts the parts together. */
export function pipelineStatus(parts: PipelineParts): PipelineStatus {
  const { services, stages, lag, disk, deadLetterDepth, otherRssBytes = 0 } = parts;
  const errors = stages.flatMap((stage) => stage.config.errors);
  const processor = stages.find((stage) => stage.name === "processor");
  return {
    schema_version: SCHEMA_VERSION,
    health: health(parts, errors.length),
    services: [...services],
    totals: figures(stages, (stage) => stage.totals),
    rates: figures(stages, (stage) => stage.rates),
    latency_ms: latencies(stages),
    lag,
    errors: sumErrors(stages),
    dead_letter_depth: deadLetterDepth,
    rss_total_bytes: services.reduce((sum, s) => sum + (s.rss_bytes ?? 0), otherRssBytes),
    disk,
    config: { rules_version: processor?.config.rules_version ?? null, errors },
  };
}

/** A service of which nothing but its silence is known. */
export function silentService(name: ServiceName, reason: string): ServiceStatus {
  return {
    name,
    state: "unreachable",
    ready: false,
    reasons: [reason],
    pid: null,
    uptime_s: null,
    restarts: 0,
    rss_bytes: null,
    cpu_percent: null,
    last_error: null,
  };
}
