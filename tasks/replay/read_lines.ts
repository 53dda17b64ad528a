/** Lines of several inputs, one after another, as fast or as slow as asked. */
import type { Clock } from "../../generator/clock.ts";
import { createTokenBucket, type TargetRate } from "../../generator/token_bucket.ts";
import type { Line, LineSplitter } from "./lines.ts";
import type { Source } from "./source.ts";

/** Lines of one input, a chunk's worth at a time; `splitter` keeps the counts. */
export async function* readLines(
  source: Source,
  splitter: LineSplitter,
): AsyncGenerator<Line[]> {
  for await (const chunk of source.chunks) yield splitter.push(chunk);
  yield splitter.end();
}

/** Lets lines through at a rate. */
export interface Pace {
  /** Resolves when the next line may go; the caller sends what it holds before a wait. */
  wait(beforeWait: () => Promise<void>): Promise<void>;
}

/** Paces at `rate` lines per second. */
export function createPace(rate: TargetRate, clock: Clock, signal: AbortSignal): Pace {
  const bucket = createTokenBucket(rate, clock.now());
  return {
    async wait(beforeWait) {
      while (bucket.take(1, clock.now()) === 0) {
        signal.throwIfAborted();
        const waitMs = bucket.waitMs(clock.now());
        await beforeWait();
        // Several lines a go where the rate is high: a timer is no finer than a few ms.
        await clock.pause(Math.max(waitMs, 5), signal);
      }
    },
  };
}
