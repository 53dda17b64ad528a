/** The processor as a whole, on ports: the same on Kafka and on the in-process broker. */
import { ConfigError } from "../contracts/errors.ts";
import type { Readiness } from "../runtime/http.ts";
import { checkTopics } from "./check_topics.ts";
import { createPartitionView, type PartitionView, type ProcessorContext } from "./context.ts";
import { mirrorPositions } from "./mirror.ts";
import type { Ownership } from "./ownership.ts";
import { ownPartition } from "./partition_owner.ts";

/** How often missing topics are looked for: `up` creates them while this starts. */
const TOPICS_POLL_MS = 1000;

/** A partition that is ours for now. */
interface Owned {
  stop: AbortController;
  done: Promise<void>;
  /** It waits for a valid rule file: nothing is known that could judge its records. */
  lacksRules: boolean;
}

/** Options of {@linkcode Processor}. */
export interface ProcessorOptions {
  ownership: Ownership;
  /** In [0, 1); jitters waits. */
  random: () => number;
}

/** Owns partitions as it is told and keeps them going. */
export class Processor<State, Compiled> {
  /** Every partition that was ours in this run, by number. */
  readonly views = new Map<number, PartitionView>();
  readonly #context: ProcessorContext<State, Compiled>;
  readonly #ownership: Ownership;
  readonly #random: () => number;
  readonly #owned = new Map<number, Owned>();
  readonly #failed = Promise.withResolvers<never>();
  #startReason: string | undefined = "starting";
  #membershipReason: string | undefined;
  #rulesReason: string | undefined;

  constructor(context: ProcessorContext<State, Compiled>, options: ProcessorOptions) {
    this.#context = context;
    this.#ownership = options.ownership;
    this.#random = options.random;
    this.#failed.promise.catch(() => {}); // `run` meets it; it may end before
  }

  /** Whether every partition of ours is being worked on. */
  readiness(): Readiness {
    const reasons = [this.#startReason, this.#membershipReason, this.#rulesReason]
      .filter((one) => one !== undefined);
    for (const partition of this.#owned.keys()) {
      const { state, reason } = this.views.get(partition)!;
      if (state === "running") continue;
      reasons.push(
        `partition ${partition} is ${state}${reason === undefined ? "" : `: ${reason}`}`,
      );
    }
    return { ready: reasons.length === 0, reasons };
  }

  /**
   * Runs until the signal aborts; then finishes the units under way and resolves.
   *
   * @throws {ConfigError} when the rule file is invalid and no changelog of ours has a rule set (exit 2).
   */
  async run(signal: AbortSignal): Promise<void> {
    const { broker, group, topics, settings, rules, clock, log } = this.#context;
    const ended = new AbortController();
    const all = AbortSignal.any([signal, ended.signal]);
    await this.#awaitTopics(all);
    if (all.aborted) return;
    this.#startReason = "no partition is assigned yet";
    const stopped = new AbortController();
    const mirror = mirrorPositions({
      broker,
      group,
      topic: topics.raw,
      // Only what is ours: a partition given up has moved on elsewhere.
      views: () => [...this.#owned.keys()].map((partition) => this.views.get(partition)!),
      rulesVersion: () => rules.current()?.version,
      disagree: (reason) => this.#rulesReason = reason,
      everyMs: settings.mirrorMs,
      clock,
      log,
      signal: stopped.signal,
    });
    try {
      const ownership = this.#ownership.run({
        assigned: (partitions) => {
          this.#startReason = undefined;
          partitions.forEach((partition) => this.#start(partition));
        },
        revoked: async (partitions) => {
          await this.#stop(partitions);
          for (const partition of partitions) this.#owned.delete(partition);
        },
        trouble: (reason) => this.#membershipReason = reason,
      }, all);
      await Promise.race([ownership, this.#failed.promise]);
    } finally {
      ended.abort();
      await this.#stop([...this.#owned.keys()]);
      stopped.abort();
      await mirror;
    }
  }

  /** Waits until the topics are as they must be. */
  async #awaitTopics(signal: AbortSignal): Promise<void> {
    const { broker, topics, clock, settings, log } = this.#context;
    while (!signal.aborted) {
      try {
        return await checkTopics(broker, topics, settings.recordBytesMax);
      } catch (error) {
        this.#startReason = (error as Error).message;
        log.warn("not_ready", { reason: this.#startReason });
        await clock.sleep(Math.min(TOPICS_POLL_MS, settings.backoffMsMax), signal).catch(() => {});
      }
    }
  }

  #start(partition: number): void {
    if (this.#owned.has(partition)) return;
    const view = createPartitionView(partition);
    this.views.set(partition, view);
    const stop = new AbortController();
    const owned: Owned = { stop, done: Promise.resolve(), lacksRules: false };
    this.#owned.set(partition, owned);
    owned.done = this.#own(owned, view).catch((error) => this.#failed.reject(error));
  }

  async #own(owned: Owned, view: PartitionView): Promise<void> {
    const { clock, settings, rules, log } = this.#context;
    const { signal } = owned.stop;
    while (!signal.aborted) {
      try {
        await ownPartition(this.#context, { view, signal, random: this.#random });
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        owned.lacksRules = true;
        Object.assign(view, { state: "waiting", reason: error.message });
        log.error("no_rules", { partition: view.partition, issues: error.issues });
        // H5: others go on under the last good set; but with nothing to do at all, say so and end.
        if ([...this.#owned.values()].every((one) => one.lacksRules)) throw error;
        while (!signal.aborted && rules.current() === undefined) {
          await clock.sleep(settings.backoffMsMax, signal).catch(() => {});
        }
        owned.lacksRules = false;
      }
    }
  }

  async #stop(partitions: readonly number[]): Promise<void> {
    const owned = partitions.map((partition) => this.#owned.get(partition))
      .filter((one) => one !== undefined);
    for (const { stop } of owned) stop.abort(new Error("the partition is given up"));
    await Promise.all(owned.map(({ done }) => done));
  }
}
