/**
 * When a service that died is started again: at once at first, then ever more slowly; a service that ran
 * for a while starts from the beginning. Pure: times are arguments.
 */

/** First wait after a death, in ms. */
export const BACKOFF_MS_MIN = 250;
/** Longest wait, in ms: half of the 60 s in which the flow must go on. */
export const BACKOFF_MS_MAX = 30_000;
/** After this long alive a death counts as the first one again, in ms. */
export const STABLE_MS = 60_000;

/** What is remembered between deaths. */
export interface RestartMemory {
  /** Deaths in a row without a stable run between them. */
  deaths: number;
}

/** Memory of a service that never died. */
export const NEVER_DIED: RestartMemory = { deaths: 0 };

/** The answer to one death. */
export interface RestartDecision {
  waitMs: number;
  memory: RestartMemory;
}

/** How long to wait before the next start of a service that lived for `aliveMs`. */
export function afterDeath(memory: RestartMemory, aliveMs: number): RestartDecision {
  const deaths = aliveMs >= STABLE_MS ? 1 : memory.deaths + 1;
  const waitMs = Math.min(BACKOFF_MS_MIN * 2 ** (deaths - 1), BACKOFF_MS_MAX);
  return { waitMs, memory: { deaths } };
}
