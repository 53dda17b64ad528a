/**
 * The last accepted ids of a partition (design section 3, "Unique"), each a UUID in four words: 500,000 of them take
 * some 14 MB, and none is an object for the garbage collector to look at. Pure.
 */
import { uuidWords } from "./fingerprint.ts";

const ROWS_FIRST = 1024;
const NONE = -1;

/** A queue of UUIDs that knows what is in it. */
export class RecentIds {
  #max: number;
  /** Ids in a ring; a row's place in it is where its words lie. */
  #words = new Uint32Array(0);
  /** Next row of the same chain. */
  #chain = new Int32Array(0);
  /** First row of each chain, by hash. */
  #heads = new Int32Array(0);
  #oldest = 0;
  #size = 0;
  /** Words of {@linkcode RecentIds.#askedText}: an id is asked for just before it is added. */
  readonly #asked = new Uint32Array(4);
  #askedText = "";

  /** `max`: how many are remembered; the oldest goes first. */
  constructor(max: number) {
    this.#max = max;
    this.#allocate(ROWS_FIRST);
  }

  /** How many are in it. */
  get size(): number {
    return this.#size;
  }

  /** Another limit from now on. */
  setMax(max: number): void {
    this.#max = max;
    while (this.#size > max) this.#forgetOldest();
  }

  /** True if the id is among the last ones. */
  has(uuid: string): boolean {
    this.#read(uuid);
    const [a, b, c, d] = this.#asked;
    for (let row = this.#heads[this.#hash()]!; row !== NONE; row = this.#chain[row]!) {
      const at = row * 4;
      if (
        this.#words[at] === a && this.#words[at + 1] === b && this.#words[at + 2] === c &&
        this.#words[at + 3] === d
      ) return true;
    }
    return false;
  }

  /** Adds an id that is not in it. */
  add(uuid: string): void {
    if (this.#max < 1) return;
    if (this.#size === this.#max) this.#forgetOldest();
    if (this.#size === this.#rows) this.#allocate(this.#rows * 2);
    this.#read(uuid);
    this.#insert((this.#oldest + this.#size) % this.#rows, this.#asked);
    this.#size++;
  }

  get #rows(): number {
    return this.#chain.length;
  }

  #insert(row: number, id: ArrayLike<number>): void {
    for (let word = 0; word < 4; word++) this.#words[row * 4 + word] = id[word]!;
    const hash = this.#hashOf(row);
    this.#chain[row] = this.#heads[hash]!;
    this.#heads[hash] = row;
  }

  #forgetOldest(): void {
    const row = this.#oldest;
    const hash = this.#hashOf(row);
    if (this.#heads[hash] === row) this.#heads[hash] = this.#chain[row]!;
    else {
      let before = this.#heads[hash]!;
      while (this.#chain[before] !== row) before = this.#chain[before]!;
      this.#chain[before] = this.#chain[row]!;
    }
    this.#oldest = (row + 1) % this.#rows;
    this.#size--;
  }

  /** Makes room for `rows` ids, the oldest first in it. */
  #allocate(rows: number): void {
    const [words, size, oldest, before] = [this.#words, this.#size, this.#oldest, this.#rows];
    let heads = 1;
    while (heads < rows) heads *= 2;
    this.#words = new Uint32Array(rows * 4);
    this.#chain = new Int32Array(rows);
    this.#heads = new Int32Array(heads).fill(NONE);
    this.#oldest = 0;
    for (let n = 0; n < size; n++) {
      const at = ((oldest + n) % before) * 4;
      this.#insert(n, words.subarray(at, at + 4));
    }
  }

  #read(uuid: string): void {
    if (uuid === this.#askedText) return;
    this.#askedText = uuid;
    uuidWords(uuid, this.#asked);
  }

  #hash(): number {
    const [a, b, c, d] = this.#asked;
    return this.#mix(a!, b!, c!, d!);
  }

  #hashOf(row: number): number {
    const words = this.#words, at = row * 4;
    return this.#mix(words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!);
  }

  #mix(a: number, b: number, c: number, d: number): number {
    let hash = Math.imul(a ^ Math.imul(b, 0x9e3779b1), 0x85ebca6b) ^ Math.imul(c, 0xc2b2ae35) ^ d;
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    return (hash ^ (hash >>> 13)) & (this.#heads.length - 1);
  }
}
