/** Asks every part of a pipeline how it is: the supervisor's file, the stages' /status, the broker. */
import { createKafkaBroker } from "../../broker/kafka.ts";
import type { Broker } from "../../broker/port.ts";
import type { PipelineConfig } from "../../contracts/pipeline_config.ts";
import {
  BASE_PORTS,
  NAMESPACE,
  SERVICE_NAMES,
  type ServiceName,
  STAGE_NAMES,
  type StageName,
} from "../../contracts/services.ts";
import { TABLES } from "../../contracts/tables.ts";
import {
  CatalogError,
  NoSuchNamespaceError,
  NoSuchTableError,
} from "../../iceberg/catalog/errors.ts";
import { restCatalog } from "../../iceberg/catalog/rest.ts";
import { currentSnapshot } from "../../iceberg/metadata.ts";
import { type PipelineStatus, type ServiceStatus, StageStatus } from "../../contracts/status.ts";
import { readDisk } from "../../runtime/disk.ts";
import { brokerAddresses, type Environment } from "../../runtime/env.ts";
import { type CatalogAddress, catalogOptions } from "../../runtime/lakehouse.ts";
import {
  type PipelineParts,
  pipelineStatus,
  silentService,
} from "../../runtime/pipeline_status.ts";
import { layoutOf } from "../native/layout.ts";
import { liveState, type SupervisorState } from "../native/state.ts";

/** How long one part may take to answer, in ms. */
const ANSWER_MS_MAX = 3000;

/** Fetches and checks a stage's /status; undefined where nothing answers. */
export async function fetchStage(
  port: number,
  host = "127.0.0.1",
): Promise<StageStatus | undefined> {
  try {
    const response = await fetch(`http://${host}:${port}/status`, {
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    });
    return StageStatus.parse(await response.json());
  } catch (error) {
    if (error instanceof TypeError || error instanceof DOMException) return undefined;
    throw error;
  }
}

function secondsSince(iso: string | null, nowMs: number): number | null {
  return iso === null ? null : Math.round((nowMs - Date.parse(iso)) / 1000);
}

/** What the supervisor knows, with the stage's own word on readiness and its last error. */
function supervised(state: SupervisorState, stages: Map<string, StageStatus>): ServiceStatus[] {
  const nowMs = Date.now();
  return SERVICE_NAMES.map((name) => {
    const service = state.services.find((candidate) => candidate.name === name);
    if (service === undefined) return silentService(name, "the supervisor does not run it");
    const stage = stages.get(name);
    return {
      name,
      state: service.state,
      ready: service.ready && (stage?.ready ?? true),
      reasons: stage === undefined ? service.reasons : stage.reasons,
      pid: service.pid,
      uptime_s: secondsSince(service.started_at, nowMs),
      restarts: service.restarts,
      rss_bytes: service.rss_bytes,
      cpu_percent: service.cpu_percent,
      last_error: stage?.last_error ?? service.last_error,
    };
  });
}

function fromStage(name: StageName, stage: StageStatus | undefined): ServiceStatus {
  if (stage === undefined) {
    return silentService(name, `nothing answers on port ${BASE_PORTS[name]} (plus offset)`);
  }
  return {
    name,
    state: "running",
    ready: stage.ready,
    reasons: stage.reasons,
    pid: stage.pid,
    uptime_s: Math.round(stage.uptime_s),
    restarts: 0,
    rss_bytes: stage.rss_bytes,
    cpu_percent: null,
    last_error: stage.last_error,
  };
}

function answering(name: ServiceName, error: string | undefined): ServiceStatus {
  const silent = silentService(name, error ?? "");
  return error === undefined ? { ...silent, state: "running", ready: true, reasons: [] } : silent;
}

async function catalogError(uri: string): Promise<string | undefined> {
  try {
    const response = await fetch(`${uri}/v1/config`, {
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    });
    await response.body?.cancel();
    return response.ok ? undefined : `${uri} answers ${response.status}`;
  } catch {
    return `nothing answers at ${uri}`;
  }
}

/** Rows of finance.dead_letters by its snapshot summary, which outlives every restart of a stage. */
async function readDeadLetterDepth(options: CatalogAddress): Promise<number | null> {
  try {
    const catalog = restCatalog({ ...options, timeoutMs: ANSWER_MS_MAX });
    const { metadata } = await catalog.loadTable({
      namespace: [NAMESPACE],
      name: TABLES.dead_letters.name,
    });
    return Number(currentSnapshot(metadata)?.summary["total-records"] ?? 0);
  } catch (error) {
    if (error instanceof NoSuchTableError || error instanceof NoSuchNamespaceError) return 0;
    if (error instanceof CatalogError) return null;
    throw error;
  }
}

