/**
 * The spool: lines of one batch on disk, a file per partition day. Scratch, written and read within one
 * run: the folder is emptied at start and nothing in it is ever taken for committed or consumed (design section 6).
 */
import type { RecordBatch } from "../broker/port.ts";
import { HEADER_TRACE } from "../contracts/headers.ts";
import type { TableName } from "../contracts/tables.ts";
import type { BatchOffsets, LogIdentity, OffsetRange } from "./offsets.ts";
import { dayFinder, type DayOf } from "./days.ts";
import { LineBuffer } from "./lines.ts";

/** Lines kept in memory per day before they are written. */
const BUFFER_BYTES_MAX = 512 * 1024;

/** When a batch is full. */
export interface SpoolLimits {
  rowsMax: number;
  bytesMax: number;
  daysMax: number;
  /** Bytes of one part of a day: what DuckDB sorts at once within its memory. */
  partBytesMax: number;
}

/** A day's share of a batch, or a part of it. */
export interface DayFile {
  /** `YYYY-MM-DD`. */
  day: string;
  path: string;
  rows: number;
  /** Which record each line was, as runs of consecutive offsets: partition, first offset, count, and so on. */
  runs: readonly number[];
}

/** A record of the topic that is consumed. */
export interface Origin {
  partition: number;
  offset: number;
}

/** The record that line number `line` (from 0) of a day file was. */
export function originOf(file: DayFile, line: number): Origin {
  let before = 0;
  for (let at = 0; at < file.runs.length; at += 3) {
    const count = file.runs[at + 2]!;
    if (line < before + count) {
      return { partition: file.runs[at]!, offset: file.runs[at + 1]! + line - before };
    }
    before += count;
  }
  throw new RangeError(`Cannot find line "${line}" of "${file.path}": it has ${before}`);
}

/** The runs of lines `from` to `to` (excluded) of a day file. */
export function runsOf(file: DayFile, from: number, to: number): number[] {
  const runs: number[] = [];
  let start = 0;
  for (let at = 0; at < file.runs.length; at += 3) {
    const end = start + file.runs[at + 2]!;
    const first = Math.max(start, from);
    const last = Math.min(end, to);
    if (first < last) {
      runs.push(file.runs[at]!, file.runs[at + 1]! + first - start, last - first);
    }
    start = end;
  }
  return runs;
}

/** A record that no table row can be made of; kept whole, they are rare and their number is bounded by the batch. */
export interface OddRecord extends Origin {
  trace: string | undefined;
  value: Uint8Array | undefined;
  /** What is wrong, where it is known already. */
  reason: string;
}

interface OpenDay {
  file: Deno.FsFile;
  path: string;
  bytes: number;
  lines: LineBuffer;
  rows: number;
  runs: number[];
}

/** Options of {@linkcode SpoolBatch}. */
export interface SpoolOptions {
  table: TableName;
  identity: LogIdentity;
  /** Folder of this batch alone; made here. */
  folder: string;
  limits: SpoolLimits;
  /** Takes the parts that are whole before the batch is. */
  onPart: (part: DayFile) => void;
}

/** Decoder for what is kept of odd records. */
const decoder = new TextDecoder();

/** One batch while it is filled. */
export class SpoolBatch {
  readonly identity: LogIdentity;
  readonly folder: string;
  readonly #limits: SpoolLimits;
  readonly #dayOf: DayOf;
  readonly #onPart: (part: DayFile) => void;
  readonly #seenDays = new Set<string>();
  #parts = 0;
  readonly #days = new Map<string, OpenDay>();
  readonly #ranges = new Map<number, OffsetRange>();
  readonly odd: OddRecord[] = [];
  rows = 0;
  bytes = 0;

  constructor(options: SpoolOptions) {
    this.identity = options.identity;
    this.folder = options.folder;
    this.#limits = options.limits;
    this.#dayOf = dayFinder(options.table);
    this.#onPart = options.onPart;
  }

  /** True if a limit is reached: commit now. */
  get full(): boolean {
    const { rowsMax, bytesMax, daysMax } = this.#limits;
    return this.rows >= rowsMax || this.bytes >= bytesMax || this.#seenDays.size >= daysMax;
  }

