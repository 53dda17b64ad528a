/** What is injected, how often, and how the record's header says so. */
import { DAY_US, HOUR_US } from "../contracts/timestamps.ts";
import type { Prng } from "./prng.ts";
import { createWeighted } from "./weighted.ts";

/** Kinds of injected anomaly. */
export const ANOMALY_KINDS = ["high_amount", "burst", "night", "foreign"] as const;

/** One of {@linkcode ANOMALY_KINDS}. */
export type AnomalyKind = typeof ANOMALY_KINDS[number];

/** Shares of the anomalous *transactions* by kind. */
export type AnomalyWeights = Readonly<Record<AnomalyKind, number>>;

/** Weights of the live generator. */
export const ANOMALY_WEIGHTS: AnomalyWeights = {
  high_amount: 0.35,
  burst: 0.25,
  night: 0.2,
  foreign: 0.2,
};

/** Header value of a record in which nothing was injected. */
export const INJECTED_NONE = "none";

/** Fewest and most transactions of a burst; five within 60 s are what rapid-activity looks for. */
export const BURST_LENGTHS: readonly number[] = [5, 6, 7, 8];

/** Longest time between two of a burst: 7 × 7.5 s stays inside 60 s. */
const BURST_GAP_US_MAX = 7_500_000;

const MEAN_BURST = BURST_LENGTHS.reduce((sum, n) => sum + n, 0) / BURST_LENGTHS.length;

/** Decides, transaction by transaction, whether an anomaly starts. */
export interface AnomalySource {
  /** The kind that starts with the next transaction, if any. Not asked while a burst runs. */
  draw(prng: Prng): AnomalyKind | undefined;
}

/**
 * A source under which `share` (0 to 0.5) of all transactions belong to an anomaly.
 *
 * A burst is several transactions, so it starts that much less often. With p the probability of a
 * start, L the mean burst length, W the sum of start weights and b the share of bursts among starts,
 * share = (p / W) / (1 + p b (L - 1)), solved for p here.
 */
export function createAnomalySource(share: number, weights: AnomalyWeights): AnomalySource {
  const total = ANOMALY_KINDS.reduce((sum, kind) => sum + weights[kind], 0);
  const burst = weights.burst / total / MEAN_BURST;
  const startSum = 1 - weights.burst / total + burst;
  const burstShare = burst / startSum;
  const p = share / (1 / startSum - share * burstShare * (MEAN_BURST - 1));
  const drawKind = createWeighted<AnomalyKind>({ ...weights, burst: burst * total });
  return { draw: (prng) => prng.chance(p) ? drawKind(prng) : undefined };
}

/** Event times (µs, ascending) of a burst that ends now. */
export function burstTimes(prng: Prng, nowUs: number): number[] {
  const length = prng.pick(BURST_LENGTHS);
  const times = [nowUs];
  while (times.length < length) {
    times.unshift(times[0]! - Math.floor(200_000 + prng.next() * (BURST_GAP_US_MAX - 200_000)));
  }
  return times;
}

/** A time of the last whole night (01:00 to 05:00 UTC) before `nowUs`, in µs. */
export function nightTime(prng: Prng, nowUs: number): number {
  const midnight = Math.floor(nowUs / DAY_US) * DAY_US;
  const night = nowUs - midnight >= 5 * HOUR_US ? midnight : midnight - DAY_US;
  return night + HOUR_US + Math.floor(prng.next() * 4 * HOUR_US);
}
