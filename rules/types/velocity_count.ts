/** Counting transactions in a sliding window of event time, in any order of arrival. */
import { EVIDENCE_IDS_MAX } from "../../contracts/limits.ts";
import { printTimestamp } from "../../contracts/timestamps.ts";
import type { RuleLogic } from "../rule_type.ts";

/**
 * A cell is a bucket of event time of one window's width: its count, then the `kept` earliest and the
 * `kept` latest of its transactions, each as (µs since the bucket's start, sequence) in rising order;
 * kept = K − 1. Both lists hold min(count, kept) entries.
 *
 * That is enough to be exact. All of one bucket lie less than a window apart, so a bucket with K is a
 * burst by itself. In a smaller one every transaction is in both lists. An interval that contains t
 * and reaches into a neighbouring bucket takes those nearest to t, and K − 1 of them complete it.
 */
const COUNT = 0;
const LISTS = 1;

/** Puts (time, sequence) into a rising list of at most `kept` pairs, keeping the earliest. */
function keepEarliest(
  words: Float64Array,
  base: number,
  kept: number,
  held: number,
  time: number,
  sequence: number,
): void {
  if (held === kept && time >= words[base + 2 * (kept - 1)]!) return;
  let i = held === kept ? kept - 1 : held;
  while (i > 0 && words[base + 2 * (i - 1)]! > time) {
    words[base + 2 * i] = words[base + 2 * (i - 1)]!;
    words[base + 2 * i + 1] = words[base + 2 * (i - 1) + 1]!;
    i--;
  }
  words[base + 2 * i] = time;
  words[base + 2 * i + 1] = sequence;
}

/** The same, keeping the latest. */
function keepLatest(
  words: Float64Array,
  base: number,
  kept: number,
  held: number,
  time: number,
  sequence: number,
): void {
  if (held < kept) {
    keepEarliest(words, base, kept, held, time, sequence);
    return;
  }
  if (time < words[base]!) return;
  let i = 0;
  while (i < kept - 1 && words[base + 2 * (i + 1)]! <= time) {
    words[base + 2 * i] = words[base + 2 * (i + 1)]!;
    words[base + 2 * i + 1] = words[base + 2 * (i + 1) + 1]!;
    i++;
  }
  words[base + 2 * i] = time;
  words[base + 2 * i + 1] = sequence;
}

/** Times and sequences that lie together, and the interval found among them. */
class Line {
  readonly times: Float64Array;
  readonly sequences: Float64Array;
  length = 0;
  /** The fullest interval found: indexes of its first and last entry, and how many it holds. */
  first = 0;
  last = -1;
  size = 0;

  constructor(entriesMax: number) {
    this.times = new Float64Array(entriesMax);
    this.sequences = new Float64Array(entriesMax);
  }

  /** Appends `entries` pairs, their times shifted. */
  append(words: Float64Array, base: number, entries: number, shift: number): void {
    for (let i = 0; i < entries; i++) {
      this.times[this.length] = words[base + 2 * i]! + shift;
      this.sequences[this.length++] = words[base + 2 * i + 1]!;
    }
  }

  /** Finds the fullest interval shorter than `window` that contains entry `own`. */
  search(own: number, window: number): void {
    const times = this.times;
    this.size = 0;
    let last = own;
    for (let first = 0; first <= own; first++) {
      if (times[own]! - times[first]! >= window) continue;
      if (last < own) last = own;
      while (last + 1 < this.length && times[last + 1]! - times[first]! < window) last++;
      if (last - first + 1 > this.size) {
        this.first = first;
        this.last = last;
        this.size = last - first + 1;
      }
    }
  }
}

/**
 * The logic of a count rule. `laidOutFor` is the count that the state was started with: at least the
 * count in force, so its lists are long enough.
 */
export function countLogic(
  parameters: { at_least: number; window_seconds: number },
  laidOutFor: number,
): RuleLogic {
  const count = parameters.at_least;
  const window = parameters.window_seconds * 1_000_000;
  const kept = laidOutFor - 1;
  const late = LISTS + 2 * kept;
  const line = new Line(4 * kept + 1);
  let bucket = 0;

  /** Lays the bucket and its neighbours' near ends out in `line`, times from the bucket's start. */
  const layOut = (words: Float64Array, base: number, left: number, right: number) => {
    line.length = 0;
    if (left >= 0) {
      line.append(words, left + late, Math.min(words[left + COUNT]!, kept), -window);
    }
    const held = Math.min(words[base + COUNT]!, kept);
    line.append(words, base + LISTS, held, 0);
    if (words[base + COUNT]! > kept) appendRest(words, base);
    if (right >= 0) {
      line.append(words, right + LISTS, Math.min(words[right + COUNT]!, kept), window);
    }
  };

  /** Appends those of the latest that are not among the earliest: the lists of K..2K may overlap. */
  const appendRest = (words: Float64Array, base: number) => {
    const overlap = Math.max(0, 2 * kept - words[base + COUNT]!);
    line.append(words, base + late + 2 * overlap, kept - overlap, 0);
  };

  return {
    cellWords: LISTS + 4 * kept,
    judge(facts, cells) {
      bucket = Math.floor(facts.timestampUs / window);
      const time = facts.timestampUs - bucket * window;
      const base = cells!.touch(facts, bucket);
      const words = cells!.words;
      const held = Math.min(words[base + COUNT]!, kept);
      keepEarliest(words, base + LISTS, kept, held, time, facts.sequence);
      keepLatest(words, base + late, kept, held, time, facts.sequence);
      const total = words[base + COUNT]! + 1;
      words[base + COUNT] = total;
      const left = cells!.find(bucket - 1);
      const right = cells!.find(bucket + 1);
      line.size = 0;
      if (total < count) {
        if (left < 0 && right < 0) return false;
        const reach = (left < 0 ? 0 : words[left + COUNT]!) +
          (right < 0 ? 0 : words[right + COUNT]!);
        if (total + reach < count) return false;
      }
      layOut(words, base, left, right);
      if (total >= count) {
        line.first = left < 0 ? 0 : Math.min(words[left + COUNT]!, kept);
        line.size = total;
        line.last = line.first + Math.min(total, 2 * kept) - 1;
        return true;
      }
      line.search(ownIndex(line, time, facts.sequence), window);
      return line.size >= count;
    },
    explain(facts, context) {
      const from = bucket * window + line.times[line.first]!;
      const to = bucket * window + line.times[line.last]!;
      const ids: string[] = [];
      for (let i = line.first; i <= line.last && ids.length < EVIDENCE_IDS_MAX - 1; i++) {
        const sequence = line.sequences[i]!;
        if (sequence === facts.sequence) continue;
        const id = context.transactionIdOf(sequence);
        if (id !== undefined) ids.push(id);
      }
      const own = context.transactionIdOf(facts.sequence);
      if (own !== undefined) ids.push(own);
      const seconds = (to - from) / 1_000_000;
      return {
        description: `Account ${context.accountId} made ${line.size} transactions within ${
          seconds.toFixed(1)
        } s (limit: ${count} in ${parameters.window_seconds} s)`,
        evidence: {
          measure: "count",
          transactions: line.size,
          at_least: count,
          window_seconds: parameters.window_seconds,
          from: printTimestamp(from),
          to: printTimestamp(to),
          transaction_ids: ids,
        },
      };
    },
  };
}

function ownIndex(line: Line, time: number, sequence: number): number {
  for (let i = 0; i < line.length; i++) {
    if (line.sequences[i] === sequence && line.times[i] === time) return i;
  }
  throw new Error(`Cannot find transaction "${sequence}" in its own bucket: its state is damaged`);
}
