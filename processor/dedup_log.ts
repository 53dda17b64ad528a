/** How accepted ids lie in the changelog: parts, and blocks in a ring of keys. */
import { NotReadyError } from "../contracts/errors.ts";
import type { ChangeSink } from "../rules/state_change.ts";

/** Ids in one block. */
export const BLOCK_IDS = 4096;

/** Bytes of one id. */
export const ID_BYTES = 16;

/** First byte of every value here. */
const VERSION = 1;

/** Bytes before the ids: version, first sequence, oldest sequence remembered; 8 bytes, big-endian. */
const HEADER_BYTES = 17;

const encoder = new TextEncoder();

/** Ids that follow each other. */
export interface Run {
  /** Sequence of the first. */
  first: number;
  ids: Uint8Array;
}

/**
 * Collects accepted ids and turns them into changelog records. Keys: `i/p/<first sequence>` for parts,
 * `i/b/<blocks in the ring>/<place>` for blocks; values carry the first sequence themselves.
 */
export class DedupLog {
  readonly #idsMax: number;
  readonly #ringBlocks: number;
  /** Ids from #tailFirst, the start of the unfinished block, on: BLOCK_IDS and what a step adds. */
  #tail = new Uint8Array(2 * BLOCK_IDS * ID_BYTES);
  #tailView = new DataView(this.#tail.buffer);
  #tailFirst = 0;
  #tailCount = 0;
  /** Sequence up to which ids are in the changelog. */
  #drained = 0;
  /** First sequences of the unfinished block's parts. */
  #parts: number[] = [];
  /** What a restore leaves to be mended, for the next drain. */
  #pending = new Map<string, Uint8Array | null>();
  #restored = new Map<string, Uint8Array>();

  constructor(options: { idsMax: number }) {
    this.#idsMax = options.idsMax;
    // One more than the ids fill: the oldest block still counts while the newest is unfinished.
    this.#ringBlocks = Math.ceil(this.#idsMax / BLOCK_IDS) + 1;
  }

