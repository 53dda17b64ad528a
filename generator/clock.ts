/** Time as the generator's loops see it, so that tests can replace it (C15). */
import { sleep } from "../runtime/retry.ts";

/** A clock that can be waited on. */
export interface Clock {
  /** ms since the epoch. */
  now(): number;
  /** Resolves after `ms`, or as soon as the signal aborts; never rejects. */
  pause(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: Date.now,
  pause: (ms, signal) => sleep(ms, signal).catch(() => {}),
};
