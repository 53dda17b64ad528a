/**
 * The circuit breaker between generating and sending: the second level of retry, above the client's own.
 * Pure: times are arguments.
 */
import { type Backoff, backoff } from "../runtime/retry.ts";

/** closed: all is well; open: Kafka does not take anything; half_open: one send is being tried. */
export type BreakerState = "closed" | "open" | "half_open";

/** Options of {@linkcode createBreaker}. */
export interface BreakerOptions {
  /** Failed sends in a row that open it. @default {10} */
  failuresMax?: number;
  /** First wait of an open breaker. @default {1000} */
  initialMs?: number;
  /** Longest wait of an open breaker. @default {60_000} */
  maxMs?: number;
  /** For jitter. */
  random?: () => number;
}

/** Counts failures and says when to try next. */
export interface Breaker {
  readonly state: BreakerState;
  /** Failed sends in a row. */
  readonly failures: number;
  /** Before a send: an open breaker becomes half open. */
  trying(): void;
  /** A send failed. Returns how long to wait before the next. */
  failed(): number;
  /** A send worked: the breaker closes. Returns true when it was not closed. */
  succeeded(): boolean;
}

/** Waits between sends while the breaker is still closed, so that ten failures span some seconds. */
const CLOSED_INITIAL_MS = 50;
const CLOSED_MAX_MS = 1000;

/** A closed breaker. */
export function createBreaker(options: BreakerOptions = {}): Breaker {
  const { failuresMax = 10, initialMs = 1000, maxMs = 60_000, random = Math.random } = options;
  const closedWaits: Backoff = backoff({
    initialMs: CLOSED_INITIAL_MS,
    maxMs: CLOSED_MAX_MS,
    random,
  });
  const openWaits: Backoff = backoff({ initialMs, maxMs, random });
  let state: BreakerState = "closed";
  let failures = 0;
  return {
    get state() {
      return state;
    },
    get failures() {
      return failures;
    },
    trying() {
      if (state === "open") state = "half_open";
    },
    failed() {
      failures++;
      if (failures < failuresMax) return closedWaits.next();
      state = "open";
      return openWaits.next();
    },
    succeeded() {
      const was = state;
      state = "closed";
      failures = 0;
      closedWaits.reset();
      openWaits.reset();
      return was !== "closed";
    },
  };
}
