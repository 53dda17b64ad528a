/** The sink as a process: settings, Kafka, catalog, HTTP, shutdown. */
import { createKafkaBroker } from "../broker/kafka.ts";
import { EXIT } from "../contracts/errors.ts";
import { SCHEMA_VERSION } from "../contracts/services.ts";
import { restCatalog } from "../iceberg/catalog/rest.ts";
import { systemEnvironment } from "../iceberg/commit/environment.ts";
import { localStorage } from "../iceberg/storage/local.ts";
import {
  brokerAddresses,
  createLogger,
  createMetrics,
  createStageStatus,
  type Logger,
  readDisk,
  readEnvironment,
  readProcessStats,
  runStage,
  serveStage,
} from "../runtime/mod.ts";
import { catalogOptions, warehouseFolder } from "../runtime/lakehouse.ts";
import { join } from "../runtime/path.ts";
import { readPipelineConfig } from "../runtime/pipeline_config.ts";
import { sleep } from "../runtime/retry.ts";
import { DiskGuard } from "./disk_guard.ts";
import { Sink } from "./run.ts";

async function main(stop: AbortSignal, log: Logger, sessionId: string): Promise<number> {
  const environment = readEnvironment();
  const config = await readPipelineConfig(environment);
  const broker = createKafkaBroker({
    brokers: brokerAddresses(environment, config),
    clientId: `sink-${sessionId.slice(0, 8)}`,
    log: (level, message, fields) => log[level]("kafka_client", { message, ...fields }),
  });
  const warehouse = warehouseFolder(environment, config);
  const scratch = join(environment.dataDir, "spool");
  const sink = new Sink({
    broker,
    catalog: restCatalog(catalogOptions(environment, config)),
    environment: systemEnvironment(localStorage({ roots: [warehouse] })),
    config,
    scratch,
    sessionId,
    log,
    metrics: createMetrics(),
    stage: createStageStatus({
      name: "sink",
      sessionId,
      pid: Deno.pid,
      versions: { deno: Deno.version.deno, schema: SCHEMA_VERSION },
      now: Date.now,
      processStats: readProcessStats,
    }),
    disk: new DiskGuard({
      paths: [...new Set([environment.dataDir, warehouse])],
      read: readDisk,
      sleep,
      log,
    }),
  });
  // HTTP outlives the last commit, so that a slow stop can be seen.
  const ended = new AbortController();
  const server = serveStage({
    port: environment.ports.sink,
    hostname: environment.listen,
    status: () => sink.status(),
    readiness: () => sink.readiness(),
    metrics: () => sink.metrics(),
    signal: ended.signal,
  });
  log.info("started", { port: server.port, warehouse, scratch });
  try {
    await sink.run(stop);
    return EXIT.ok;
  } finally {
    ended.abort();
    await Promise.all([server.finished, broker.close()]);
  }
}

if (import.meta.main) {
  const sessionId = crypto.randomUUID();
  const log = createLogger({ component: "sink", sessionId });
  await runStage((stop) => main(stop, log, sessionId), { log });
}
