/** Shared vocabulary of the pipeline: pure, imports nothing of ours. */
export * from "./alert.ts";
export * from "./codes.ts";
export * from "./dead_letter.ts";
export * from "./errors.ts";
export * from "./generator_config.ts";
export * from "./headers.ts";
export * from "./ids.ts";
export * from "./limits.ts";
export * from "./money.ts";
export * from "./pipeline_config.ts";
export * from "./services.ts";
export * from "./session.ts";
export { LATENCY_LEGS, PipelineStatus, StageStatus } from "./status.ts";
export * from "./tables.ts";
export * from "./timestamps.ts";
export * from "./topics.ts";
export * from "./transaction.ts";
