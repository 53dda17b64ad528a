/** Where stateful rules keep their cells: typed arrays, two orders of eviction, a changelog. */
import { ACCOUNT_ID_LENGTH_MAX } from "../contracts/limits.ts";
import { AccountIndex } from "./account_index.ts";
import { cellBytesMax, decodeCell, encodeCell } from "./cell_codec.ts";
import type { ChangeSink } from "./state_change.ts";
import { type Facts, hashBytes } from "./values/facts.ts";
import { type Cells, CELLS_PER_ACCOUNT_MAX as SLOTS } from "./rule_type.ts";

/** In the place of the offset of a slot's last touch, where it holds no cell. */
const FREE = -1;

const encoder = new TextEncoder();

function grow<T extends Float64Array | Int32Array | Uint8Array>(array: T, length: number): T {
  const larger = new (array.constructor as new (length: number) => T)(length);
  larger.set(array as never);
  return larger;
}

/** Index of `key` among the SLOTS keys from `at`, or -1. NaN marks an empty slot. */
function slotOf(keys: Float64Array, at: number, key: number): number {
  for (let i = 0; i < SLOTS; i++) if (keys[at + i] === key) return i;
  return -1;
}

/**
 * The cells of one rule in one partition. Everything that decides what is kept is a function of the
 * sequence of touches: the same touches, from the same restored state, keep the same cells.
 *
 * A cell's changelog key is `<prefix><account>/<slot>`, so a slot that is given to another cell
 * overwrites its predecessor and needs no tombstone.
 */
export class CellStore implements Cells {
  words: Float64Array;
  readonly cellWords: number;
  readonly accountsMax: number;
  readonly #prefix: string;
  /** Scratch: the prefix, and then the rest of a key. */
  readonly #keyScratch: Uint8Array;
  readonly #prefixLength: number;
  readonly #valueScratch: Uint8Array;
  readonly #accounts: AccountIndex;
  // Per account and slot.
  #keys: Float64Array;
  #touched: Float64Array;
  #rows: Int32Array;
  // Per row: a row is a cell's place in `words`.
  #rowOwner: Int32Array;
  #rowDirty: Uint8Array;
  #rowCount = 0;
  #freeRows: number[] = [];
  #dirtyRows: number[] = [];
  #gone = new Map<string, true>();
  #current = -1;
  // The key touched last, and the bases of its neighbours' cells.
  #key = NaN;
  #before = -1;
  #after = -1;

  constructor(
    options: { cellWords: number; accountsMax: number; prefix: string },
  ) {
    this.cellWords = options.cellWords;
    this.accountsMax = options.accountsMax;
    this.#prefix = options.prefix;
    const prefix = encoder.encode(options.prefix);
    this.#prefixLength = prefix.length;
    this.#keyScratch = new Uint8Array(prefix.length + ACCOUNT_ID_LENGTH_MAX + 4);
    this.#keyScratch.set(prefix);
    this.#valueScratch = new Uint8Array(cellBytesMax(options.cellWords));
    this.#accounts = new AccountIndex(Math.min(1024, options.accountsMax));
    const slots = this.#accounts.capacity * SLOTS;
    this.#keys = new Float64Array(slots).fill(NaN);
    this.#touched = new Float64Array(slots).fill(FREE);
    this.#rows = new Int32Array(slots);
    this.words = new Float64Array(64 * this.cellWords);
    this.#rowOwner = new Int32Array(64);
    this.#rowDirty = new Uint8Array(64);
  }

  /** Accounts that have at least one cell. */
  get accountCount(): number {
    return this.#accounts.count;
  }

  /** Cells in use. */
  get cellCount(): number {
    return this.#rowCount - this.#freeRows.length;
  }

