/** The generator as a whole, on ports: the same on Kafka and on the in-process broker. */
import type { ConfigIssue } from "../contracts/errors.ts";
import type { GeneratorConfig } from "../contracts/generator_config.ts";
import type { SessionFigures } from "../contracts/session.ts";
import type { StageStatus } from "../contracts/status.ts";
import { type Broker, UnreachableError } from "../broker/port.ts";
import type { DiskUsage } from "../runtime/disk.ts";
import type { Readiness } from "../runtime/http.ts";
import { createLatency } from "../runtime/latency.ts";
import type { Logger } from "../runtime/log.ts";
import type { Metrics } from "../runtime/metrics.ts";
import { publishSessions, type SessionBatch, sessionBatch } from "../runtime/session.ts";
import type { StageFigures } from "../runtime/stage_status.ts";
import { type Breaker, createBreaker } from "./breaker.ts";
import type { Clock } from "./clock.ts";
import { DiskGuard } from "./disk_guard.ts";
import { createGeneratorMetrics, type GeneratorMetrics } from "./figures.ts";
import { Outbox } from "./outbox.ts";
import { Producer } from "./producer.ts";
import { Sender } from "./sender.ts";

/** What the generator needs. */
export interface GeneratorContext {
  broker: Broker;
  topics: { raw: string; sessions: string };
  config: GeneratorConfig;
  clock: Clock;
  log: Logger;
  metrics: Metrics;
  stage: StageFigures;
  readDisk: () => Promise<DiskUsage>;
  /** For jitter. */
  random: () => number;
  /** How long a stop may take to send what is held. @default {4_000} */
  flushMsMax?: number;
}

/** How long a stop may take to send what is held: down gives every service 30 s in all. */
const FLUSH_MS_MAX = 4_000;

/** Generates and sends; shows what it does. */
export class Generator {
  readonly #context: GeneratorContext;
  readonly #figures: GeneratorMetrics;
  readonly #outbox: Outbox;
  readonly #breaker: Breaker;
  readonly #disk: DiskGuard;
  readonly #producer: Producer;
  readonly #sender: Sender;
  readonly #sendLatency = createLatency({ windowMs: Infinity });
  #sendError: string | undefined;

  constructor(context: GeneratorContext) {
    const { broker, topics, clock, log, stage, random } = context;
    this.#context = context;
    this.#figures = createGeneratorMetrics(context.metrics);
    this.#outbox = new Outbox({ topic: topics.raw });
    this.#breaker = createBreaker({ random });
    this.#disk = new DiskGuard({ read: context.readDisk, clock, log });
    const shared = { broker, outbox: this.#outbox, breaker: this.#breaker, clock, log };
    this.#sender = new Sender({
      ...shared,
      onPublished: (count, sendMs) => this.#published(count, sendMs),
      onFailed: (error) => {
        this.#sendError = error instanceof Error ? error.message : String(error);
        stage.error(error instanceof UnreachableError ? "unreachable" : "send", this.#sendError);
        this.#figures.sendFailed();
      },
    });
    this.#producer = new Producer({
      ...shared,
      topic: topics.raw,
      waitReason: () => this.#disk.reason,
      onPartition: (partition, end) => this.#sender.startAt(partition, end),
      onGenerated: (injected) => {
        stage.add("generated", 1);
        this.#figures.generated(injected);
      },
    }, context.config);
    stage.configApplied();
  }

  #published(count: number, sendMs: number): void {
    if (count === 0) return;
    this.#sendError = undefined;
    this.#context.stage.add("published", count);
    this.#figures.published(count, sendMs);
    this.#sendLatency.observe(sendMs, count);
  }

  /** Other settings from now on. */
  apply(config: GeneratorConfig): void {
    const { log, stage } = this.#context;
    this.#producer.apply(config);
    stage.configApplied();
    this.#figures.configApplied();
    this.#figures.configErrors(0);
    log.info("config_applied", { config });
  }

  /** The settings file is broken: shown, and nothing changes (H5). */
  refuse(issues: readonly ConfigIssue[]): void {
    const { log, stage } = this.#context;
    stage.configBroken(issues);
    this.#figures.configErrors(issues.length);
    log.error("config_refused", { issues });
  }

  /** Whether it does what it is told; a wanted pause is no trouble. */
  readiness(): Readiness {
    const reasons: string[] = [];
    if (this.#producer.reason !== undefined) reasons.push(this.#producer.reason);
    if (this.#breaker.state !== "closed") {
      reasons.push(`Kafka takes nothing, the circuit breaker is open: ${this.#sendError}`);
    }
    return { ready: reasons.length === 0, reasons };
  }

  /** The document of `/status`. */
  status(): StageStatus {
    const { rate_per_second, paused, seed } = this.#producer.config;
    return this.#context.stage.status({
      ...this.readiness(),
      details: {
        rate_per_second,
        paused,
        breaker: this.#breaker.state,
        buffered: this.#outbox.size,
        seed,
        epoch: this.#producer.epoch ?? null,
      },
    });
  }

  /** The text of `/metrics`. */
  metrics(): string {
    const { rate_per_second, paused } = this.#producer.config;
    this.#figures.moment({
      buffered: this.#outbox.size,
      breakerOpen: this.#breaker.state !== "closed",
      rate: rate_per_second === "max" ? Infinity : rate_per_second,
      paused,
    });
    return this.#context.metrics.print();
  }

  #session(final: boolean): SessionFigures {
    return {
      ...this.#context.stage.session({ final }),
      latency_ms: this.#sendLatency.percentiles(),
    };
  }

  /**
   * Runs until `stop` aborts, then sends what is held. Returns how many records could not be sent in
   * the time that a stop has.
   */
  async run(stop: AbortSignal): Promise<number> {
    const { clock, log, flushMsMax = FLUSH_MS_MAX } = this.#context;
    // Before the first record: a full volume must not get one more.
    await this.#disk.look();
    const giveUp = new AbortController();
    const produced = new AbortController();
    const sending = this.#sender.run({ stop: produced.signal, giveUp: giveUp.signal });
    const guarding = this.#disk.run(stop);
    const sessions = publishSessions({
      figures: (final) => this.#session(final),
      publish: (batch) => this.#publish(batch),
      now: () => clock.now(),
      log,
      signal: stop,
    });
    try {
      await this.#producer.run(stop);
    } finally {
      produced.abort();
      const sent = new AbortController();
      clock.pause(flushMsMax, sent.signal).then(() => giveUp.abort());
      await sending.finally(() => sent.abort());
      await guarding;
    }
    const unsent = await sending;
    await sessions;
    // Only a clean end is final: what stayed unsent was generated and not published.
    if (unsent === 0) await this.#publishFinal();
    log[unsent === 0 ? "info" : "error"]("stopped", { unsent, ...this.#context.stage.totals });
    return unsent;
  }

  /** A session of its own per record: it is one a minute, and a later one replaces an earlier. */
  async #publish(batch: SessionBatch): Promise<void> {
    const { broker, topics } = this.#context;
    const writer = await broker.openWriter();
    try {
      await writer.send([{ topic: topics.sessions, partition: 0, batch }]);
    } finally {
      await writer.close();
    }
  }

  async #publishFinal(): Promise<void> {
    try {
      await this.#publish(sessionBatch(this.#session(true)));
    } catch (error) {
      this.#context.log.warn("session_not_published", { error });
    }
  }
}
