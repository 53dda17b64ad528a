/** Fills the outbox at the wanted rate, unless something says to wait. */
import type { GeneratorConfig } from "../contracts/generator_config.ts";
import { type Broker, UnknownTopicError } from "../broker/port.ts";
import { partitionOf } from "../broker/murmur2.ts";
import type { Logger } from "../runtime/log.ts";
import { backoff } from "../runtime/retry.ts";
import type { Breaker } from "./breaker.ts";
import type { Clock } from "./clock.ts";
import type { Outbox } from "./outbox.ts";
import { createStream, type StreamSettings, type TransactionStream } from "./stream.ts";
import { createTokenBucket, type TokenBucket } from "./token_bucket.ts";

/** What the producer works on. */
export interface ProducerContext {
  broker: Broker;
  topic: string;
  outbox: Outbox;
  breaker: Breaker;
  clock: Clock;
  log: Logger;
  /** Why to wait for reasons outside (disk); undefined: go on. */
  waitReason: () => string | undefined;
  /** Told where partitions end before anything of ours is sent. */
  onPartition: (partition: number, end: number) => void;
  /** Told of each record. */
  onGenerated: (injected: string) => void;
}

/** Most records of one go: keeps the event loop free for sending. */
const GO_MESSAGES_MAX = 1_000;

/** Shortest and longest pause between two goes, in ms. */
const PAUSE_MS_MIN = 10;
const PAUSE_MS_MAX = 100;

/** How often the number of partitions is asked for. */
const PARTITIONS_MS = 30_000;

function settingsOf(config: GeneratorConfig): StreamSettings {
  return {
    anomalyShare: config.anomaly_share,
    malformedShare: config.malformed_share,
    accounts: config.accounts,
    merchants: config.merchants,
  };
}

/** Generates until told to stop. */
export class Producer {
  readonly #context: ProducerContext;
  readonly #bucket: TokenBucket;
  readonly #encoder = new TextEncoder();
  #config: GeneratorConfig;
  #stream: TransactionStream | undefined;
  #streamSeed: number | undefined;
  #epoch: string | undefined;
  #streamsStarted = 0;
  #partitions = 0;
  #partitionsAtMs = -Infinity;
  #reason: string | undefined = "starting";

  constructor(context: ProducerContext, config: GeneratorConfig) {
    this.#context = context;
    this.#config = config;
    this.#bucket = createTokenBucket(config.rate_per_second, context.clock.now());
  }

  /** Settings in force. */
  get config(): GeneratorConfig {
    return this.#config;
  }

  /** The stream's epoch; undefined before it starts. */
  get epoch(): string | undefined {
    return this.#epoch;
  }

  /** Why nothing can be generated, apart from the pause that was asked for. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** Other settings from now on. */
  apply(config: GeneratorConfig): void {
    this.#config = config;
    this.#bucket.setRate(config.rate_per_second, this.#context.clock.now());
    // With another seed a new stream is started before the next record.
    if (config.seed === this.#streamSeed) this.#stream?.configure(settingsOf(config));
  }

  /** Runs until `stop` aborts. */
  async run(stop: AbortSignal): Promise<void> {
    const { outbox, breaker, clock, waitReason } = this.#context;
    while (!stop.aborted) {
      if (!await this.#ready(stop)) continue;
      this.#reason = waitReason();
      if (this.#config.paused || this.#reason !== undefined || breaker.state !== "closed") {
        await clock.pause(PAUSE_MS_MAX, stop);
        continue;
      }
      if (outbox.room === 0) {
        await outbox.drained.wait(stop);
        continue;
      }
      const now = clock.now();
      const due = this.#bucket.take(Math.min(outbox.room, GO_MESSAGES_MAX), now);
      for (let i = 0; i < due; i++) this.#generate(now);
      const max = this.#config.rate_per_second === "max";
      // At max only the outbox limits; a zero pause lets the sender run.
      const waitMs = max ? 0 : Math.max(PAUSE_MS_MIN, this.#bucket.waitMs(now));
      await clock.pause(Math.min(PAUSE_MS_MAX, waitMs), stop);
    }
  }

  #generate(nowMs: number): void {
    const { outbox, onGenerated } = this.#context;
    const { accountId, value, injected } = this.#stream!.next(nowMs * 1000);
    const key = this.#encoder.encode(accountId);
    outbox.push({ partition: partitionOf(key, this.#partitions), key, value, injected });
    onGenerated(injected);
  }

  /** True when partitions are known and the stream of the seed in force runs. */
  async #ready(stop: AbortSignal): Promise<boolean> {
    const { clock, log } = this.#context;
    const fresh = clock.now() - this.#partitionsAtMs < PARTITIONS_MS;
    if (fresh && this.#streamSeed === this.#config.seed) return true;
    const waits = backoff({ initialMs: 100, maxMs: 2000, random: () => 1 });
    while (!stop.aborted) {
      try {
        const ends = await this.#lookAtTopic();
        if (this.#streamSeed !== this.#config.seed) this.#startStream(ends);
        return true;
      } catch (error) {
        this.#partitionsAtMs = clock.now();
        // A running stream goes on with the partitions it knows; the sender has its own troubles.
        if (this.#streamSeed === this.#config.seed) return true;
        const reason = error instanceof Error ? error.message : String(error);
        if (reason !== this.#reason) log.warn("not_started", { error });
        this.#reason = reason;
        await clock.pause(waits.next(), stop);
      }
    }
    return false;
  }

  async #lookAtTopic(): Promise<number> {
    const { broker, topic, clock, onPartition } = this.#context;
    const offsets = await broker.offsets(topic);
    if (offsets.length === 0) throw new UnknownTopicError(`Cannot find topic "${topic}"`);
    for (const { partition, end } of offsets) onPartition(partition, end);
    this.#partitions = offsets.length;
    this.#partitionsAtMs = clock.now();
    return offsets.reduce((sum, { end }) => sum + end, 0);
  }

  /**
   * The epoch is how many records the topic has ever taken: 0 on a fresh pipeline, so that a seed gives
   * the same stream everywhere, and another number at any later start that followed a published record.
   * Streams after the first of a process are told apart by a count, as records may still be waiting here.
   */
  #startStream(ends: number): void {
    const { seed } = this.#config;
    const again = this.#streamsStarted++;
    this.#epoch = again === 0 ? `${ends}` : `${ends}+${again}`;
    this.#stream = createStream({ seed, epoch: this.#epoch }, settingsOf(this.#config));
    this.#streamSeed = seed;
    this.#context.log.info("stream_started", { seed, epoch: this.#epoch });
  }
}
