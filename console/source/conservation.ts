/**
 * Counts, record by record, that what came in went on (H1). Nothing is taken from anybody's counters:
 * raw records, their outputs and the rows of the table are read and held against each other. Pure.
 *
 * Per raw partition: a raw record at an offset below what the processor has settled must have exactly one
 * record in transactions or dead-letter whose trace names it. Of these outputs, transactions below the
 * table's committed offsets are stored. Per table: all transactions below the committed offsets must be as
 * many as the rows that the table gained.
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
  /** Offsets of counted transactions in their own topic, not yet below the table's committed offset. */
  unstored: number[];
}

/** Outputs as they were read. */
export interface OutputRecords {
  /** Offsets in their own topic. */
  offsets: ArrayLike<number>;
  /** The raw offset that each one's trace names; NaN where it has none. */
  traces: ArrayLike<number>;
}

/** Counts since the console attached. */
export class ConservationCounter {
  readonly #partitions = new Map<number, PartitionCount>();
  /** Offsets of transactions not yet below the table's committed offset, by partition. */
  readonly #uncommitted = new Map<number, number[]>();
  #raw = 0;
  #processed = 0;
  #valid = 0;
  #unstored = 0;
  #dead = 0;
  #inTable = 0;
  #missing = 0;
  #surplus = 0;
  #consumed = 0;
  #stored = 0;
  #rowsAtStart: number | undefined;
  #paused: string | undefined;

  /** Begins a raw partition at an offset: what lies before it is not counted. */
  begin(partition: number, from: number): void {
    this.#partitions.set(partition, { from, raw: new Set(), early: new Set(), unstored: [] });
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

  /** Transactions that were read. */
  transactions(partition: number, { offsets, traces }: OutputRecords): void {
    const count = this.#partitions.get(partition);
    const waiting = this.#uncommitted.get(partition);
    if (count === undefined || waiting === undefined) return;
    for (let index = 0; index < offsets.length; index++) {
      waiting.push(offsets[index]!);
      if (!this.#output(count, traces[index]!)) continue;
      this.#valid++;
      count.unstored.push(offsets[index]!);
    }
    this.#limit(Math.max(waiting.length, count.early.size));
  }

  /** Dead letters that were read. */
  deadLetters(partition: number, { traces }: Pick<OutputRecords, "traces">): void {
    const count = this.#partitions.get(partition);
    if (count === undefined) return;
    for (let index = 0; index < traces.length; index++) {
      if (this.#output(count, traces[index]!)) this.#dead++;
    }
    this.#limit(count.early.size);
  }

  /** Holds an output against its raw record; false where that is none of the counted ones, or has one. */
  #output({ from, raw, early }: PartitionCount, offset: number): boolean {
    if (!(offset >= from)) return false;
    if (raw.delete(offset)) {
      this.#processed++;
      return true;
    }
    if (early.has(offset)) {
      this.#surplus++;
      return false;
    }
    early.add(offset);
    return true;
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
    this.#unstored = 0;
    for (const [partition, count] of this.#partitions) {
      const end = next.get(partition) ?? 0;
      count.unstored = count.unstored.filter((offset) => offset >= end);
      this.#unstored += count.unstored.length;
    }
    this.#inTable = this.#valid - this.#unstored;
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
      dead: this.#dead,
      inTable: this.#inTable,
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
