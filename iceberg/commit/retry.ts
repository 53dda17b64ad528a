/** How often and how patiently a refused commit is tried again: the table's own properties, Java's names and defaults. */

import { integerProperty } from "./environment.ts";

/** A retry policy; times in milliseconds. */
export interface RetryPolicy {
  /** Tries after the first. */
  readonly retriesMax: number;
  readonly waitMinMs: number;
  readonly waitMaxMs: number;
  /** No further try begins later than this after the first. */
  readonly totalMaxMs: number;
}

/** The policy a table's properties ask for. @throws {IcebergError} if one is no whole number */
export function retryPolicy(properties: Readonly<Record<string, string>>): RetryPolicy {
  return {
    retriesMax: integerProperty(properties, "commit.retry.num-retries", 4),
    waitMinMs: integerProperty(properties, "commit.retry.min-wait-ms", 100),
    waitMaxMs: integerProperty(properties, "commit.retry.max-wait-ms", 60_000),
    totalMaxMs: integerProperty(properties, "commit.retry.total-timeout-ms", 1_800_000),
  };
}

/**
 * The wait before retry number `retry` (1 is the first): doubling from the minimum, capped, and half of
 * it random, so that writers refused together do not come back together.
 */
export function retryWaitMs(policy: RetryPolicy, retry: number, random: () => number): number {
  const full = Math.min(policy.waitMaxMs, policy.waitMinMs * 2 ** (retry - 1));
  return Math.round(full / 2 + full / 2 * random());
}
