/** Which raw records are ours, and which of them have been accounted for. Pure. */
import type { Appended } from "../../broker/port.ts";

interface Range {
  base: number;
  count: number;
  /** Index of the first in the partition's marks. */
  index: number;
}

interface Own {
  ranges: Range[];
  /** 1 where a line was accounted for. */
  marks: Uint8Array;
  count: number;
}

/** What an output record is to us. */
export type Mark = "first" | "again" | "foreign";

/** Records of one replay, by raw partition. */
export class OwnLines {
  readonly #byPartition = new Map<number, Own>();
  #accounted = 0;

  /** All lines. */
  get count(): number {
    return [...this.#byPartition.values()].reduce((sum, own) => sum + own.count, 0);
  }

  /** Lines that were marked. */
  get accounted(): number {
    return this.#accounted;
  }

  /** Raw partitions that hold lines of ours. */
  get partitions(): number[] {
    return [...this.#byPartition.keys()].sort((a, b) => a - b);
  }

  /** These records are ours. Offsets of a partition come in ascending order. */
  add({ partition, baseOffset, count }: Appended): void {
    let own = this.#byPartition.get(partition);
    if (own === undefined) {
      own = { ranges: [], marks: new Uint8Array(1024), count: 0 };
      this.#byPartition.set(partition, own);
    }
    const last = own.ranges.at(-1);
    if (last !== undefined && baseOffset < last.base + last.count) {
      throw new RangeError(
        `Cannot add "${partition}/${baseOffset}": offsets up to ${
          last.base + last.count
        } are known`,
      );
    }
    if (last !== undefined && last.base + last.count === baseOffset) last.count += count;
    else own.ranges.push({ base: baseOffset, count, index: own.count });
    own.count += count;
    if (own.count > own.marks.length) {
      const marks = new Uint8Array(Math.max(own.count, 2 * own.marks.length));
      marks.set(own.marks);
      own.marks = marks;
    }
  }

  /** True if the raw record is ours. */
  has(partition: number, offset: number): boolean {
    return this.#find(partition, offset) !== undefined;
  }

  /** Accounts for a raw record. */
  mark(partition: number, offset: number): Mark {
    const found = this.#find(partition, offset);
    if (found === undefined) return "foreign";
    if (found.own.marks[found.index] === 1) return "again";
    found.own.marks[found.index] = 1;
    this.#accounted++;
    return "first";
  }

  /** Raw offsets that are not accounted for, `partition/offset`, at most `limit`. */
  missing(limit: number): string[] {
    const missing: string[] = [];
    for (const [partition, { ranges, marks }] of this.#byPartition) {
      for (const { base, count, index } of ranges) {
        for (let i = 0; i < count; i++) {
          if (missing.length >= limit) return missing;
          if (marks[index + i] === 0) missing.push(`${partition}/${base + i}`);
        }
      }
    }
    return missing;
  }

  #find(partition: number, offset: number): { own: Own; index: number } | undefined {
    const own = this.#byPartition.get(partition);
    if (own === undefined) return undefined;
    let low = 0, high = own.ranges.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const { base, count, index } = own.ranges[middle]!;
      if (offset < base) high = middle - 1;
      else if (offset >= base + count) low = middle + 1;
      else return { own, index: index + offset - base };
    }
    return undefined;
  }
}
