/** Status documents: what `/status` of a stage and `deno task status --json` print (design sections 8, 9). */
import { z } from "zod";
import { SERVICE_NAMES, STAGE_NAMES } from "./services.ts";

/** Latency legs. */
export const LATENCY_LEGS = [
  "generated_to_alert",
  "generated_to_processed",
  "processed_to_stored",
  "generated_to_stored",
] as const;

/** One of {@linkcode LATENCY_LEGS}. */
export type LatencyLeg = typeof LATENCY_LEGS[number];

const Offset = z.string().regex(/^-?\d+$/).meta({ description: "64-bit, so a string" });

/** Percentiles in ms; null where nothing was measured yet. */
export const Percentiles = z.object({
  p50: z.number().nullable(),
  p95: z.number().nullable(),
  p99: z.number().nullable(),
});

/** Percentiles in ms. */
export type Percentiles = z.infer<typeof Percentiles>;

const counts = {
  generated: z.int(),
  published: z.int(),
  processed: z.int(),
  stored: z.int(),
  alerts: z.int(),
  dead_lettered: z.int(),
};

/** Cumulative counts; a stage fills in what it knows and leaves the rest 0. */
export const Totals = z.object(counts);

/** Cumulative counts. */
export type Totals = z.infer<typeof Totals>;

/** The same, per second, over the last 10 s. */
export const Rates = z.object(
  Object.fromEntries(Object.keys(counts).map((name) => [name, z.number()])) as Record<
    keyof typeof counts,
    z.ZodNumber
  >,
);

/** Per-second figures. */
export type Rates = z.infer<typeof Rates>;

/** One config problem as shown to operators. */
export const ConfigIssueDocument = z.object({
  file: z.string(),
  line: z.int().optional(),
  field: z.string(),
  value: z.string(),
  expected: z.string(),
});

/** Where one partition of a stage stands. */
export const PartitionStatus = z.object({
  topic: z.string(),
  partition: z.int(),
  state: z.string().meta({ description: "restoring, running, waiting, fenced, gap, stopped, …" }),
  /** Next offset to consume. */
  position: Offset,
  stable: Offset.optional(),
  end: Offset.optional(),
  reason: z.string().optional(),
  restored_records: z.int().optional(),
  restored_share: z.number().optional(),
});

/** Where one partition of a stage stands. */
export type PartitionStatus = z.infer<typeof PartitionStatus>;

/** `GET /status` of a stage. */
export const StageStatus = z.object({
  schema_version: z.string(),
  name: z.enum(STAGE_NAMES),
  session_id: z.string(),
  pid: z.int(),
  started_at: z.string(),
  uptime_s: z.number(),
  ready: z.boolean(),
  reasons: z.array(z.string()).meta({ description: "Why it is not ready" }),
  totals: Totals,
  rates: Rates,
  latency_ms: z.partialRecord(z.enum(LATENCY_LEGS), Percentiles),
  partitions: z.array(PartitionStatus),
  errors: z.record(z.string(), z.int()).meta({ description: "Count by type" }),
  last_error: z.string().nullable(),
  rss_bytes: z.int(),
  cpu_seconds: z.number(),
  versions: z.record(z.string(), z.string()),
  config: z.object({
    rules_version: z.string().nullable(),
    applied_at: z.string().nullable(),
    errors: z.array(ConfigIssueDocument),
  }),
  /** What only this stage knows: the generator's rate, the sink's last commits, … */
  details: z.record(z.string(), z.unknown()),
});

/** `GET /status` of a stage. */
export type StageStatus = z.infer<typeof StageStatus>;

/** State of a service as the supervisor sees it. */
export const SERVICE_STATES = ["running", "starting", "backoff", "stopped", "unreachable"] as const;

/** One of {@linkcode SERVICE_STATES}. */
export type ServiceState = typeof SERVICE_STATES[number];

/** One service in the pipeline's status. */
export const ServiceStatus = z.object({
  name: z.enum(SERVICE_NAMES),
  state: z.enum(SERVICE_STATES),
  ready: z.boolean(),
  reasons: z.array(z.string()),
  pid: z.int().nullable(),
  uptime_s: z.number().nullable(),
  restarts: z.int(),
  rss_bytes: z.int().nullable(),
  cpu_percent: z.number().nullable(),
  last_error: z.string().nullable(),
});

/** One service in the pipeline's status. */
export type ServiceStatus = z.infer<typeof ServiceStatus>;

/** `deno task status --json`. */
export const PipelineStatus = z.object({
  schema_version: z.string(),
  health: z.enum(["healthy", "degraded", "unreachable"]),
  services: z.array(ServiceStatus),
  totals: Totals,
  rates: Rates,
  latency_ms: z.record(z.enum(LATENCY_LEGS), Percentiles),
  lag: z.array(z.object({
    group: z.string(),
    topic: z.string(),
    partition: z.int(),
    end: Offset,
    stable: Offset,
    committed: Offset,
  })),
  errors: z.record(z.string(), z.int()),
  dead_letter_depth: z.int().nullable()
    .meta({ description: "Rows of finance.dead_letters; null where the catalog does not answer" }),
  rss_total_bytes: z.int(),
  disk: z.array(z.object({ path: z.string(), used_percent: z.number() })),
  config: z.object({
    rules_version: z.string().nullable(),
    errors: z.array(ConfigIssueDocument),
  }),
}).meta({ title: "PipelineStatus", description: "deno task status --json" });

/** `deno task status --json`. */
export type PipelineStatus = z.infer<typeof PipelineStatus>;
