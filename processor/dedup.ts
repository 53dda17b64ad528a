/**
 * The ids of the last accepted transactions of a partition: which of them are duplicates.
 *
 * A ring of 128-bit ids in order of acceptance and an open-addressing table over it, both allocated at
 * start. In the changelog, ids are parts (what one transaction of the broker accepted) until 4,096 of
 * them become a block under a key of a ring, whose parts are then tombstoned: the changelog stays as
 * bounded as the table, and an id is written twice.
 */
import { printUuid } from "../contracts/ids.ts";
import type { ChangeSink } from "../rules/state_change.ts";
import { DedupLog, ID_BYTES } from "./dedup_log.ts";

/** Bits of a table entry that hold the ring place + 1; the rest is a tag. */
const PLACE_MASK = 0xffffff;
const TAG_MASK = ~PLACE_MASK;

/** Mixes an id into 32 bits: the low ones choose the slot, the high ones are the tag. */
function hashOf(id0: number, id1: number, id2: number, id3: number): number {
  let hash = Math.imul(id0, 0x9e3779b1) ^ Math.imul(id1, 0x85ebca6b);
  hash ^= Math.imul(id2 ^ (hash >>> 15), 0xc2b2ae35) ^ Math.imul(id3, 0x27d4eb2f);
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
  return hash ^ (hash >>> 15);
}

/** Remembers the last `idsMax` accepted ids. */
export class DedupTable {
  readonly idsMax: number;
  /** Four words per id; the id of sequence s is at s mod idsMax. */
  readonly #ring: Int32Array;
  /**
   * Linear probing, less than half full; 0 is empty. An entry is a ring place + 1 in the low 24 bits and
   * a tag of the id above them, so that a walk past other ids seldom has to look into the ring.
   */
  readonly #table: Int32Array;
  readonly #mask: number;
  readonly #log: DedupLog;
  #next = 0;
  /** Nothing before this sequence is remembered: after a restore with a larger limit. */
  #from = 0;

  constructor(options: { idsMax: number }) {
    this.idsMax = options.idsMax;
    if (!(this.idsMax >= 1 && this.idsMax < PLACE_MASK)) {
      throw new RangeError(`Cannot remember "${this.idsMax}" ids: expected 1 to ${PLACE_MASK - 1}`);
    }
    this.#ring = new Int32Array(4 * this.idsMax);
    const size = 2 ** Math.ceil(Math.log2(this.idsMax * 2));
    this.#table = new Int32Array(size);
    this.#mask = size - 1;
    this.#log = new DedupLog({ idsMax: this.idsMax });
  }

  /** Sequence of the next id to be accepted: how many were accepted so far. */
  get next(): number {
    return this.#next;
  }

  /** Sequence of the oldest id that is remembered. */
  get #oldest(): number {
    return Math.max(this.#from, this.#next - this.idsMax);
  }

  /** Ids remembered now. */
  get size(): number {
    return this.#next - this.#oldest;
  }

  /** Takes an id: its sequence, or -1 where it is among the last `idsMax`. */
  add(id0: number, id1: number, id2: number, id3: number): number {
    const sequence = this.#next;
    const displaces = sequence - this.idsMax >= this.#from;
    if (!this.#insert(sequence % this.idsMax, displaces, id0, id1, id2, id3)) return -1;
    this.#next = sequence + 1;
    this.#log.append(id0, id1, id2, id3);
    return sequence;
  }

  /** Puts an id at a place of the ring, unless it is there already; `displaces` the one there now. */
  #insert(
    place: number,
    displaces: boolean,
    id0: number,
    id1: number,
    id2: number,
    id3: number,
  ): boolean {
    const table = this.#table, ring = this.#ring, mask = this.#mask;
    const hash = hashOf(id0, id1, id2, id3);
    const tag = hash & TAG_MASK;
    let slot = hash & mask;
    for (let entry = table[slot]!; entry !== 0; entry = table[slot]!) {
      if ((entry & TAG_MASK) === tag) {
        const at = 4 * ((entry & PLACE_MASK) - 1);
        if (
          ring[at] === id0 && ring[at + 1] === id1 && ring[at + 2] === id2 && ring[at + 3] === id3
        ) return false;
      }
      slot = (slot + 1) & mask;
    }
    if (displaces) {
      this.#forget(place);
      // Forgetting shifts entries, so the free slot may lie nearer now.
      slot = hash & mask;
      while (table[slot] !== 0) slot = (slot + 1) & mask;
    }
    const at = 4 * place;
    ring[at] = id0;
    ring[at + 1] = id1;
    ring[at + 2] = id2;
    ring[at + 3] = id3;
    table[slot] = tag | (place + 1);
    return true;
  }

  /** Slot where the search for the id at a place of the ring begins. */
  #homeOf(place: number): number {
    const at = 4 * place, ring = this.#ring;
    return hashOf(ring[at]!, ring[at + 1]!, ring[at + 2]!, ring[at + 3]!) & this.#mask;
  }

  /** Takes the id at a place of the ring out of the table, closing the gap by a backward shift. */
  #forget(place: number): void {
    const table = this.#table, mask = this.#mask;
    let hole = this.#homeOf(place);
    while ((table[hole]! & PLACE_MASK) !== place + 1) hole = (hole + 1) & mask;
    for (let slot = (hole + 1) & mask; table[slot] !== 0; slot = (slot + 1) & mask) {
      const home = this.#homeOf((table[slot]! & PLACE_MASK) - 1);
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
      table[hole] = table[slot]!;
      hole = slot;
    }
    table[hole] = 0;
  }

  /** The id of a sequence, while it is remembered. */
  idOf(sequence: number): string | undefined {
    if (sequence < this.#oldest || sequence >= this.#next) return undefined;
    const at = 4 * (sequence % this.idsMax), ring = this.#ring;
    return printUuid(ring[at]!, ring[at + 1]!, ring[at + 2]!, ring[at + 3]!);
  }

  /** Appends the changes since the last call, one record per key. */
  drain(changes: ChangeSink): void {
    this.#log.drain(changes, this.#oldest);
  }

  /** Takes one changelog record under `i/`, in log order. */
  restore(key: string, value: Uint8Array | null): void {
    this.#log.restore(key, value);
  }

  /**
   * Ends a restore. The table holds what it held when the changelog was written, or the last of it
   * where `idsMax` is smaller now. A larger one does not bring back what was forgotten, though parts of
   * it may still lie in the changelog: the same id may since have been accepted again.
   */
  finishRestore(): void {
    const { runs, next, remembered } = this.#log.finishRestore();
    this.#next = next;
    this.#from = remembered;
    const first = this.#oldest;
    for (const { first: runFirst, ids } of runs) {
      const view = new DataView(ids.buffer, ids.byteOffset, ids.byteLength);
      const word = (at: number) => view.getInt32(at);
      for (let at = 0; at < ids.byteLength; at += ID_BYTES) {
        const sequence = runFirst + at / ID_BYTES;
        if (sequence < first) continue;
        const place = sequence % this.idsMax;
        if (!this.#insert(place, false, word(at), word(at + 4), word(at + 8), word(at + 12))) {
          throw new Error(`Cannot restore id number "${sequence}": it is there twice`);
        }
      }
    }
  }
}