  /** Takes the next accepted id. */
  append(id0: number, id1: number, id2: number, id3: number): void {
    const at = this.#tailCount * ID_BYTES;
    if (at === this.#tail.length) this.#growTail();
    const view = this.#tailView;
    view.setInt32(at, id0);
    view.setInt32(at + 4, id1);
    view.setInt32(at + 8, id2);
    view.setInt32(at + 12, id3);
    this.#tailCount++;
  }

  #growTail(): void {
    const larger = new Uint8Array(this.#tail.length * 2);
    larger.set(this.#tail);
    this.#tail = larger;
    this.#tailView = new DataView(larger.buffer);
  }

  #blockKey(first: number): string {
    return `i/b/${this.#ringBlocks}/${(first / BLOCK_IDS) % this.#ringBlocks}`;
  }

  #value(first: number, count: number, remembered: number): Uint8Array {
    const from = (first - this.#tailFirst) * ID_BYTES;
    const value = new Uint8Array(HEADER_BYTES + count * ID_BYTES);
    value[0] = VERSION;
    const view = new DataView(value.buffer);
    view.setBigUint64(1, BigInt(first));
    view.setBigUint64(9, BigInt(remembered));
    value.set(this.#tail.subarray(from, from + count * ID_BYTES), HEADER_BYTES);
    return value;
  }

  /** Appends the changes since the last call, one record per key. `remembered`: oldest sequence that is. */
  drain(changes: ChangeSink, remembered: number): void {
    const changed = this.#pending;
    while (this.#tailCount >= BLOCK_IDS) {
      changed.set(
        this.#blockKey(this.#tailFirst),
        this.#value(this.#tailFirst, BLOCK_IDS, remembered),
      );
      for (const first of this.#parts) changed.set(`i/p/${first}`, null);
      this.#parts.length = 0;
      this.#tail.copyWithin(0, BLOCK_IDS * ID_BYTES, this.#tailCount * ID_BYTES);
      this.#tailFirst += BLOCK_IDS;
      this.#tailCount -= BLOCK_IDS;
      this.#drained = Math.max(this.#drained, this.#tailFirst);
    }
    const next = this.#tailFirst + this.#tailCount;
    if (next > this.#drained) {
      changed.set(
        `i/p/${this.#drained}`,
        this.#value(this.#drained, next - this.#drained, remembered),
      );
      this.#parts.push(this.#drained);
      this.#drained = next;
    }
    for (const [text, value] of changed) {
      const key = encoder.encode(text);
      changes.change(key, key.length, value, value?.length ?? 0);
    }
    changed.clear();
  }

  /** Takes one changelog record, in log order. Copies the value. */
  restore(key: string, value: Uint8Array | null): void {
    if (value === null) this.#restored.delete(key);
    else if (value[0] !== VERSION) {
      throw new NotReadyError(
        `Cannot restore "${key}": its version is ${value[0]}, this program knows ${VERSION}`,
      );
    } else this.#restored.set(key, value.slice());
  }

  /** Ends a restore: the runs of ids that count, oldest first, and what they belong to. */
  finishRestore(): { runs: Run[]; next: number; remembered: number } {
    const found = [...this.#restored].map(([key, value]) => ({
      key,
      value,
      first: Number(new DataView(value.buffer).getBigUint64(1)),
      remembered: Number(new DataView(value.buffer).getBigUint64(9)),
      ids: value.subarray(HEADER_BYTES),
    })).sort((a, b) => a.first - b.first);
    this.#restored.clear();
    const endOf = (run: Run) => run.first + run.ids.length / ID_BYTES;
    const newest = found.at(-1);
    const next = newest === undefined ? 0 : endOf(newest);
    const remembered = newest?.remembered ?? 0;
    const oldest = Math.max(remembered, next - this.#idsMax);
    const tailFirst = Math.floor(next / BLOCK_IDS) * BLOCK_IDS;
    const runs: (Run & { key: string })[] = [];
    // A key of a ring of another size, written before dedup_ids_max was changed: its block moves.
    const moved: typeof found = [];
    for (const run of found) {
      const isBlock = run.key.startsWith("i/b/");
      const wanted = isBlock ? this.#blockKey(run.first) : `i/p/${run.first}`;
      // The unfinished block is needed whole, even where it holds more than idsMax.
      if (endOf(run) > oldest || run.first >= tailFirst) {
        if (isBlock && wanted !== run.key) moved.push(run);
        runs.push(run);
      }
      if (wanted !== run.key) this.#pending.set(run.key, null);
    }
    for (const run of moved) this.#pending.set(this.#blockKey(run.first), run.value);
    if (newest !== undefined && oldest > remembered) {
      // A smaller limit forgets for good: it judges from here on, even if a larger one follows.
      const value = newest.value.slice();
      new DataView(value.buffer).setBigUint64(9, BigInt(oldest));
      const isBlock = newest.key.startsWith("i/b/");
      this.#pending.set(isBlock ? this.#blockKey(newest.first) : newest.key, value);
    }
    runs.forEach((run, i) => {
      if (i > 0 && run.first !== endOf(runs[i - 1]!)) {
        throw new Error(`Cannot restore ids: none between "${runs[i - 1]!.key}" and "${run.key}"`);
      }
    });
    this.#tailFirst = tailFirst;
    this.#drained = next;
    this.#restoreTail(runs);
    return { runs, next, remembered };
  }

  #restoreTail(runs: readonly (Run & { key: string })[]): void {
    for (const { first, ids, key } of runs) {
      if (first < this.#tailFirst) continue;
      this.#parts.push(first);
      this.#tail.set(ids, (first - this.#tailFirst) * ID_BYTES);
      this.#tailCount += ids.length / ID_BYTES;
      if (key.startsWith("i/b/")) {
        throw new Error(`Cannot restore "${key}": its block is unfinished`);
      }
    }
  }
}
