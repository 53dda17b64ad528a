/** The generator as a process: settings, Kafka, HTTP, shutdown. */
import { EXIT } from "../contracts/errors.ts";
import { GeneratorConfig } from "../contracts/generator_config.ts";
import { createKafkaBroker } from "../broker/kafka.ts";
import {
  brokerAddresses,
  createLogger,
  createMetrics,
  createStageStatus,
  type Logger,
  readConfigFile,
  readDisk,
  readEnvironment,
  readProcessStats,
  runStage,
  serveStage,
  watchConfigFile,
} from "../runtime/mod.ts";
import { join } from "../runtime/path.ts";
import { readPipelineConfig } from "../runtime/pipeline_config.ts";
import { systemClock } from "./clock.ts";
import { Generator } from "./run.ts";

/** One send is retried by the client for this long before it counts as failed. */
const SEND_MS_MAX = 3_000;

async function main(stop: AbortSignal, log: Logger, sessionId: string): Promise<number> {
  const environment = readEnvironment();
  const pipeline = await readPipelineConfig(environment);
  const path = join(environment.configDir, "generator.yaml");
  const { value: config, text } = await readConfigFile(path, GeneratorConfig);
  const brokers = brokerAddresses(environment, pipeline);
  const broker = createKafkaBroker({
    brokers,
    clientId: "generator",
    deadlineMs: SEND_MS_MAX,
    log: (level, message, fields) => log[level]("kafka_client", { message, ...fields }),
  });
  const generator = new Generator({
    broker,
    topics: pipeline.kafka.topics,
    config,
    clock: systemClock,
    log,
    metrics: createMetrics(),
    stage: createStageStatus({
      name: "generator",
      sessionId,
      pid: Deno.pid,
      versions: { deno: Deno.version.deno },
      now: Date.now,
      processStats: readProcessStats,
    }),
    readDisk: () => readDisk(environment.dataDir),
    random: Math.random,
  });
  // HTTP and the watch outlive the flush, so that a slow stop can be seen.
  const ended = new AbortController();
  const server = serveStage({
    port: environment.ports.generator,
    hostname: environment.listen,
    status: () => generator.status(),
    readiness: () => generator.readiness(),
    metrics: () => generator.metrics(),
    signal: ended.signal,
  });
  const watching = watchConfigFile({
    path,
    schema: GeneratorConfig,
    textInForce: text,
    onValue: (value) => generator.apply(value),
    onIssues: (issues) => generator.refuse(issues),
    signal: ended.signal,
  });
  log.info("started", { brokers, port: server.port, config });
  try {
    const unsent = await generator.run(stop);
    return unsent === 0 ? EXIT.ok : EXIT.no;
  } finally {
    ended.abort();
    await Promise.all([watching, server.finished, broker.close()]);
  }
}

if (import.meta.main) {
  const sessionId = crypto.randomUUID();
  const log = createLogger({ component: "generator", sessionId });
  await runStage((stop) => main(stop, log, sessionId), { log });
}
