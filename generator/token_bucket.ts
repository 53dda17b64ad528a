/** How many transactions are due: a token bucket with the clock as an argument. */

/** Transactions per second, or as many as the rest takes. */
export type TargetRate = number | "max";

/** Gives out tokens at a rate. */
export interface TokenBucket {
  /** Takes up to `wanted` whole tokens. */
  take(wanted: number, nowMs: number): number;
  /** How long until a whole token is there; 0 when one is. */
  waitMs(nowMs: number): number;
  /** Another rate from now on. */
  setRate(rate: TargetRate, nowMs: number): void;
}

/**
 * What is saved up while nobody takes, in seconds of the rate: covers a slow tick, and keeps a machine
 * that slept for an hour from making up for it in one go.
 */
const BURST_S = 0.5;

/** A bucket that begins with one token. */
export function createTokenBucket(rate: TargetRate, nowMs: number): TokenBucket {
  let current = rate;
  let tokens = 1;
  let lastMs = nowMs;
  function refill(nowMs: number): void {
    // A clock that was set back gives nothing and takes nothing.
    const elapsedMs = Math.max(0, nowMs - lastMs);
    lastMs = nowMs;
    if (current === "max") return;
    tokens = Math.min(1 + current * BURST_S, tokens + current * elapsedMs / 1000);
  }
  return {
    take(wanted, nowMs) {
      refill(nowMs);
      if (current === "max") return wanted;
      // Sums of fractions miss whole numbers by a hair.
      const taken = Math.min(wanted, Math.floor(tokens + 1e-9));
      tokens -= taken;
      return taken;
    },
    waitMs(nowMs) {
      refill(nowMs);
      if (current === "max" || tokens + 1e-9 >= 1) return 0;
      return (1 - tokens) * 1000 / current;
    },
    setRate(next, nowMs) {
      refill(nowMs);
      current = next;
      if (next !== "max") tokens = Math.min(tokens, 1 + next * BURST_S);
    },
  };
}
