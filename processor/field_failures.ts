/** Validation failures per field and minute, of the last hour: which feed broke, and when. */

/** Minutes that are kept. */
export const MINUTES_KEPT = 60;

/** Fields that are counted apart; further ones count as `other` (H6). */
export const FIELDS_MAX = 100;

const MINUTE_MS = 60_000;

/** Counts by field, by minute as ISO 8601, oldest minute first. */
export type FailureMinutes = Record<string, Record<string, number>>;

/** Rolling counts; the clock is the caller's. */
export class FieldFailures {
  /** By minute since the epoch. */
  readonly #minutes = new Map<number, Map<string, number>>();

  /** Adds `count` failures of a field. */
  add(field: string, count: number, nowMs: number): void {
    const minute = Math.floor(nowMs / MINUTE_MS);
    this.#forget(minute);
    let fields = this.#minutes.get(minute);
    if (fields === undefined) this.#minutes.set(minute, fields = new Map());
    const name = fields.has(field) || fields.size < FIELDS_MAX ? field : "other";
    fields.set(name, (fields.get(name) ?? 0) + count);
  }

  /** Everything of the last hour. */
  minutes(nowMs: number): FailureMinutes {
    this.#forget(Math.floor(nowMs / MINUTE_MS));
    return Object.fromEntries(
      [...this.#minutes].sort(([a], [b]) => a - b).map(([minute, fields]) => [
        new Date(minute * MINUTE_MS).toISOString(),
        Object.fromEntries(fields),
      ]),
    );
  }

  #forget(minute: number): void {
    for (const old of this.#minutes.keys()) {
      if (old <= minute - MINUTES_KEPT) this.#minutes.delete(old);
    }
  }
}