/** Asks anew only when the last answer is this old, ms: what changes slowly and costs a request. */
const KEPT_MS = 5000;

function kept<T>(ask: () => Promise<T>): () => Promise<T> {
  let last: { atMs: number; answer: T } | undefined;
  return async () => {
    if (last === undefined || performance.now() - last.atMs > KEPT_MS) {
      last = { atMs: performance.now(), answer: await ask() };
    }
    return last.answer;
  };
}

type Lag = PipelineStatus["lag"];

async function groupLag(broker: Broker, group: string, topic: string): Promise<Lag> {
  const [ends, committed] = await Promise.all([
    broker.offsets(topic),
    broker.groupOffsets(group, topic),
  ]);
  const byPartition = new Map(committed.map((entry) => [entry.partition, entry.offset]));
  return ends.map(({ partition, end, stable }) => ({
    group,
    topic,
    partition,
    end: String(end),
    stable: String(stable),
    committed: String(byPartition.get(partition) ?? -1),
  }));
}

/** End, stable and committed offset per group and partition (L2: stable alone hides a hanging transaction). */
async function readLag(broker: Broker, config: PipelineConfig): Promise<Lag> {
  const { topics } = config.kafka;
  const pairs: [string, string][] = [
    [config.processor.group, topics.raw],
    [config.sink.group, topics.transactions],
    [config.sink.group, topics.alerts],
    [config.sink.group, topics.deadLetter],
    [config.sink.group, topics.sessions],
  ];
  const existing = await broker.topics(pairs.map(([, topic]) => topic));
  const lags = await Promise.all(
    pairs.filter(([, topic]) => existing.has(topic)).map(([group, topic]) =>
      groupLag(broker, group, topic)
    ),
  );
  return lags.flat();
}

/** Collects the status of pipelines again and again over one connection to the broker. */
export interface Collector {
  collect(): Promise<PipelineStatus>;
  /** What `collect` puts together. */
  parts(): Promise<PipelineParts>;
  close(): Promise<void>;
}

/**
 * Opens a collector. The broker is only connected to when something says that it runs. With `host` it
 * asks the stages there, and leaves this machine's supervisor and disk alone.
 */
export function openCollector(
  environment: Environment,
  config: PipelineConfig,
  { host }: { host?: string } = {},
): Collector {
  const brokers = brokerAddresses(environment, config);
  const catalog = catalogOptions(environment, config);
  let broker: Broker | undefined;
  const disk = kept(() => readDisk(environment.dataDir));
  const deadLetterDepth = kept(() => readDeadLetterDepth(catalog));

  async function lagOrError(): Promise<{ lag: Lag; error?: string }> {
    try {
      broker ??= await createKafkaBroker({ brokers, clientId: "status" });
      const silence = new Promise<never>((_, reject) =>
        AbortSignal.timeout(ANSWER_MS_MAX).addEventListener("abort", () => reject(new Error()))
      );
      return { lag: await Promise.race([readLag(broker, config), silence]) };
    } catch {
      await broker?.close().catch(() => {});
      broker = undefined;
      return { lag: [], error: `nothing answers at ${brokers.join(", ")}` };
    }
  }

  async function parts(): Promise<PipelineParts> {
    const state = host === undefined ? await liveState(layoutOf(environment.dataDir)) : undefined;
    const answers = await Promise.all(
      STAGE_NAMES.map(async (name) =>
        [name, await fetchStage(environment.ports[name], host)] as const
      ),
    );
    const stages = new Map(
      answers.filter((a): a is [StageName, StageStatus] => a[1] !== undefined),
    );
    const nothingRuns = state === undefined && stages.size === 0 &&
      environment.kafkaBrokers === undefined && config.kafka.brokers === undefined;
    const { lag, error } = nothingRuns
      ? { lag: [], error: "nothing runs here" }
      : await lagOrError();
    const services = state !== undefined ? supervised(state, stages) : [
      answering("kafka", error),
      answering("catalog", await catalogError(catalog.uri)),
      ...STAGE_NAMES.map((name) => fromStage(name, stages.get(name))),
    ];
    const disks = host === undefined ? [await disk()] : [];
    return {
      services,
      stages: [...stages.values()],
      lag,
      disk: disks.map(({ path, used_percent }) => ({ path, used_percent })),
      deadLetterDepth: await deadLetterDepth(),
      otherRssBytes: state?.supervisor.rss_bytes ?? 0,
    };
  }

  const collect = async (): Promise<PipelineStatus> => pipelineStatus(await parts());

  return { collect, parts, close: async () => await broker?.close() };
}