  touch(facts: Facts, key: number): number {
    const accounts = this.#accounts;
    let account = accounts.find(
      facts.bytes,
      facts.accountStart,
      facts.accountEnd,
      facts.accountHash,
    );
    if (account < 0) account = this.#addAccount(facts);
    else accounts.moveToFront(account);
    this.#current = account;
    const keys = this.#keys, touched = this.#touched;
    const end = (account + 1) * SLOTS;
    // The cell, or the one to give up: a free slot is the least recent, and the first of them goes.
    let place = end - SLOTS, oldest = Infinity;
    let own = -1, before = -1, after = -1;
    for (let i = place; i < end; i++) {
      const distance = keys[i]! - key;
      if (distance >= -1 && distance <= 1) {
        if (distance === 0) own = i;
        else if (distance < 0) before = i;
        else after = i;
      }
      const at = touched[i]!;
      if (at < oldest) {
        oldest = at;
        place = i;
      }
    }
    let row: number;
    if (own >= 0) row = this.#rows[place = own]!;
    else {
      if (place === before) before = -1;
      else if (place === after) after = -1;
      row = oldest === FREE ? this.#takeRow() : this.#rows[place]!;
      const words = this.words, rowEnd = (row + 1) * this.cellWords;
      // A call of `fill` costs more than a few words one by one.
      for (let i = row * this.cellWords; i < rowEnd; i++) words[i] = 0;
      keys[place] = key;
      this.#rows[place] = row;
      this.#rowOwner[row] = place;
    }
    this.#key = key;
    this.#before = before < 0 ? -1 : this.#rows[before]! * this.cellWords;
    this.#after = after < 0 ? -1 : this.#rows[after]! * this.cellWords;
    touched[place] = facts.offset;
    if (this.#rowDirty[row] === 0) {
      this.#rowDirty[row] = 1;
      this.#dirtyRows.push(row);
    }
    return row * this.cellWords;
  }

  find(key: number): number {
    // A window of time reaches into its neighbours, so these were looked for on the way.
    if (key === this.#key - 1) return this.#before;
    if (key === this.#key + 1) return this.#after;
    const at = this.#current * SLOTS;
    const slot = slotOf(this.#keys, at, key);
    return slot < 0 ? -1 : this.#rows[at + slot]! * this.cellWords;
  }

  #takeRow(): number {
    const free = this.#freeRows.pop();
    if (free !== undefined) return free;
    if (this.#rowCount === this.#rowOwner.length) {
      const rows = this.#rowCount * 2;
      this.words = grow(this.words, rows * this.cellWords);
      this.#rowOwner = grow(this.#rowOwner, rows);
      this.#rowDirty = grow(this.#rowDirty, rows);
    }
    return this.#rowCount++;
  }

  #addAccount(facts: Facts): number {
    if (this.#accounts.count >= this.accountsMax) this.#dropAccount(this.#accounts.oldest);
    return this.#insertAccount(
      facts.bytes,
      facts.accountStart,
      facts.accountEnd,
      facts.accountHash,
    );
  }

  #insertAccount(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const account = this.#accounts.insert(bytes, start, end, hash);
    const slots = this.#accounts.capacity * SLOTS;
    if (slots > this.#keys.length) {
      const filled = this.#keys.length;
      this.#keys = grow(this.#keys, slots).fill(NaN, filled);
      this.#touched = grow(this.#touched, slots).fill(FREE, filled);
      this.#rows = grow(this.#rows, slots);
    }
    return account;
  }

  #dropAccount(account: number): void {
    const at = account * SLOTS;
    for (let i = 0; i < SLOTS; i++) {
      if (Number.isNaN(this.#keys[at + i]!)) continue;
      this.#gone.set(this.#keyText(account, i), true);
      this.#freeSlot(at + i);
    }
    this.#accounts.remove(account);
  }

  #freeSlot(index: number): void {
    const row = this.#rows[index]!;
    this.#keys[index] = NaN;
    this.#touched[index] = FREE;
    this.#rowOwner[row] = -1;
    this.#freeRows.push(row);
  }

