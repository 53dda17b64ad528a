/**
 * Empties the outbox into Kafka, in order, through the circuit breaker. Nothing is lost while the
 * process lives, and nothing doubled: a unit is repeated through the same producer session, and when
 * that is dead, only after the log's tail was compared with it.
 */
import { type Broker, UnreachableError, type Writer } from "../broker/port.ts";
import type { Logger } from "../runtime/log.ts";
import type { Breaker } from "./breaker.ts";
import type { Clock } from "./clock.ts";
import type { Outbox, SendUnit } from "./outbox.ts";
import { reconcile, SETTLE_MS } from "./reconcile.ts";

/** What the sender works on. */
export interface SenderContext {
  broker: Broker;
  outbox: Outbox;
  breaker: Breaker;
  clock: Clock;
  log: Logger;
  /** Told of records that are in the log now, and how long the send took. */
  onPublished: (count: number, sendMs: number) => void;
  /** Told of each failed send. */
  onFailed: (error: unknown) => void;
}

/** Sends units until told to stop. */
export class Sender {
  readonly #context: SenderContext;
  #writer: Writer | undefined;
  /** The session that sent the head is dead, and its outcome unknown. */
  #inDoubt = false;
  /** Next offset after what is known to be ours, by partition. */
  readonly #after = new Map<number, number>();

  constructor(context: SenderContext) {
    this.#context = context;
  }

  /** Where partitions end before anything of ours is there. */
  startAt(partition: number, end: number): void {
    if (!this.#after.has(partition)) this.#after.set(partition, end);
  }

  /**
   * Runs until `stop` aborts and the outbox is empty, or until `giveUp` aborts. Returns how many
   * records stayed unsent.
   */
  async run(signals: { stop: AbortSignal; giveUp: AbortSignal }): Promise<number> {
    const { outbox } = this.#context;
    const { stop, giveUp } = signals;
    while (!giveUp.aborted) {
      const unit = outbox.head();
      if (unit === undefined) {
        if (stop.aborted) break;
        await outbox.filled.wait(stop);
      } else {
        await this.#attempt(unit, giveUp);
      }
    }
    await this.#writer?.close();
    return outbox.size;
  }

  async #attempt(unit: SendUnit, giveUp: AbortSignal): Promise<void> {
    const { outbox, breaker, clock, log, onPublished, onFailed } = this.#context;
    breaker.trying();
    const startMs = clock.now();
    try {
      const rest = this.#inDoubt ? await this.#settle(unit) : unit;
      if (rest.count > 0) await this.#send(rest);
      outbox.acknowledge();
      onPublished(rest.count, clock.now() - startMs);
      if (breaker.succeeded()) log.info("breaker_closed", { buffered: outbox.size });
    } catch (error) {
      onFailed(error);
      await this.#afterFailure(error);
      const before = breaker.state;
      const waitMs = breaker.failed();
      const opened = breaker.state === "open" && before === "closed";
      log.warn(opened ? "breaker_open" : "send_failed", {
        error: error instanceof UnreachableError ? error.message : error,
        failures: breaker.failures,
        buffered: outbox.size,
        wait_ms: waitMs,
      });
      await clock.pause(waitMs, giveUp);
    }
  }

  async #send(unit: SendUnit): Promise<void> {
    this.#writer ??= await this.#context.broker.openWriter();
    for (const { partition, baseOffset, count } of await this.#writer.send(unit.shares)) {
      this.#after.set(partition, baseOffset + count);
    }
  }

  /** A live session repeats; anything but "unreachable" means that this one is dead. */
  async #afterFailure(error: unknown): Promise<void> {
    if (error instanceof UnreachableError || this.#writer === undefined) return;
    const dead = this.#writer;
    this.#writer = undefined;
    this.#inDoubt = true;
    await dead.close().catch(() => {}); // it is dead already
  }

  async #settle(unit: SendUnit): Promise<SendUnit> {
    const { broker, outbox, clock, log, onPublished } = this.#context;
    await clock.pause(SETTLE_MS);
    const rest = await reconcile(broker, unit, this.#after);
    const found = unit.count - rest.count;
    log.warn("session_replaced", { found_in_log: found, to_send: rest.count });
    outbox.acknowledge(rest);
    if (found > 0) onPublished(found, 0);
    this.#inDoubt = false;
    return rest;
  }
}
