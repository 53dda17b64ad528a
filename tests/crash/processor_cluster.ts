/** A Kafka of its own for crash suites of the processor: topics, a config folder, a paced feeder. */
import { createKafkaBroker } from "../../broker/kafka.ts";
import { type Broker, UnreachableError } from "../../broker/port.ts";
import { TOPIC_NAMES_DEFAULT, topicSpecs } from "../../contracts/topics.ts";
import { SETTINGS_DEFAULT } from "../../processor/context.ts";
import { readLoopRecords } from "../../processor/take_partition.ts";
import { projectRoot } from "../../runtime/env.ts";
import { join } from "../../runtime/path.ts";
import { sleep } from "../../runtime/retry.ts";
import { ensureJars, type Jars } from "../../tasks/native/jars.ts";
import type { Feed } from "../simulation/real_feed.ts";
import type { JudgeContext } from "../simulation/real_judge.ts";
import { freePortOffset } from "../support/ports.ts";
import { startKafka } from "../support/services.ts";

/** Partitions of every topic. */
export const PARTITIONS = 4;

/** Topic names in use. */
export const TOPICS = TOPIC_NAMES_DEFAULT;

const DEDUP_IDS = 500_000;
const ACCOUNTS = 50_000;

/** Kafka, topics, settings. */
export class Cluster {
  readonly #jars: Jars;
  readonly #dir: string;
  #kafka: Awaited<ReturnType<typeof startKafka>>;
  readonly broker: Broker;
  readonly configDir: string;
  readonly #portOffsets: number[] = [];

  private constructor(jars: Jars, dir: string, kafka: Awaited<ReturnType<typeof startKafka>>) {
    this.#jars = jars;
    this.#dir = dir;
    this.#kafka = kafka;
    this.configDir = join(dir, "config");
    this.broker = createKafkaBroker({ brokers: [kafka.address], clientId: "crash-test" });
  }

  /** Starts Kafka and creates the topics; `processor` goes into config/pipeline.yaml. */
  static async start(processor: Record<string, unknown> = {}): Promise<Cluster> {
    const jars = await ensureJars();
    const dir = await Deno.makeTempDir({ prefix: "processor_crash_" });
    const kafka = await startKafka(jars, { dir: join(dir, "kafka") });
    const cluster = new Cluster(jars, dir, kafka);
    await Deno.mkdir(cluster.configDir);
    await Deno.writeTextFile(
      join(cluster.configDir, "pipeline.yaml"),
      JSON.stringify({ processor }) + "\n",
    );
    await Deno.copyFile(
      join(projectRoot, "config", "alerting-rules.yaml"),
      cluster.rulesPath,
    );
    await cluster.broker.createTopics(topicSpecs(TOPICS, PARTITIONS));
    return cluster;
  }

  get rulesPath(): string {
    return join(this.configDir, "alerting-rules.yaml");
  }

  /** Environment of a processor; `slot` keeps ports of several apart. */
  environment(slot: number): Record<string, string> {
    this.#portOffsets[slot] ??= freePortOffset(this.#portOffsets);
    return {
      PIPELINE_CONFIG_DIR: this.configDir,
      PIPELINE_DATA_DIR: join(this.#dir, "data"),
      PIPELINE_PORT_OFFSET: String(this.#portOffsets[slot]),
      PIPELINE_KAFKA_BROKERS: this.#kafka.address,
    };
  }

  /** Context of the judge, as the shipped settings have it. */
  judgeContext(): JudgeContext {
    return {
      broker: this.broker,
      topics: TOPICS,
      group: "processor",
      clock: { now: Date.now, sleep },
      settings: {
        ...SETTINGS_DEFAULT,
        batchMsMin: 20,
        fetchBytesMax: 4 * 1024 * 1024,
        unitBytesMax: 4 * 1024 * 1024,
        recordBytesMax: 262_144,
        transactionTimeoutMs: 10_000,
        dedupIdsMax: DEDUP_IDS,
        accountsMax: ACCOUNTS,
      },
    };
  }

  /** Kills the broker and starts it again on the same data and ports. */
  async restartKafka(): Promise<void> {
    const { port, controllerPort } = this.#kafka;
    await this.#kafka.kill();
    await sleep(300);
    this.#kafka = await startKafka(this.#jars, {
      dir: join(this.#dir, "kafka"),
      port,
      controllerPort,
    });
  }

  /**
   * Appends a feed's records, `count` per partition in batches, spread over `pacedMs`; and goes on at
   * that pace while `more` says that somebody still waits for work to happen.
   */
  async feed(
    feed: Feed,
    options: { count: number; batch: number; pacedMs: number; more: () => boolean },
  ): Promise<void> {
    const { count, batch, pacedMs, more } = options;
    const writer = await this.broker.openWriter();
    const rounds = Math.ceil(count / batch);
    const began = performance.now();
    for (let round = 0; round < rounds || more(); round++) {
      const shares = Array.from({ length: PARTITIONS }, (_, partition) => {
        const records = feed.next(partition, batch);
        const keys = records.map(({ key }) => key);
        const values = records.map(({ value }) => value);
        return { topic: TOPICS.raw, partition, batch: { keys, values } };
      });
      for (;;) {
        try {
          await writer.send(shares);
          break;
        } catch (error) {
          // The very same batches again: the writer's sequence numbers keep them from doubling.
          if (!(error instanceof UnreachableError)) throw error;
        }
      }
      await sleep(Math.max(0, began + pacedMs * (round + 1) / rounds - performance.now()));
    }
    await writer.close();
  }

  /** Partitions of the changelog with an open transaction. */
  async openTransactions(): Promise<number[]> {
    const offsets = await this.broker.offsets(TOPICS.state);
    return offsets.filter(({ stable, end }) => end > stable).map(({ partition }) => partition);
  }

  /** rules_version of a partition's newest boundary; "" before there is one. */
  async rulesInForce(partition: number): Promise<string> {
    const reader = await this.broker.openReader();
    try {
      const { signal } = new AbortController();
      const records = await readLoopRecords(this.judgeContext(), { reader, partition, signal });
      const newest = Math.max(...records.boundaries.keys());
      return records.boundaries.get(newest)?.rulesVersion ?? "";
    } finally {
      await reader.close();
    }
  }

  /** Resolves when the mirrored offsets have reached the raw log's ends. */
  async drained(waitMsMax = 180_000): Promise<void> {
    const deadline = performance.now() + waitMsMax;
    for (;;) {
      const [ends, mirrored] = await Promise.all([
        this.broker.offsets(TOPICS.raw),
        this.broker.groupOffsets("processor", TOPICS.raw),
      ]);
      const at = new Map(mirrored.map(({ partition, offset }) => [partition, offset]));
      if (ends.every(({ partition, stable }) => at.get(partition) === stable)) return;
      if (performance.now() > deadline) {
        throw new Error(`Cannot drain: at ${JSON.stringify([...at])} of ${JSON.stringify(ends)}`);
      }
      await sleep(100);
    }
  }

  async stop(): Promise<void> {
    await this.broker.close();
    await this.#kafka.kill();
    await Deno.remove(this.#dir, { recursive: true });
  }
}