  #keyText(account: number, slot: number): string {
    return `${this.#prefix}${this.#accounts.name(account)}/${slot}`;
  }

  /** The key of a cell, in the scratch; returns where it ends. */
  #writeKey(account: number, slot: number): number {
    const bytes = this.#keyScratch;
    let at = this.#accounts.writeName(account, bytes, this.#prefixLength);
    bytes[at++] = 0x2f;
    if (slot >= 10) bytes[at++] = 0x31;
    bytes[at++] = 0x30 + slot % 10;
    return at;
  }

  /** Changes since the last call, one per key. */
  drain(changes: ChangeSink): void {
    for (const row of this.#dirtyRows) {
      this.#rowDirty[row] = 0;
      const owner = this.#rowOwner[row]!;
      if (owner < 0) continue; // freed again
      const slot = owner % SLOTS;
      const account = (owner - slot) / SLOTS;
      if (this.#gone.size > 0) this.#gone.delete(this.#keyText(account, slot));
      const keyEnd = this.#writeKey(account, slot);
      const valueEnd = encodeCell(
        this.#keys[owner]!,
        this.#touched[owner]!,
        this.words,
        row * this.cellWords,
        this.cellWords,
        this.#valueScratch,
      );
      changes.change(this.#keyScratch, keyEnd, this.#valueScratch, valueEnd);
    }
    this.#dirtyRows.length = 0;
    for (const text of this.#gone.keys()) {
      const key = encoder.encode(text);
      changes.change(key, key.length, null, 0);
    }
    this.#gone.clear();
  }

  /** Keys of all cells, for tombstones; empties the store. At most `limit` cells per call. */
  dismantle(limit: number): Uint8Array[] {
    const keys: Uint8Array[] = [];
    while (keys.length < limit && this.#accounts.count > 0) {
      this.#dropAccount(this.#accounts.oldest);
      for (const text of this.#gone.keys()) keys.push(encoder.encode(text));
      this.#gone.clear();
    }
    return keys;
  }

  /** Takes one record of the changelog, in log order, before any touch. */
  restore(account: string, slot: number, value: Uint8Array | null): void {
    const bytes = encoder.encode(account);
    if (bytes.length > ACCOUNT_ID_LENGTH_MAX || !(slot >= 0 && slot < SLOTS)) {
      throw new Error(`Cannot restore cell "${account}/${slot}": not a key of this program`);
    }
    const hash = hashBytes(bytes, 0, bytes.length);
    let index = this.#accounts.find(bytes, 0, bytes.length, hash);
    if (value === null) {
      if (index >= 0 && !Number.isNaN(this.#keys[index * SLOTS + slot]!)) {
        this.#freeSlot(index * SLOTS + slot);
      }
      return;
    }
    if (index < 0) index = this.#insertAccount(bytes, 0, bytes.length, hash);
    const at = index * SLOTS + slot;
    const row = Number.isNaN(this.#keys[at]!) ? this.#takeRow() : this.#rows[at]!;
    const base = row * this.cellWords;
    const cell = decodeCell(value, this.words.subarray(base, base + this.cellWords));
    this.#keys[at] = cell.key;
    this.#touched[at] = cell.touched;
    this.#rows[at] = row;
    this.#rowOwner[row] = at;
  }

  /** Brings restored accounts into the order of their last touch; drops what a smaller limit does not hold. */
  finishRestore(): void {
    const lastTouch = (account: number) => {
      let last = -1;
      for (let i = account * SLOTS; i < (account + 1) * SLOTS; i++) {
        if (!Number.isNaN(this.#keys[i]!) && this.#touched[i]! > last) last = this.#touched[i]!;
      }
      return last;
    };
    const known = this.#accounts.all().map((account) => ({ account, last: lastTouch(account) }));
    for (const { account, last } of known) if (last < 0) this.#accounts.remove(account);
    const alive = known.filter(({ last }) => last >= 0).sort((a, b) => a.last - b.last);
    for (const { account } of alive) this.#accounts.moveToFront(account);
    while (this.#accounts.count > this.accountsMax) this.#dropAccount(this.#accounts.oldest);
  }
}
