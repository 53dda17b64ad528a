/**
 * Counts, record by record, that what came in went on (H1). Nothing is taken from anybody's counters:
 * raw records, their outputs and the rows of the table are read and held against each other. Pure.
 *
 * Per raw partition: a raw record at an offset below what the processor has settled must have exactly one
 * record in transactions or dead-letter whose trace names it. Per table: the transactions below the
 * committed offsets must be as many as the rows that the table gained.
 */
import type { Conservation } from "../store/model.ts";

/** Offsets kept that are not settled yet, per partition; beyond it counting stops and says so. */
export const PENDING_MAX = 200_000;

/** What one raw partition holds. */
interface PartitionCount {
  /** Offset from which on everything is counted. */
  from: number;
  /** Raw offsets not yet matched. */
  raw: Set<number>;
  /** Trace offsets whose raw record was not read yet. */
  early: Set<number>;
}

/** Counts since the console attached. */
export class ConservationCounter {
  readonly #partitions = new Map<number, PartitionCount>();
  /** Offsets of transactions not yet below the table's committed offset, by partition. */
  readonly #uncommitted = new Map<number, number[]>();
  #raw = 0;
  #processed = 0;
  #missing = 0;
  #surplus = 0;
  #consumed = 0;
  #stored = 0;
  #rowsAtStart: number | undefined;
  #paused: string | undefined;

  /** Begins a raw partition at an offset: what lies before it is not counted. */
  begin(partition: number, from: number): void {
    this.#partitions.set(partition, { from, raw: new Set(), early: new Set() });
    this.#uncommitted.set(partition, []);
  }

  /** Raw records that were read. */
  raw(partition: number, offsets: Iterable<number>): void {
    const count = this.#partitions.get(partition);
    if (count === undefined) return;
    for (const offset of offsets) {
      if (offset < count.from) continue;
      this.#raw++;
      if (count.early.delete(offset)) this.#processed++;
      else count.raw.add(offset);
    }
    this.#limit(count.raw.size);
  }

  /** Outputs that were read: the raw offsets that their traces name. */
  outputs(partition: number, traces: Iterable<number>): void {
    const count = this.#partitions.get(partition);
    if (count === undefined) return;
    for (const offset of traces) {
      if (offset < count.from) continue;
      if (count.raw.delete(offset)) this.#processed++;
      else if (count.early.has(offset)) this.#surplus++;
      else count.early.add(offset);
    }
    this.#limit(count.early.size);
  }

  /**
   * Everything below `position` is settled and both outputs were read beyond it: what still waits there
   * is missing, and outputs that no raw record asked for are too many.
   */
  settle(partition: number, position: number): void {
    const count = this.#partitions.get(partition);
    if (count === undefined) return;
    for (const offset of count.raw) {
      if (offset >= position) continue;
      count.raw.delete(offset);
      this.#missing++;
    }
    for (const offset of count.early) {
      if (offset >= position) continue;
      count.early.delete(offset);
      this.#surplus++;
    }
  }

  /** Transactions that were read, by offset in their own topic. */
  transactions(partition: number, offsets: Iterable<number>): void {
    const waiting = this.#uncommitted.get(partition);
    if (waiting === undefined) return;
    for (const offset of offsets) waiting.push(offset);
    this.#limit(waiting.length);
  }

  /** A snapshot of the table: its rows and the next offset of each partition of transactions. */
  table(rows: number, next: ReadonlyMap<number, number>): void {
    this.#rowsAtStart ??= rows;
    this.#stored = rows - this.#rowsAtStart;
    for (const [partition, waiting] of this.#uncommitted) {
      const end = next.get(partition) ?? 0;
      const kept = waiting.filter((offset) => offset >= end);
      this.#consumed += waiting.length - kept.length;
      this.#uncommitted.set(partition, kept);
    }
  }

  /** Counting stops for good, with a reason. */
  pause(reason: string): void {
    this.#paused ??= reason;
    this.#partitions.clear();
    this.#uncommitted.clear();
  }

  /** The counts. */
  counts(): Conservation {
    return {
      raw: this.#raw,
      processed: this.#processed,
      missing: this.#missing,
      surplus: this.#surplus,
      consumed: this.#consumed,
      stored: this.#stored,
      ...(this.#paused === undefined ? {} : { paused: this.#paused }),
    };
  }

  #limit(waiting: number): void {
    if (waiting > PENDING_MAX) this.pause(`not counted: more than ${PENDING_MAX} records wait`);
  }
}