  /** True if offsets moved, with or without rows. */
  get moved(): boolean {
    return this.#ranges.size > 0;
  }

  /** Rows and odd records. */
  get records(): number {
    return this.rows + this.odd.length;
  }

  /** What it consumes. */
  get offsets(): BatchOffsets {
    return { ...this.identity, partitions: this.#ranges };
  }

  /**
   * Takes a fetch, as far as `accept` says so: the whole of it belongs to the batch, which may pass its limits
   * by one fetch. `range.from` is the offset that the fetch began at.
   */
  add(partition: number, range: OffsetRange, records: RecordBatch, accept?: Accept): void {
    for (let index = 0; index < records.count; index++) {
      if (accept === undefined || accept(records, index)) {
        this.#addRecord(partition, records, index);
      }
    }
    const known = this.#ranges.get(partition);
    if (known !== undefined) known.next = range.next;
    else if (range.next > range.from) this.#ranges.set(partition, { ...range });
  }

  #addRecord(partition: number, records: RecordBatch, index: number): void {
    const start = records.valueStart[index]!;
    const day = start === -1 ? undefined : this.#dayOf(records, index);
    if (day === undefined) {
      const value = start === -1 ? undefined : records.bytes.slice(start, records.valueEnd[index]!);
      const trace = records.header(index, HEADER_TRACE);
      const reason = value === undefined ? "a record with a value" : "a record with a timestamp";
      this.odd.push({
        partition,
        offset: records.offsets[index]!,
        trace: trace && decoder.decode(trace),
        value,
        reason,
      });
      this.bytes += value?.length ?? 0;
      return;
    }
    const open = this.#openDay(day);
    const before = open.lines.length;
    open.lines.add(records, index);
    this.bytes += open.lines.length - before;
    this.rows++;
    open.rows++;
    addToRuns(open.runs, partition, records.offsets[index]!);
    if (open.lines.length < BUFFER_BYTES_MAX) return;
    writeLines(open);
    if (open.bytes >= this.#limits.partBytesMax) {
      open.file.close();
      this.#days.delete(day);
      this.#onPart({ day, path: open.path, rows: open.rows, runs: open.runs });
    }
  }

  #openDay(day: string): OpenDay {
    let open = this.#days.get(day);
    if (open === undefined) {
      if (this.#parts === 0) Deno.mkdirSync(this.folder, { recursive: true });
      const path = `${this.folder}/${day}_${++this.#parts}.ndjson`;
      const file = Deno.openSync(path, { write: true, createNew: true });
      this.#seenDays.add(day);
      open = { file, path, bytes: 0, lines: new LineBuffer(), rows: 0, runs: [] };
      this.#days.set(day, open);
    }
    return open;
  }

  /** Ends the filling: writes what waits, and gives the last parts away. */
  finish(): void {
    for (const [day, open] of this.#days) {
      writeLines(open);
      open.file.close();
      this.#days.delete(day);
      this.#onPart({ day, path: open.path, rows: open.rows, runs: open.runs });
    }
  }

  /** Drops the batch and its files. */
  async remove(): Promise<void> {
    for (const { file } of this.#days.values()) file.close();
    this.#days.clear();
    await Deno.remove(this.folder, { recursive: true }).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }
}

/** Says which records of a fetch become rows. */
export type Accept = (records: RecordBatch, index: number) => boolean;

function addToRuns(runs: number[], partition: number, offset: number): void {
  const at = runs.length - 3;
  if (at >= 0 && runs[at] === partition && runs[at + 1]! + runs[at + 2]! === offset) {
    runs[at + 2]!++;
  } else {
    runs.push(partition, offset, 1);
  }
}

// Synchronous on purpose: the bytes go to the page cache, and the order of lines needs no queue.
function writeLines(open: OpenDay): void {
  const bytes = open.lines.bytes.subarray(0, open.lines.length);
  for (let written = 0; written < bytes.length;) {
    written += open.file.writeSync(bytes.subarray(written));
  }
  open.bytes += bytes.length;
  open.lines.clear();
}
