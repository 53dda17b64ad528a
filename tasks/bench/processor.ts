/**
 * `deno task bench processor`: one processor process, exactly-once on, from Kafka to Kafka. It drains a backlog, then
 * runs at a steady rate for the latencies. Kafka is a fresh one on this machine.
 */
import { createKafkaBroker } from "../../broker/kafka.ts";
import type { Broker, Reader } from "../../broker/port.ts";
import { RecordFrames } from "../../broker/record_frames.ts";
import type { StageStatus } from "../../contracts/status.ts";
import { BASE_PORTS } from "../../contracts/services.ts";
import { TOPIC_NAMES_DEFAULT, topicSpecs } from "../../contracts/topics.ts";
import { projectRoot } from "../../runtime/env.ts";
import { join } from "../../runtime/path.ts";
import { sleep } from "../../runtime/retry.ts";
import { freePortOffset } from "../../tests/support/ports.ts";
import { startKafka } from "../../tests/support/services.ts";
import { ensureJars, type Jars } from "../native/jars.ts";
import { STAGE_NEEDS, v8Flags } from "../native/stage_flags.ts";
import { cpuSeconds, peakMemory } from "./measured_process.ts";
import { rawTransactions } from "./transactions.ts";

const PARTITIONS = 4;
const DAY_MS = 86_400_000;
const FEED_BATCH = 20_000;
const STEADY_PER_SECOND = 1000;
const STEADY_MS = 30_000;
const STEADY_BATCH_MS = 20;
/** Shortest wait between two looks at /status, which the measured thread has to answer. */
const POLL_MS = 10;
/** Records in a ms that no drain reaches: looking again after `left / this` never looks too late. */
const POLL_PER_MS = 500;
/** More than the broker's code runs uncompiled. */
const WARM_TRANSACTIONS = 200;
const WARM_RECORDS = 100;
const TOPICS = TOPIC_NAMES_DEFAULT;

/** Figures of one drained backlog. */
export interface DrainFigures {
  transactions: number;
  /** From the start of the process. */
  seconds: number;
  /** From the first committed record. */
  seconds_from_first: number;
  first_record_seconds: number;
  per_second: number;
  per_second_from_first: number;
  processor_cpu_seconds: number;
  broker_cpu_seconds: number;
  peak_memory_mb: number;
  alert_share: number;
}

interface Bench {
  broker: Broker;
  kafkaPid: number;
  env: Record<string, string>;
  port: number;
  random: () => number;
}

function round(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}

async function feedBacklog({ broker, random }: Bench, count: number): Promise<void> {
  const writer = await broker.openWriter();
  const endMs = Date.now() - DAY_MS;
  const startMs = endMs - DAY_MS;
  for (let from = 0; from < count; from += FEED_BATCH) {
    const share = Math.min(FEED_BATCH, count - from);
    const timeOf = (number: number) => startMs + number / count * DAY_MS;
    const columns = rawTransactions({
      count: share,
      from,
      partitions: PARTITIONS,
      startMs: timeOf(from),
      endMs: timeOf(from + share),
      random,
    });
    await writer.send(
      columns.map((batch, partition) => ({ topic: TOPICS.raw, partition, batch })),
    );
  }
  await writer.close();
}

function startProcessor({ env }: Bench): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      v8Flags(STAGE_NEEDS.processor),
      "-A",
      "--cached-only",
      join(projectRoot, "processor", "main.ts"),
    ],
    env,
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
}

async function statusOf({ port }: Bench): Promise<StageStatus | undefined> {
  try {
    return await (await fetch(`http://127.0.0.1:${port}/status`)).json();
  } catch {
    return undefined;
  }
}

/**
 * Resolves when the first record can be read. By fetches that wait for it: to look every few milliseconds would take
 * from the broker what the processor needs.
 */
async function firstRecord(readers: readonly Reader[]): Promise<void> {
  const found = new AbortController();
  const looks = readers.map(async (reader, partition) => {
    const options = { offset: 0, waitMsMax: 10_000, signal: found.signal };
    while ((await reader.fetch(TOPICS.transactions, partition, options)).records.count === 0);
  });
  await Promise.race(looks);
  found.abort();
  await Promise.allSettled(looks);
}

