/** Where stateful rules keep their cells: typed arrays, two orders of eviction, a changelog. */
import { NotReadyError } from "../contracts/errors.ts";
import { ACCOUNT_ID_LENGTH_MAX } from "../contracts/limits.ts";
import { AccountIndex } from "./account_index.ts";
import { beginCells, cellsBytesMax, CellsReader, writeCell, writeNoCell } from "./cell_codec.ts";
import type { ChangeSink } from "./state_change.ts";
import { type Facts, hashBytes } from "./values/facts.ts";
import { type Cells, CELLS_PER_ACCOUNT_MAX as SLOTS } from "./rule_type.ts";

/**
 * Cells of an account in one record of the changelog: cells touched one after the other lie side by side, so a unit
 * of many records writes several at once, and one of few does not write all 16 for a single one (docs/decisions/0018).
 */
const CELLS_PER_RECORD = 4;

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
 * An account's slots are grouped into pages, each a record of the changelog under `<prefix><account>/<page>`:
 * a slot that is given to another cell overwrites its predecessor and needs no tombstone.
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
  // A row is a cell's place in `words`.
  #rowCount = 0;
  #freeRows: number[] = [];
  readonly #pageSlots: number;
  /** Slots to pages. */
  readonly #pageShift: number;
  #pageDirty: Uint8Array;
  #dirtyPages: number[] = [];
  #gone = new Map<string, true>();
  #current = -1;
  // The key touched last, and the bases of its neighbours' cells.
  #key = NaN;
  #before = -1;
  #after = -1;

  /** @param options `cellsPerRecord`: as the changelog has them, 1 in those of earlier programs */
  constructor(
    options: { cellWords: number; accountsMax: number; prefix: string; cellsPerRecord?: number },
  ) {
    const { cellsPerRecord = CELLS_PER_RECORD } = options;
    this.#pageShift = Math.log2(cellsPerRecord);
    if (!Number.isInteger(this.#pageShift) || cellsPerRecord > SLOTS) {
      throw new NotReadyError(`Cannot use records of ${cellsPerRecord} cells`);
    }
    this.#pageSlots = cellsPerRecord;
    this.cellWords = options.cellWords;
    this.accountsMax = options.accountsMax;
    this.#prefix = options.prefix;
    const prefix = encoder.encode(options.prefix);
    this.#prefixLength = prefix.length;
    this.#keyScratch = new Uint8Array(prefix.length + ACCOUNT_ID_LENGTH_MAX + 4);
    this.#keyScratch.set(prefix);
    this.#valueScratch = new Uint8Array(cellsBytesMax(options.cellWords, cellsPerRecord));
    this.#accounts = new AccountIndex(Math.min(1024, options.accountsMax));
    const slots = this.#accounts.capacity * SLOTS;
    this.#keys = new Float64Array(slots).fill(NaN);
    this.#touched = new Float64Array(slots).fill(FREE);
    this.#rows = new Int32Array(slots);
    this.words = new Float64Array(64 * this.cellWords);
    this.#pageDirty = new Uint8Array(slots >>> this.#pageShift);
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
    }
    this.#key = key;
    this.#before = before < 0 ? -1 : this.#rows[before]! * this.cellWords;
    this.#after = after < 0 ? -1 : this.#rows[after]! * this.cellWords;
    touched[place] = facts.offset;
    const page = place >>> this.#pageShift;
    if (this.#pageDirty[page] === 0) {
      this.#pageDirty[page] = 1;
      this.#dirtyPages.push(page);
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
    const used = this.#rowCount * this.cellWords;
    if (used === this.words.length) this.words = grow(this.words, 2 * used);
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
      this.#pageDirty = grow(this.#pageDirty, slots >>> this.#pageShift);
    }
    return account;
  }

  #dropAccount(account: number): void {
    const at = account * SLOTS;
    for (let i = 0; i < SLOTS; i += this.#pageSlots) {
      if (!this.#hasCells(at + i)) continue;
      this.#gone.set(this.#keyText(account, i >>> this.#pageShift), true);
      this.#freePage(at + i);
    }
    this.#accounts.remove(account);
  }

  /** Whether the page that begins at slot `first` holds a cell. */
  #hasCells(first: number): boolean {
    for (let i = first; i < first + this.#pageSlots; i++) {
      if (!Number.isNaN(this.#keys[i]!)) return true;
    }
    return false;
  }

  #freePage(first: number): void {
    for (let i = first; i < first + this.#pageSlots; i++) this.#freeSlot(i);
  }

  #freeSlot(index: number): void {
    if (Number.isNaN(this.#keys[index]!)) return;
    this.#keys[index] = NaN;
    this.#touched[index] = FREE;
    this.#freeRows.push(this.#rows[index]!);
  }

  #keyText(account: number, page: number): string {
    return `${this.#prefix}${this.#accounts.name(account)}/${page}`;
  }

  /** The key of a page, in the scratch; returns where it ends. */
  #writeKey(account: number, page: number): number {
    const bytes = this.#keyScratch;
    let at = this.#accounts.writeName(account, bytes, this.#prefixLength);
    bytes[at++] = 0x2f;
    if (page >= 10) bytes[at++] = 0x31;
    bytes[at++] = 0x30 + page % 10;
    return at;
  }

  /** The page that begins at slot `first`, in the scratch; returns where it ends. */
  #writePage(first: number): number {
    const { words, cellWords } = this;
    const bytes = this.#valueScratch;
    let at = beginCells(bytes, cellWords, this.#pageSlots);
    for (let i = first; i < first + this.#pageSlots; i++) {
      const key = this.#keys[i]!;
      if (Number.isNaN(key)) at = writeNoCell(bytes, at);
      else {
        const base = this.#rows[i]! * cellWords;
        at = writeCell(bytes, at, key, this.#touched[i]!, words, base, cellWords);
      }
    }
    return at;
  }

  /** Changes since the last call, one per key. */
  drain(changes: ChangeSink): void {
    for (const dirty of this.#dirtyPages) {
      this.#pageDirty[dirty] = 0;
      const first = dirty << this.#pageShift;
      if (!this.#hasCells(first)) continue; // freed again
      const slot = first % SLOTS;
      const account = (first - slot) / SLOTS;
      const page = slot >>> this.#pageShift;
      if (this.#gone.size > 0) this.#gone.delete(this.#keyText(account, page));
      const keyEnd = this.#writeKey(account, page);
      changes.change(this.#keyScratch, keyEnd, this.#valueScratch, this.#writePage(first));
    }
    this.#dirtyPages.length = 0;
    for (const text of this.#gone.keys()) {
      const key = encoder.encode(text);
      changes.change(key, key.length, null, 0);
    }
    this.#gone.clear();
  }

  /** Keys of all pages, for tombstones; empties the store. About `limit` keys per call. */
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
  restore(account: string, page: number, value: Uint8Array | null): void {
    const bytes = encoder.encode(account);
    if (bytes.length > ACCOUNT_ID_LENGTH_MAX || !(page >= 0 && page < SLOTS / this.#pageSlots)) {
      throw new Error(`Cannot restore cells "${account}/${page}": not a key of this program`);
    }
    const hash = hashBytes(bytes, 0, bytes.length);
    let index = this.#accounts.find(bytes, 0, bytes.length, hash);
    if (value === null) {
      if (index >= 0) this.#freePage(index * SLOTS + page * this.#pageSlots);
      return;
    }
    if (index < 0) index = this.#insertAccount(bytes, 0, bytes.length, hash);
    const record = new CellsReader(value);
    if (record.cellWords !== this.cellWords || record.cells !== this.#pageSlots) {
      throw new Error(
        `Cannot restore cells "${account}/${page}": ${record.cells} of ${record.cellWords} words, ` +
          `expected ${this.#pageSlots} of ${this.cellWords}`,
      );
    }
    const first = index * SLOTS + page * this.#pageSlots;
    for (let at = first; at < first + this.#pageSlots; at++) this.#restoreSlot(at, record);
    record.end();
  }

  #restoreSlot(at: number, record: CellsReader): void {
    if (!record.next()) return this.#freeSlot(at);
    const row = Number.isNaN(this.#keys[at]!) ? this.#takeRow() : this.#rows[at]!;
    const base = row * this.cellWords;
    record.read(this.words.subarray(base, base + this.cellWords));
    this.#keys[at] = record.key;
    this.#touched[at] = record.touched;
    this.#rows[at] = row;
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
