/**
 * A small world for the processor's loop: an in-process broker, instances that can crash, freeze and
 * wake, a feeder, and the judge that recomputes what should have come out. Everything that is random
 * comes from one seed.
 */
import { type Broker, UnreachableError } from "../../broker/port.ts";
import { createMemoryBroker, type MemoryBroker } from "../../broker/memory.ts";
import type { Boundary } from "../../processor/changelog.ts";
import {
  type Clock,
  type ProcessorContext,
  type ProcessorSettings,
  SETTINGS_DEFAULT,
} from "../../processor/context.ts";
import { configOwnership } from "../../processor/ownership.ts";
import { Processor } from "../../processor/run.ts";
import type { ProcessorCore, ReadyRuleSet } from "../../processor/step_types.ts";
import { readLoopRecords } from "../../processor/take_partition.ts";
import { TOPIC_NAMES_DEFAULT, topicSpecs } from "../../contracts/topics.ts";
import type { Logger } from "../../runtime/log.ts";
import { retry, sleep } from "../../runtime/retry.ts";

/** Topic names of every world. */
export const TOPICS = TOPIC_NAMES_DEFAULT;

/** Waits short enough for thousands of crashes. */
export const FAST: ProcessorSettings = {
  ...SETTINGS_DEFAULT,
  batchMsMin: 0,
  fetchBytesMax: 2000,
  unitBytesMax: 2000,
  recordBytesMax: 262_144,
  transactionTimeoutMs: 10_000,
  dedupIdsMax: 1024,
  accountsMax: 100,
  fetchWaitMsMax: 5,
  stableWaitMsMax: 200,
  quietMs: 40,
  pollMs: 2,
  backoffMsMin: 1,
  backoffMsMax: 10,
  mirrorMs: 20,
  recheckMs: 200,
};

/** mulberry32: the same seed gives the same run of choices. */
export function seeded(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Calls past faults that were left unfired. */
function patient<T>(call: () => Promise<T>): Promise<T> {
  const when = (error: unknown) => error instanceof UnreachableError;
  return retry(call, { when, attemptsMax: 100, initialMs: 1, maxMs: 1 });
}

const silent: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silent,
};

/** Whether a process runs, is stopped for a while (SIGSTOP), or is gone (SIGKILL). */
export class Life {
  #frozen: PromiseWithResolvers<void> | undefined;
  #dead = false;

  kill(): void {
    this.#dead = true;
  }

  freeze(): void {
    this.#frozen ??= Promise.withResolvers();
  }

  thaw(): void {
    this.#frozen?.resolve();
    this.#frozen = undefined;
  }

