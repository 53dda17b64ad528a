/** Which partitions are ours: from the settings, or from a consumer group (design section 5). */
import type { Broker } from "../broker/port.ts";
import { NotReadyError } from "../contracts/errors.ts";
import { backoff } from "../runtime/retry.ts";
import type { Logger } from "../runtime/log.ts";
import type { Clock } from "./context.ts";

/** Takes partitions on and gives them up. */
export interface OwnershipListener {
  assigned(partitions: readonly number[]): void;
  /** Resolves when nothing of these is under way any more. */
  revoked(partitions: readonly number[]): Promise<void>;
  /** Membership is broken or back; shown in /readyz. */
  trouble(reason: string | undefined): void;
}

/** Decides for as long as it runs. Fencing, not ownership, keeps two owners apart. */
export interface Ownership {
  /** Runs until the signal aborts. */
  run(listener: OwnershipListener, signal: AbortSignal): Promise<void>;
}

/** Resolves when the signal aborts. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** How often a topic is asked whether it has grown. */
const GROWTH_MS = 10_000;

/** These partitions; or all of the topic's, those it grows by later included. */
export function configOwnership(
  broker: Pick<Broker, "topics">,
  options: { topic: string; partitions: "all" | readonly number[]; clock: Clock; log: Logger },
): Ownership {
  const { topic, partitions, clock, log } = options;
  async function count(): Promise<number> {
    const info = (await broker.topics([topic])).get(topic);
    if (info !== undefined) return info.partitions;
    throw new NotReadyError(`Cannot read topic "${topic}": it does not exist`);
  }
  async function followGrowth(
    listener: OwnershipListener,
    known: number,
    signal: AbortSignal,
  ): Promise<void> {
    let owned = known;
    while (!signal.aborted) {
      await clock.sleep(GROWTH_MS, signal).catch(() => {});
      try {
        const now = await count();
        if (now > owned) listener.assigned(range(owned, now));
        owned = Math.max(owned, now);
      } catch (error) {
        log.warn("growth_unknown", { topic, error });
      }
    }
  }
  return {
    async run(listener, signal) {
      const total = await count();
      if (partitions === "all") {
        listener.assigned(range(0, total));
        return await followGrowth(listener, total, signal);
      }
      const beyond = partitions.filter((partition) => partition >= total);
      if (beyond.length > 0) {
        throw new NotReadyError(
          `Cannot own partition ${beyond.join(", ")} of "${topic}": it has ${total} partitions`,
        );
      }
      listener.assigned([...new Set(partitions)]);
      await untilAborted(signal);
    },
  };
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

/**
 * What a consumer group with static membership assigns: several instances share the partitions. Its
 * name is not the mirror's, since a group with members takes no offsets from outside.
 */
export function groupOwnership(
  broker: Pick<Broker, "joinGroup">,
  options: { group: string; topic: string; instanceId: string; clock: Clock; log: Logger },
): Ownership {
  const { group, topic, instanceId, clock, log } = options;
  return {
    async run(listener, signal) {
      const waits = backoff({ initialMs: 500, maxMs: 30_000 });
      while (!signal.aborted) {
        const broken = Promise.withResolvers<Error>();
        const held = new Set<number>();
        try {
          const membership = await broker.joinGroup({ group, topic, instanceId }, {
            assigned: (partitions) => {
              listener.trouble(undefined);
              waits.reset();
              for (const partition of partitions) held.add(partition);
              listener.assigned(partitions);
            },
            revoked: (partitions) => {
              for (const partition of partitions) held.delete(partition);
              return listener.revoked(partitions);
            },
            failed: broken.resolve,
          });
          const error = await Promise.race([broken.promise, untilAborted(signal)]);
          await membership.leave().catch((cause) => log.warn("leave_failed", { error: cause }));
          if (error === undefined) return;
          throw error;
        } catch (error) {
          if (signal.aborted) return;
          // Somebody else may have them by now; without this we would take them back from it.
          await listener.revoked([...held]);
          listener.trouble(`Cannot stay in group "${group}": ${(error as Error).message}`);
          log.error("membership_failed", { group, error });
          await clock.sleep(waits.next(), signal).catch(() => {});
        }
      }
    },
  };
}
