/** Account ids by their bytes: an open-addressing table over typed arrays, and their order of use. */
import { ACCOUNT_ID_LENGTH_MAX as LENGTH_MAX } from "../contracts/limits.ts";

function grown<T extends Int32Array | Uint8Array>(array: T, length: number): T {
  const larger = new (array.constructor as new (length: number) => T)(length);
  larger.set(array);
  return larger;
}

/**
 * Gives each account id (at most 64 bytes) a small number, and keeps the numbers in order of their
 * last use. Numbers of removed accounts are given out again. Grows by doubling.
 */
export class AccountIndex {
  capacity: number;
  count = 0;
  #names: Uint8Array;
  #lengths: Uint8Array;
  #hashes: Int32Array;
  /** Linear probing; holds number + 1, 0 is empty; at most half full. */
  #table: Int32Array;
  #mask: number;
  // A ring of use with a head of its own at index 0; account n is at n + 1.
  #newer: Int32Array;
  #older: Int32Array;
  #free: number[] = [];
  #used = 0;

  constructor(capacity: number) {
    this.capacity = Math.max(8, capacity);
    this.#names = new Uint8Array(this.capacity * LENGTH_MAX);
    this.#lengths = new Uint8Array(this.capacity);
    this.#hashes = new Int32Array(this.capacity);
    this.#newer = new Int32Array(this.capacity + 1);
    this.#older = new Int32Array(this.capacity + 1);
    this.#mask = 2 ** Math.ceil(Math.log2(this.capacity * 2)) - 1;
    this.#table = new Int32Array(this.#mask + 1);
  }

  /** Number of the account, or -1. */
  find(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const table = this.#table;
    for (let i = hash & this.#mask;; i = (i + 1) & this.#mask) {
      const account = table[i]! - 1;
      if (account < 0) return -1;
      if (this.#hashes[account] === hash && this.#isNamed(account, bytes, start, end)) {
        return account;
      }
    }
  }

  #isNamed(account: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#lengths[account] !== end - start) return false;
    const shift = account * LENGTH_MAX - start;
    for (let i = start; i < end; i++) if (this.#names[i + shift] !== bytes[i]) return false;
    return true;
  }

  /** Adds an account that is not there yet, as the one used last. */
  insert(bytes: Uint8Array, start: number, end: number, hash: number): number {
    let account = this.#free.pop();
    if (account === undefined) {
      if (this.#used === this.capacity) this.#double();
      account = this.#used++;
    }
    this.#names.set(bytes.subarray(start, end), account * LENGTH_MAX);
    this.#lengths[account] = end - start;
    this.#hashes[account] = hash;
    this.#enter(account);
    this.#linkFront(account + 1);
    this.count++;
    return account;
  }

  #enter(account: number): void {
    let i = this.#hashes[account]! & this.#mask;
    while (this.#table[i] !== 0) i = (i + 1) & this.#mask;
    this.#table[i] = account + 1;
  }

  #double(): void {
    this.capacity *= 2;
    this.#names = grown(this.#names, this.capacity * LENGTH_MAX);
    this.#lengths = grown(this.#lengths, this.capacity);
    this.#hashes = grown(this.#hashes, this.capacity);
    this.#newer = grown(this.#newer, this.capacity + 1);
    this.#older = grown(this.#older, this.capacity + 1);
    this.#mask = this.#mask * 2 + 1;
    this.#table = new Int32Array(this.#mask + 1);
    for (const account of this.all()) this.#enter(account);
  }

  /** Removes an account; its number may be given out again. */
  remove(account: number): void {
    const table = this.#table, mask = this.#mask;
    let hole = this.#hashes[account]! & mask;
    while (table[hole] !== account + 1) hole = (hole + 1) & mask;
    // Backward shift: no tombstones, so the table never has to be rebuilt.
    for (let i = (hole + 1) & mask; table[i] !== 0; i = (i + 1) & mask) {
      const home = this.#hashes[table[i]! - 1]! & mask;
      if (((i - home) & mask) < ((i - hole) & mask)) continue;
      table[hole] = table[i]!;
      hole = i;
    }
    table[hole] = 0;
    this.#unlink(account + 1);
    this.#free.push(account);
    this.count--;
  }

  /** Marks the account as the one used last. */
  moveToFront(account: number): void {
    if (this.#older[0] === account + 1) return;
    this.#unlink(account + 1);
    this.#linkFront(account + 1);
  }

  /** The account whose last use is longest ago. Only where there is one. */
  get oldest(): number {
    return this.#newer[0]! - 1;
  }

  /** All accounts, the one used longest ago first. */
  all(): number[] {
    const accounts: number[] = [];
    for (let at = this.#newer[0]!; at !== 0; at = this.#newer[at]!) accounts.push(at - 1);
    return accounts;
  }

  /** The account's id. */
  name(account: number): string {
    const at = account * LENGTH_MAX;
    let text = "";
    for (let i = at; i < at + this.#lengths[account]!; i++) {
      text += String.fromCharCode(this.#names[i]!);
    }
    return text;
  }

  /** Writes the account's id into `bytes` at `at`; returns where it ends. */
  writeName(account: number, bytes: Uint8Array, at: number): number {
    const from = account * LENGTH_MAX;
    const length = this.#lengths[account]!;
    for (let i = 0; i < length; i++) bytes[at + i] = this.#names[from + i]!;
    return at + length;
  }

  #linkFront(at: number): void {
    const last = this.#older[0]!;
    this.#newer[last] = at;
    this.#older[at] = last;
    this.#newer[at] = 0;
    this.#older[0] = at;
  }

  #unlink(at: number): void {
    const older = this.#older[at]!, newer = this.#newer[at]!;
    this.#newer[older] = newer;
    this.#older[newer] = older;
  }
}
