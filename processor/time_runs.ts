/** Broker times of records, for latencies. Pure. */

/** Times in order, equal neighbours counted together: records of a batch share their broker time. */
export class TimeRuns {
  readonly #times: number[] = [];
  readonly #counts: number[] = [];

  /** Adds a time, in ms since the epoch. */
  add(time: number): void {
    const last = this.#times.length - 1;
    if (this.#times[last] === time) this.#counts[last]!++;
    else {
      this.#times.push(time);
      this.#counts.push(1);
    }
  }

  /** Calls back with each run of equal times. */
  forEach(onRun: (time: number, count: number) => void): void {
    this.#times.forEach((time, i) => onRun(time, this.#counts[i]!));
  }
}