async function drain(bench: Bench, count: number): Promise<DrainFigures> {
  await feedBacklog(bench, count);
  const openings = Array.from({ length: PARTITIONS }, () => bench.broker.openReader());
  const readers = await Promise.all(openings);
  const brokerCpu = await cpuSeconds(bench.kafkaPid);
  const began = performance.now();
  const child = startProcessor(bench);
  await firstRecord(readers);
  const first = performance.now();
  let status: StageStatus | undefined;
  for (;;) {
    status = await statusOf(bench);
    const { processed = 0, dead_lettered = 0 } = status?.totals ?? {};
    const left = count - processed - dead_lettered;
    if (left <= 0) break;
    await sleep(Math.max(POLL_MS, left / POLL_PER_MS));
  }
  const seconds = (performance.now() - began) / 1000;
  const fromFirst = (performance.now() - first) / 1000;
  const figures: DrainFigures = {
    transactions: count,
    seconds: round(seconds),
    seconds_from_first: round(fromFirst),
    first_record_seconds: round(seconds - fromFirst),
    per_second: Math.round(count / seconds),
    per_second_from_first: Math.round(count / fromFirst),
    processor_cpu_seconds: round(await cpuSeconds(child.pid)),
    broker_cpu_seconds: round(await cpuSeconds(bench.kafkaPid) - brokerCpu),
    peak_memory_mb: Math.round(await peakMemory(child.pid) / 2 ** 20),
    alert_share: round((status?.totals.alerts ?? 0) / count, 3),
  };
  child.kill("SIGTERM");
  await child.status;
  await Promise.all(readers.map((reader) => reader.close()));
  return figures;
}

async function steady(bench: Bench): Promise<StageStatus["latency_ms"]> {
  const { broker, random } = bench;
  const child = startProcessor(bench);
  while ((await statusOf(bench))?.ready !== true) await sleep(50);
  const writer = await broker.openWriter();
  const count = STEADY_PER_SECOND * STEADY_BATCH_MS / 1000;
  const began = performance.now();
  for (let round = 0; round < STEADY_MS / STEADY_BATCH_MS; round++) {
    const columns = rawTransactions({
      count,
      from: 1_000_000_000 + round * count,
      partitions: PARTITIONS,
      startMs: Date.now() - DAY_MS + round * 1000,
      endMs: Date.now() - DAY_MS + (round + 1) * 1000,
      random,
    });
    await writer.send(
      columns.map((batch, partition) => ({ topic: TOPICS.raw, partition, batch }))
        .filter(({ batch }) => batch.keys.length > 0),
    );
    await sleep(Math.max(0, began + (round + 1) * STEADY_BATCH_MS - performance.now()));
  }
  await writer.close();
  await sleep(500);
  const latency = (await statusOf(bench))!.latency_ms;
  child.kill("SIGTERM");
  await child.status;
  return latency;
}

/**
 * A broker in service has its transaction log, zstd's library and the code of a transaction in memory; a fresh one makes and
 * loads them at the first use, some 25 ms for each kind of request. What starts here is the processor.
 */
async function warm(broker: Broker): Promise<void> {
  const topic = "warm";
  await broker.createTopics([{ name: topic, partitions: 1 }]);
  const writer = await broker.openTransactionalWriter("warm");
  const batch = new RecordFrames({ shared: [] }, { compression: "zstd" });
  for (let i = 0; i < WARM_RECORDS; i++) batch.add(null, new Uint8Array(100));
  for (let i = 0; i < WARM_TRANSACTIONS; i++) {
    writer.begin();
    await writer.send([{ topic, partition: 0, batch }]);
    await writer.commit();
  }
  await writer.close();
}

/** Runs `work` over a fresh Kafka with the pipeline's topics. */
async function withBench<T>(
  jars: Jars,
  random: () => number,
  work: (bench: Bench) => Promise<T>,
): Promise<T> {
  const dir = await Deno.makeTempDir({ prefix: "bench_processor_" });
  const kafka = await startKafka(jars, { dir: join(dir, "kafka") });
  const broker = createKafkaBroker({ brokers: [kafka.address], clientId: "bench" });
  const offset = freePortOffset();
  try {
    await broker.createTopics(topicSpecs(TOPICS, PARTITIONS));
    await warm(broker);
    const env = {
      PIPELINE_CONFIG_DIR: join(projectRoot, "config"),
      PIPELINE_DATA_DIR: join(dir, "data"),
      PIPELINE_PORT_OFFSET: String(offset),
      PIPELINE_KAFKA_BROKERS: kafka.address,
    };
    const port = BASE_PORTS.processor + offset;
    return await work({ broker, kafkaPid: kafka.pid, env, port, random });
  } finally {
    await broker.close();
    await kafka.kill();
    await Deno.remove(dir, { recursive: true });
  }
}

/** Drains a backlog of each size, then measures latencies; prints each figure as one JSON line. */
export async function benchProcessor(
  options: { sizes: readonly number[]; random: () => number },
): Promise<void> {
  const jars = await ensureJars();
  for (const size of options.sizes) {
    const figures = await withBench(jars, options.random, (bench) => drain(bench, size));
    console.log(JSON.stringify({ bench: "processor_drain", ...figures }));
  }
  const latency = await withBench(jars, options.random, steady);
  console.log(
    JSON.stringify({ bench: "processor_steady", per_second: STEADY_PER_SECOND, ...latency }),
  );
}
