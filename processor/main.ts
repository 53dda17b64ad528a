/** The processor as a process: wiring only. */
import process from "node:process";
import { createKafkaBroker } from "../broker/kafka.ts";
import type { Broker } from "../broker/port.ts";
import { EXIT } from "../contracts/errors.ts";
import type { PipelineConfig } from "../contracts/pipeline_config.ts";
import { SCHEMA_VERSION } from "../contracts/services.ts";
import type { CompiledRules } from "../rules/compile.ts";
import { RuleFile } from "../rules/rule_file.ts";
import { ENGINE_VERSION, type VerdictSettings } from "../rules/version.ts";
import { parseConfigText } from "../runtime/config_parse.ts";
import { createDeadline } from "../runtime/deadline.ts";
import { brokerAddresses, type Environment, readEnvironment } from "../runtime/env.ts";
import { serveStage } from "../runtime/http.ts";
import { createLogger, type Logger } from "../runtime/log.ts";
import { maskAccount } from "../runtime/mask.ts";
import { createMetrics, type Metrics } from "../runtime/metrics.ts";
import { join } from "../runtime/path.ts";
import { readPipelineConfig } from "../runtime/pipeline_config.ts";
import { readProcessStats } from "../runtime/process_stats.ts";
import { sleep } from "../runtime/retry.ts";
import { publishSessions, type SessionBatch, sessionBatch } from "../runtime/session.ts";
import { runStage } from "../runtime/shutdown.ts";
import { createStageStatus, type StageFigures } from "../runtime/stage_status.ts";
import { AuditLog } from "./audit_log.ts";
import { type Clock, type ProcessorContext, settingsOf } from "./context.ts";
import { createCore, readyRuleFile } from "./core.ts";
import { createFigures, type Figures } from "./figures.ts";
import { configOwnership, groupOwnership, type Ownership } from "./ownership.ts";
import { openRuleFile, type RuleFileSource } from "./rule_reload.ts";
import { Processor } from "./run.ts";
import { shownBy } from "./show.ts";
import type { PartitionState } from "./state.ts";

/** How long the last session record may hold an end up. */
const LAST_MS_MAX = 3_000;

const clock: Clock = { now: Date.now, sleep };

/** What the parts of this process share. */
interface Parts {
  environment: Environment;
  config: PipelineConfig;
  sessionId: string;
  broker: Broker;
  metrics: Metrics;
  stage: StageFigures;
  figures: Figures;
  log: Logger;
}

function verdictSettings({ processor }: PipelineConfig): VerdictSettings {
  return {
    dedup_ids_max: processor.dedup_ids_max,
    accounts_max: processor.accounts_max,
    record_bytes_max: processor.record_bytes_max,
    time_zone_data: process.versions.tz ?? "unknown",
  };
}

function openRules(parts: Parts): Promise<RuleFileSource<CompiledRules>> {
  const { environment, config, figures, log } = parts;
  const settings = verdictSettings(config);
  return openRuleFile({
    path: join(environment.configDir, "alerting-rules.yaml"),
    parse: (text, file) => {
      const parsed = parseConfigText(text, file, RuleFile);
      return parsed.ok ? { ok: true, value: readyRuleFile(parsed.value, settings) } : parsed;
    },
    listener: {
      loaded: (version) => {
        figures.configLoaded();
        log.info("config_loaded", { rules_version: version });
      },
      broken: (issues) => {
        figures.configBroken(issues);
        log.error("config_refused", { issues });
      },
    },
  });
}

function chooseOwnership({ broker, config, environment, log }: Parts): Ownership {
  const { ownership, partitions, group } = config.processor;
  const topic = config.kafka.topics.raw;
  if (ownership === "config") return configOwnership(broker, { topic, partitions, clock, log });
  const instanceId = `${Deno.hostname()}-${environment.ports.processor}`;
  return groupOwnership(broker, { group: `${group}-owners`, topic, instanceId, clock, log });
}