  /** Passes while alive, waits while frozen, never returns when dead. */
  async gate(): Promise<void> {
    while (this.#frozen !== undefined) await this.#frozen.promise;
    if (this.#dead) await new Promise<never>(() => {});
  }
}

/** An object whose asynchronous methods stop with their process, before the call and before its answer. */
function mortal<T extends object>(target: T, life: Life): T {
  return new Proxy(target, {
    get(on, name) {
      const member = Reflect.get(on, name, on);
      if (typeof member !== "function") return member;
      return (...args: unknown[]) => {
        const call = () => Reflect.apply(member, on, args);
        if (name === "begin") return call();
        return (async () => {
          await life.gate();
          const answer = await call();
          await life.gate();
          const isClient = String(name).startsWith("open");
          return isClient ? mortal(answer as object, life) : answer;
        })();
      };
    },
  });
}

/** One running processor of a world. */
export interface Instance {
  life: Life;
  sessionId: string;
  processor: Processor<unknown, unknown>;
  /** Ends it in order. */
  stop(): Promise<void>;
  done: Promise<void>;
}

/** A broker with the pipeline's topics, and rules that a test may change. */
export class World<State, Compiled> {
  readonly broker: MemoryBroker;
  readonly errors: unknown[] = [];
  /** Position of each unit that was committed, in order. */
  readonly positions: number[] = [];
  rules: ReadyRuleSet<Compiled> | undefined;
  /** How far the clock is ahead of the machine's: a process that was stopped for long finds it so. */
  aheadMs = 0;
  #sessions = 0;
  readonly #core: ProcessorCore<State, Compiled>;
  readonly #settings: ProcessorSettings;
  readonly #random: () => number;

  constructor(
    options: {
      core: ProcessorCore<State, Compiled>;
      rules?: ReadyRuleSet<Compiled>;
      settings?: Partial<ProcessorSettings>;
      random?: () => number;
    },
  ) {
    this.broker = createMemoryBroker();
    this.#core = options.core;
    this.rules = options.rules;
    this.#settings = { ...FAST, ...options.settings };
    this.#random = options.random ?? (() => 0.5);
  }

  /** Creates the topics. */
  async open(partitions: number): Promise<void> {
    await this.broker.createTopics(topicSpecs(TOPICS, partitions));
  }

  /** What an instance, or a task beside it, is given. */
  context(life: Life = new Life(), sessionId = "task"): ProcessorContext<State, Compiled> {
    const clock: Clock = {
      now: () => performance.timeOrigin + performance.now() + this.aheadMs,
      sleep: async (ms, signal) => {
        await sleep(ms, signal);
        await life.gate();
      },
    };
    return {
      broker: mortal<Broker>(this.broker, life),
      core: this.#core,
      rules: { current: () => this.rules, issues: () => [] },
      topics: TOPICS,
      group: "processor",
      settings: this.#settings,
      sessionId,
      clock,
      observer: {
        committed: ({ position }) => this.positions.push(position),
        failed: (_partition, _type, error) => this.errors.push(error),
      },
      log: silent,
    };
  }

  /** Starts a processor on all partitions. */
  start(): Instance {
    const life = new Life();
    const sessionId = `session-${++this.#sessions}`;
    const context = this.context(life, sessionId);
    const { broker, clock, log } = context;
    const topic = TOPICS.raw;
    const ownership = configOwnership(broker, { topic, partitions: "all", clock, log });
    const processor = new Processor(context, { ownership, random: this.#random });
    const stop = new AbortController();
    const done = processor.run(stop.signal);
    done.catch(() => {}); // whoever stops it meets the error
    return {
      life,
      sessionId,
      processor: processor as unknown as Processor<unknown, unknown>,
      done,
      stop: () => {
        stop.abort(new Error("stopped by the test"));
        return done;
      },
    };
  }

  /** Waits until everything in the raw log is judged. */
  async drained(instance: Instance, waitMsMax = 20_000): Promise<void> {
    const deadline = performance.now() + waitMsMax;
    for (;;) {
      const offsets = await patient(() => this.broker.offsets(TOPICS.raw));
      const { views } = instance.processor;
      const isDone = offsets.every(({ partition, stable }) =>
        views.get(partition)?.state === "running" && views.get(partition)!.position >= stable
      );
      if (isDone) return;
      if (performance.now() > deadline) {
        const seen = JSON.stringify([...views.values()]);
        throw new Error(`Cannot drain: ${seen}; last error: ${this.errors.at(-1)}`);
      }
      await sleep(2);
    }
  }

  /** All committed records of a partition. */
  async read(topic: string, partition: number): Promise<Seen[]> {
    const reader = await this.broker.openReader();
    const { start, stable } = (await patient(() => this.broker.offsets(topic)))[partition]!;
    const seen: Seen[] = [];
    const decoder = new TextDecoder();
    for (let at = start; at < stable;) {
      const { records, nextOffset } = await patient(() =>
        reader.fetch(topic, partition, { offset: at })
      );
      for (let i = 0; i < records.count; i++) {
        const trace = records.header(i, "trace");
        seen.push({
          offset: records.offsets[i]!,
          value: decoder.decode(
            records.bytes.subarray(records.valueStart[i]!, records.valueEnd[i]!),
          ),
          trace: trace === undefined ? "" : decoder.decode(trace),
        });
      }
      at = nextOffset;
    }
    await reader.close();
    return seen;
  }

  /** Rule boundaries of a partition, from its changelog. */
  async boundaries(partition: number): Promise<Boundary[]> {
    const context = this.context();
    const reader = await context.broker.openReader();
    const signal = new AbortController().signal;
    const records = await patient(() => readLoopRecords(context, { reader, partition, signal }));
    await reader.close();
    return [...records.boundaries.values()].sort((a, b) => a.offset - b.offset);
  }
}

/** A committed record. */
export interface Seen {
  offset: number;
  value: string;
  trace: string;
}
