/** What every stage needs: settings, log, metrics, HTTP, shutdown. */
export * from "./config_file.ts";
export * from "./deadline.ts";
export * from "./disk.ts";
export * from "./env.ts";
export * from "./http.ts";
export * from "./latency.ts";
export * from "./log.ts";
export * from "./mask.ts";
export * from "./metrics.ts";
export * from "./pipeline_config.ts";
export * from "./process_stats.ts";
export * from "./rates.ts";
export * from "./retry.ts";
export * from "./session.ts";
export * from "./shutdown.ts";
export * from "./stage_status.ts";