function contextOf(
  parts: Parts,
  rules: RuleFileSource<CompiledRules>,
  audit: AuditLog,
): ProcessorContext<PartitionState, CompiledRules> {
  const { broker, config, figures, sessionId, log } = parts;
  const { processor, kafka } = config;
  return {
    broker,
    core: createCore(verdictSettings(config)),
    rules,
    topics: kafka.topics,
    group: processor.group,
    settings: settingsOf(processor),
    sessionId,
    clock,
    observer: {
      committed(unit) {
        figures.committed(unit);
        audit.committed(unit);
      },
      failed: (_partition, type, error) => figures.failed(type, error),
    },
    log,
  };
}

/** Publishes figures while `work` runs, and the final ones after it has ended in order. */
async function withSessions(
  { broker, config, stage, log }: Parts,
  work: () => Promise<void>,
): Promise<void> {
  const writer = await broker.openWriter();
  const topic = config.kafka.topics.sessions;
  const figures = (final: boolean) => stage.session({ leg: "generated_to_processed", final });
  async function publish(batch: SessionBatch): Promise<void> {
    await writer.send([{ topic, partition: 0, batch }]);
  }
  const stop = new AbortController();
  const { signal } = stop;
  const publishing = publishSessions({ figures, publish, now: Date.now, log, signal });
  try {
    await work();
    await createDeadline(LAST_MS_MAX)
      .race(publish(sessionBatch(figures(true))), "publish the session")
      .catch((error) => log.warn("session_not_published", { error }));
    log.info("stopped", { totals: stage.totals });
  } finally {
    stop.abort();
    await publishing;
    await writer.close();
  }
}

async function run(parts: Parts, signal: AbortSignal): Promise<number> {
  const { environment, metrics, log } = parts;
  const ended = new AbortController();
  const rules = await openRules(parts);
  const salt = environment.maskSalt ?? parts.sessionId;
  const audit = new AuditLog({ log, mask: (account) => maskAccount(salt, account) });
  const context = contextOf(parts, rules, audit);
  const ownership = chooseOwnership(parts);
  const processor = new Processor(context, { ownership, random: Math.random });
  const server = serveStage({
    port: environment.ports.processor,
    hostname: environment.listen,
    signal: ended.signal,
    metrics: () => {
      parts.figures.refresh(processor.views.values());
      return metrics.print();
    },
    ...shownBy({ processor, rules, stage: parts.stage, figures: parts.figures, context }),
  });
  const watching = rules.watch(AbortSignal.any([signal, ended.signal]));
  try {
    await withSessions(parts, () => processor.run(signal));
  } finally {
    ended.abort();
    audit.flush();
    await Promise.allSettled([watching, server.finished]);
    await parts.broker.close();
  }
  return EXIT.ok;
}

async function main(log: Logger, sessionId: string, signal: AbortSignal): Promise<number> {
  const environment = readEnvironment();
  const config = await readPipelineConfig(environment);
  const broker = createKafkaBroker({
    brokers: brokerAddresses(environment, config),
    clientId: `processor-${sessionId.slice(0, 8)}`,
    log: (level, message, fields) => log[level]("kafka_client", { message, ...fields }),
  });
  const metrics = createMetrics();
  const stage = createStageStatus({
    name: "processor",
    sessionId,
    pid: Deno.pid,
    versions: { deno: Deno.version.deno, engine: ENGINE_VERSION, schema: SCHEMA_VERSION },
    now: Date.now,
    processStats: readProcessStats,
  });
  const figures = createFigures({ stage, metrics, now: Date.now });
  log.info("started", { pid: Deno.pid });
  return await run(
    { environment, config, sessionId, broker, metrics, stage, figures, log },
    signal,
  );
}

if (import.meta.main) {
  const sessionId = crypto.randomUUID();
  const log = createLogger({ component: "processor", sessionId });
  await runStage((signal) => main(log, sessionId, signal), { log });
}
