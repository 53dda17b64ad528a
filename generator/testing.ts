/** A clock for tests: time passes only when everybody waits for it, so hours take milliseconds. */
import { clearImmediate, setImmediate } from "node:timers";
import type { Clock } from "./clock.ts";

/** A clock whose time is the next wait's end. */
export interface VirtualClock extends Clock {
  /** Runs `fn` at `ms` after the start. */
  at(ms: number, fn: () => void): void;
  /** Ends the passing of time. */
  stop(): void;
}

/** Starts at `startMs`. */
export function createVirtualClock(startMs: number): VirtualClock {
  let now = startMs;
  let sleepers: { at: number; wake: () => void }[] = [];
  let timer: ReturnType<typeof setImmediate> | undefined;
  function turn(): void {
    timer = undefined;
    const next = Math.min(...sleepers.map((sleeper) => sleeper.at));
    if (next === Infinity) return;
    now = Math.max(now, next);
    const due = sleepers.filter((sleeper) => sleeper.at <= now);
    sleepers = sleepers.filter((sleeper) => sleeper.at > now);
    for (const sleeper of due) sleeper.wake();
    schedule();
  }
  // A macrotask later, so that all that can go on without time has gone on.
  function schedule(): void {
    timer ??= setImmediate(turn);
  }
  function sleepUntil(at: number, wake: () => void): { at: number; wake: () => void } {
    const sleeper = { at, wake };
    sleepers.push(sleeper);
    schedule();
    return sleeper;
  }
  return {
    now: () => now,
    at: (ms, fn) => void sleepUntil(startMs + ms, fn),
    pause: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        // As with the real one: even a wait of 0 takes a little time.
        const sleeper = sleepUntil(now + Math.max(1, ms), done);
        function done(): void {
          signal?.removeEventListener("abort", abort);
          resolve();
        }
        function abort(): void {
          sleepers = sleepers.filter((other) => other !== sleeper);
          resolve();
        }
        signal?.addEventListener("abort", abort, { once: true });
      }),
    stop() {
      sleepers = [];
      if (timer !== undefined) clearImmediate(timer);
    },
  };
}
