/**
 * `config/pipeline.yaml`: addresses, names and limits (design sections 3-7). Read at start; a change
 * takes effect with the next start of a stage.
 */
import { z } from "zod";
import { PARTITIONS_DEFAULT, TOPIC_NAMES_DEFAULT } from "./topics.ts";

const MIB = 1024 * 1024;
const topicName = z.string().regex(/^[A-Za-z0-9._-]{1,249}$/);
const address = z.string().regex(/^[^\s:]+:\d{1,5}$/).meta({ description: "host:port" });

const Kafka = z.strictObject({
  brokers: z.array(address).min(1).optional()
    .meta({ description: "A Kafka that is already there; absent: `up` starts one" }),
  partitions: z.int().min(1).max(256).default(PARTITIONS_DEFAULT),
  topics: z.strictObject({
    raw: topicName.default(TOPIC_NAMES_DEFAULT.raw),
    transactions: topicName.default(TOPIC_NAMES_DEFAULT.transactions),
    alerts: topicName.default(TOPIC_NAMES_DEFAULT.alerts),
    deadLetter: topicName.default(TOPIC_NAMES_DEFAULT.deadLetter),
    state: topicName.default(TOPIC_NAMES_DEFAULT.state),
    sessions: topicName.default(TOPIC_NAMES_DEFAULT.sessions),
  }).prefault({}),
});

const Catalog = z.strictObject({
  uri: z.url().optional()
    .meta({ description: "A REST catalog that is already there; absent: `up` starts one" }),
  warehouse: z.string().min(1).optional(),
  token: z.string().optional().meta({ description: "Bearer token" }),
  credential: z.string().optional().meta({ description: "OAuth2 client_id:client_secret" }),
});

const Processor = z.strictObject({
  group: z.string().min(1).default("processor"),
  partitions: z.union([z.literal("all"), z.array(z.int().min(0))]).default("all")
    .meta({ description: "Partitions this instance owns when ownership is config" }),
  ownership: z.enum(["config", "group"]).default("config"),
  dedup_ids_max: z.int().min(1024).max(10_000_000).default(500_000)
    .meta({ description: "Accepted ids remembered per raw partition" }),
  accounts_max: z.int().min(1).max(10_000_000).default(50_000)
    .meta({ description: "Accounts with rule state per partition" }),
  record_bytes_max: z.int().min(1024).max(512 * 1024).default(256 * 1024)
    .meta({ description: "Larger records are dead-lettered too_large" }),
  fetch_bytes_max: z.int().min(64 * 1024).max(64 * MIB).default(1.5 * MIB),
  unit_bytes_max: z.int().min(64 * 1024).max(64 * MIB).default(2.5 * MIB).meta({
    description: "In a backlog a unit of work takes in fetches until its outputs have these bytes",
  }),
  batch_ms_min: z.int().min(0).max(10_000).default(20)
    .meta({ description: "A unit of work ends at the earliest this long after the previous one" }),
  compression: z.enum(["zstd", "none"]).default("zstd")
    .meta({ description: "Of batches in the output topics" }),
  transaction_timeout_ms: z.int().min(1000).max(900_000).default(10_000),
});

const Sink = z.strictObject({
  group: z.string().min(1).default("sink"),
  partitions: z.union([z.literal("all"), z.array(z.int().min(0)).min(1)]).default("all")
    .meta({ description: "Partitions this instance stores; several sinks may share them" }),
  commit_interval_ms: z.int().min(100).max(3_600_000).default(10_000),
  commit_rows_max: z.int().min(1).max(10_000_000).default(1_000_000),
  commit_bytes_max: z.int().min(MIB).max(4096 * MIB).default(512 * MIB)
    .meta({ description: "Bytes of spool that trigger a commit" }),
  commit_days_max: z.int().min(1).max(1000).default(32)
    .meta({ description: "Partition days in one commit" }),
  fetch_bytes_max: z.int().min(64 * 1024).max(64 * MIB).default(4 * MIB),
  duckdb_memory_mb: z.int().min(64).max(65_536).default(256),
  duckdb_threads: z.int().min(1).max(256).default(1),
  staged_age_max_ms: z.int().min(60_000).default(24 * 3_600_000),
});

/** Settings of the pipeline. */
export const PipelineConfig = z.strictObject({
  kafka: Kafka.prefault({}),
  catalog: Catalog.prefault({}),
  processor: Processor.prefault({}),
  sink: Sink.prefault({}),
}).meta({ title: "PipelineConfig", description: "config/pipeline.yaml" });

/** Settings of the pipeline, defaults filled in. */
export type PipelineConfig = z.infer<typeof PipelineConfig>;
