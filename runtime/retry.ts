/** Waiting and trying again: only what a predicate names; capped, jittered, abortable (C5). */

/** Resolves after `ms`, or rejects with the signal's reason as soon as it aborts. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    function stop(): void {
      clearTimeout(timer);
      reject(signal!.reason);
    }
    signal?.addEventListener("abort", stop, { once: true });
  });
}

/** Waits that grow. */
export interface Backoff {
  /** The next wait in ms. */
  next(): number;
  /** Starts over: the thing worked. */
  reset(): void;
}

/** Options of {@linkcode backoff}. */
export interface BackoffOptions {
  /** First wait. @default {100} */
  initialMs?: number;
  /** Longest wait. @default {60_000} */
  maxMs?: number;
  /** In [0, 1); half of each wait is drawn. @default {Math.random} */
  random?: () => number;
}

/** Doubling waits from `initialMs` to `maxMs`, the upper half of each jittered so that many do not come at once. */
export function backoff(options: BackoffOptions = {}): Backoff {
  const { initialMs = 100, maxMs = 60_000, random = Math.random } = options;
  if (!(initialMs > 0 && maxMs >= initialMs)) {
    throw new RangeError(
      `Cannot back off from ${initialMs} to ${maxMs} ms: expected 0 < from <= to`,
    );
  }
  let waitMs = initialMs;
  return {
    next() {
      const full = waitMs;
      waitMs = Math.min(maxMs, waitMs * 2);
      return Math.round(full / 2 + full / 2 * random());
    },
    reset() {
      waitMs = initialMs;
    },
  };
}

/** Options of {@linkcode retry}. */
export interface RetryOptions extends BackoffOptions {
  /** Which errors are worth another try. */
  when: (error: unknown) => boolean;
  /** Tries in all. @default {Infinity} */
  attemptsMax?: number;
  signal?: AbortSignal;
  /** Told before each wait. */
  onRetry?: (error: unknown, attempt: number, waitMs: number) => void;
}

/**
 * Calls `fn` until it works.
 *
 * @throws what `fn` threw, where `when` does not name it or the tries are used up; the signal's
 * reason when it aborts during a wait.
 */
export async function retry<T>(fn: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { when, attemptsMax = Infinity, signal, onRetry } = options;
  const waits = backoff(options);
  for (let attempt = 1;; attempt++) {
    try {
      return await fn();
    } catch (error) {
      if (attempt >= attemptsMax || signal?.aborted || !when(error)) throw error;
      const waitMs = waits.next();
      onRetry?.(error, attempt, waitMs);
      await sleep(waitMs, signal);
    }
  }
}
