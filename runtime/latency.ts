/** Percentiles of recent latencies in bounded memory: log-scale buckets, two rotating halves. */
import type { Percentiles } from "../contracts/status.ts";

/** Recent latencies. */
export interface Latency {
  /** `ms` below 0 (clocks of two machines) counts as 0. @default count = 1 */
  observe(ms: number, count?: number): void;
  /** Upper bounds, at most 4 % above the exact value; nulls where nothing was observed. */
  percentiles(): Percentiles;
  /** Forgets the older half of the window when it is time. */
  rotate(nowMs: number): void;
}

/** Each bucket's bound is this much above the one before. */
const GROWTH = 1.04;
const MIN_MS = 0.1;
const STEP = Math.log(GROWTH);
/** 0.1 ms to a day. */
const BUCKETS = Math.ceil(Math.log(86_400_000 / MIN_MS) / STEP) + 1;

function bucketOf(ms: number): number {
  if (!(ms > MIN_MS)) return 0;
  return Math.min(BUCKETS - 1, Math.ceil(Math.log(ms / MIN_MS) / STEP - 1e-9));
}

function boundOf(bucket: number): number {
  return Number((MIN_MS * Math.exp(bucket * STEP)).toPrecision(4));
}

/**
 * Makes a histogram of the last `windowMs` (60 s to twice that; Infinity keeps everything, as
 * session figures need it).
 */
export function createLatency(options: { windowMs?: number } = {}): Latency {
  const { windowMs = 60_000 } = options;
  let current = new Float64Array(BUCKETS);
  let previous = new Float64Array(BUCKETS);
  let startMs: number | undefined;
  return {
    observe(ms, count = 1) {
      current[bucketOf(ms)]! += count;
    },
    rotate(nowMs) {
      startMs ??= nowMs;
      const elapsed = nowMs - startMs;
      if (elapsed < windowMs) return;
      [previous, current] = [current, previous];
      current.fill(0);
      if (elapsed >= 2 * windowMs) previous.fill(0);
      startMs = nowMs;
    },
    percentiles() {
      let total = 0;
      for (let i = 0; i < BUCKETS; i++) total += current[i]! + previous[i]!;
      function at(q: number): number | null {
        if (total === 0) return null;
        let seen = 0;
        for (let i = 0; i < BUCKETS; i++) {
          seen += current[i]! + previous[i]!;
          if (seen >= q * total) return boundOf(i);
        }
        return boundOf(BUCKETS - 1);
      }
      return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
    },
  };
}
