/** The processor as a whole, on ports: the same on Kafka and on the in-process broker. */
import { ConfigError, NotReadyError } from "../contracts/errors.ts";
import type { Readiness } from "../runtime/http.ts";
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

  constructor(context: ProcessorContext<State, Compiled>, options: ProcessorOptions) {
    this.#context = context;
    this.#ownership = options.ownership;
    this.#random = options.random;
    this.#failed.promise.catch(() => {}); // `run` meets it; it may end before
  }

  /** Whether every partition of ours is being worked on. */
  readiness(): Readiness {
    const reasons = [this.#startReason, this.#membershipReason].filter((one) => one !== undefined);
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
    const { broker, group, topics, settings, clock, log } = this.#context;
    const ended = new AbortController();
    const all = AbortSignal.any([signal, ended.signal]);
    await this.#checkTopics(all);
    if (all.aborted) return;
    this.#startReason = undefined;
    const stopped = new AbortController();
    const mirror = mirrorPositions({
      broker,
      group,
      topic: topics.raw,
      // Only what is ours: a partition given up has moved on elsewhere.
      views: () => [...this.#owned.keys()].map((partition) => this.views.get(partition)!),
      everyMs: settings.mirrorMs,
      clock,
      log,
      signal: stopped.signal,
    });
    try {
      const ownership = this.#ownership.run({
        assigned: (partitions) => partitions.forEach((partition) => this.#start(partition)),
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

  /** Waits until the topics are there and every output has as many partitions as the raw topic. */
  async #checkTopics(signal: AbortSignal): Promise<void> {
    const { broker, topics, clock, settings, log } = this.#context;
    const outputs = [topics.transactions, topics.alerts, topics.deadLetter, topics.state];
    while (!signal.aborted) {
      try {
        const infos = await broker.topics([topics.raw, ...outputs]);
        const missing = [topics.raw, ...outputs].filter((topic) => !infos.has(topic));
        if (missing.length > 0) {
          throw new NotReadyError(`Cannot start: topic ${missing.join(", ")} does not exist`);
        }
        const { partitions } = infos.get(topics.raw)!;
        const narrow = outputs.filter((topic) => infos.get(topic)!.partitions < partitions);
        if (narrow.length === 0) return;
        throw new NotReadyError(
          `Cannot start: "${topics.raw}" has ${partitions} partitions, ${
            narrow.map((topic) => `"${topic}" ${infos.get(topic)!.partitions}`).join(", ")
          }; grow them with deno task topics --partitions ${partitions}`,
        );
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
