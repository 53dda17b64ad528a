/**
 * Records → spool lines, sorted by partition day. Pure, and on the hot path: bytes are copied, and
 * the day of a processed transaction is read where the processor put it, without parsing the rest.
 */
import type { RecordBatch } from "../broker/port.ts";
import { HEADER_TRACE } from "../contracts/headers.ts";
import type { TableName } from "../contracts/tables.ts";
import { parseTimestamp, printDate } from "../contracts/timestamps.ts";
import { TIME_PATHS } from "./columns.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const LINE_START = encoder.encode(`{"p":`);
const LINE_OFFSET = encoder.encode(`,"o":`);
const LINE_VALUE = encoder.encode(`,"v":`);
const NULL = encoder.encode("null");
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const SLASH = 0x2f;
const QUOTE = 0x22;

/** Bytes of a line beside value and trace: `{"p":null,"o":null,"v":}` and the line end, at most. */
export const LINE_EXTRA_BYTES_MAX = 32;

/** Bytes of `}` and the line end. */
export const LINE_END_BYTES = 2;

/** Lines of one day, waiting to be written; grows as needed. */
export class LineBuffer {
  bytes: Uint8Array = new Uint8Array(64 * 1024);
  length = 0;
  rows = 0;

  /** Forgets the lines, keeps the memory. */
  clear(): void {
    this.length = 0;
    this.rows = 0;
  }

  /** Adds `{"p":…,"o":…,"v":<value>}`; `trace` is the header's bytes. */
  add(records: RecordBatch, index: number, options: AddOptions): void {
    const { trace, lineEnds } = options;
    const start = records.valueStart[index]!;
    const end = records.valueEnd[index]!;
    this.#reserve(end - start + (trace?.length ?? 0) + LINE_EXTRA_BYTES_MAX);
    const { bytes } = this;
    let at = put(bytes, this.length, LINE_START);
    const parts = trace === undefined ? 0 : traceParts(trace);
    if (trace === undefined || parts === 0) {
      at = put(bytes, put(bytes, put(bytes, at, NULL), LINE_OFFSET), NULL);
    } else {
      const offsetAt = Math.floor(parts / TRACE_BYTES_MAX);
      at = putRange(bytes, at, trace, parts % TRACE_BYTES_MAX, offsetAt - 1);
      at = put(bytes, at, LINE_OFFSET);
      at = putRange(bytes, at, trace, offsetAt, trace.length);
    }
    at = put(bytes, at, LINE_VALUE);
    bytes.set(records.bytes.subarray(start, end), at);
    if (lineEnds) blankLineEnds(bytes, at, at + end - start);
    at += end - start;
    bytes[at++] = 0x7d;
    bytes[at++] = NEWLINE;
    this.length = at;
    this.rows++;
  }

  #reserve(bytes: number): void {
    const needed = this.length + bytes;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.bytes.length));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }
}

/** How to add a record. */
export interface AddOptions {
  /** Bytes of its header `trace`. */
  trace: Uint8Array | undefined;
  /** Its value may hold line ends, see {@linkcode LineEnds}. */
  lineEnds: boolean;
}

// Plain loops: these are a few bytes each, for which a call into the engine costs more than the copy.
function put(target: Uint8Array, at: number, part: Uint8Array): number {
  for (let i = 0; i < part.length; i++) target[at + i] = part[i]!;
  return at + part.length;
}

function putRange(
  target: Uint8Array,
  at: number,
  source: Uint8Array,
  from: number,
  to: number,
): number {
  for (let i = from; i < to; i++) target[at++] = source[i]!;
  return at;
}

/** A line end between JSON tokens is white space like any other; inside texts there are none. */
function blankLineEnds(bytes: Uint8Array, from: number, to: number): void {
  for (let at = from; at < to; at++) {
    if (bytes[at] === NEWLINE || bytes[at] === RETURN) bytes[at] = SPACE;
  }
}

/**
 * Tells which values may hold line ends. Looks through each fetch once, by the engine's own search, from
 * one such byte to the next; nearly all of them are lengths between the values.
 */
export class LineEnds {
  #bytes: Uint8Array | undefined;
  #newline = -1;
  #return = -1;

  /** True if the value of record `index` holds one; records must be asked about in order. */
  within(records: RecordBatch, index: number): boolean {
    const { bytes } = records;
    const start = records.valueStart[index]!;
    const end = records.valueEnd[index]!;
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#newline = this.#return = -1;
    }
    if (this.#newline < start) this.#newline = nextOf(bytes, NEWLINE, start);
    if (this.#return < start) this.#return = nextOf(bytes, RETURN, start);
    return this.#newline < end || this.#return < end;
  }
}

function nextOf(bytes: Uint8Array, byte: number, from: number): number {
  const at = bytes.indexOf(byte, from);
  return at === -1 ? Infinity : at;
}

/** Longer than any trace: a topic's name has at most 249 characters. Both parts' starts fit 12 bits. */
const TRACE_BYTES_MAX = 4096;

/**
 * Where partition and offset begin in `<topic>/<partition>/<offset>`, as offset start × 4096 + partition
 * start in one number (no object per record); 0 if it is no trace.
 */
function traceParts(trace: Uint8Array): number {
  if (trace.length >= TRACE_BYTES_MAX) return 0;
  let at = trace.length;
  while (at > 0 && isDigit(trace[at - 1]!)) at--;
  const offsetAt = at;
  if (offsetAt === trace.length || trace.length - offsetAt > 16) return 0;
  if (at < 1 || trace[--at] !== SLASH) return 0;
  const slash = at;
  while (at > 0 && isDigit(trace[at - 1]!)) at--;
  if (at === slash || slash - at > 9 || at < 2 || trace[at - 1] !== SLASH) return 0;
  // JSON knows no leading zeros; nobody writes a trace with them either.
  if (hasLeadingZero(trace, offsetAt, trace.length) || hasLeadingZero(trace, at, slash)) return 0;
  return offsetAt * TRACE_BYTES_MAX + at;
}

function hasLeadingZero(bytes: Uint8Array, from: number, to: number): boolean {
  return to - from > 1 && bytes[from] === 0x30;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

// ---- Partition day -----------------------------------------------------------------------------------

/** Finds the partition day (`YYYY-MM-DD`) of records; undefined where the record has none. */
export type DayOf = (records: RecordBatch, index: number) => string | undefined;

/** The day finder of a table. */
export function dayFinder(table: TableName): DayOf {
  const parsed = (records: RecordBatch, index: number) =>
    parsedDay(table, records.bytes.subarray(records.valueStart[index]!, records.valueEnd[index]!));
  return table === "transactions" ? transactionDay(parsed) : parsed;
}

/** Day of any record, by parsing it. */
export function parsedDay(table: TableName, value: Uint8Array): string | undefined {
  let node: unknown;
  try {
    node = JSON.parse(decoder.decode(value));
  } catch {
    return undefined;
  }
  return dayOfParsed(table, node);
}

/** Day of a parsed record: that of its table's time column, in UTC. */
export function dayOfParsed(table: TableName, value: unknown): string | undefined {
  let node = value;
  for (const name of TIME_PATHS[table]) {
    if (typeof node !== "object" || node === null) return undefined;
    node = (node as Record<string, unknown>)[name];
  }
  const us = typeof node === "string" ? parseTimestamp(node) : undefined;
  return us === undefined ? undefined : printDate(us);
}

const DATE_NAME = encoder.encode(`,"partition_date":"`);
const DATE_LENGTH = 10;
/** The processor appends its four fields, so the name lies this close to the record's end. */
const DATE_DISTANCE_MAX = 240;

/**
 * Reads `partition_date` from the end of the record. In a text its quotes would be escaped, so these bytes
 * are a field's name; the last such field is the processor's. A foreign writer's record may have it
 * elsewhere, or wrong: the file's bounds are checked against the day after writing.
 */
function transactionDay(parsed: DayOf): DayOf {
  let distance = 0;
  let lastDay = "";
  const lastBytes = new Uint8Array(DATE_LENGTH);
  return (records, index) => {
    const { bytes } = records;
    const end = records.valueEnd[index]!;
    const start = records.valueStart[index]!;
    if (distance === 0 || !isDateName(bytes, end - distance, start)) {
      distance = findDateName(bytes, start, end);
      if (distance === 0) return parsed(records, index);
    }
    const at = end - distance + DATE_NAME.length;
    for (let i = 0; i < DATE_LENGTH; i++) {
      if (bytes[at + i] !== lastBytes[i]) {
        const text = decoder.decode(bytes.subarray(at, at + DATE_LENGTH));
        if (!/^\d{4}-\d\d-\d\d$/.test(text) || bytes[at + DATE_LENGTH] !== QUOTE) {
          return parsed(records, index);
        }
        lastBytes.set(bytes.subarray(at, at + DATE_LENGTH));
        return lastDay = text;
      }
    }
    return lastDay;
  };
}

/** Distance of the last such name from the record's end; 0 if there is none near it. */
function findDateName(bytes: Uint8Array, start: number, end: number): number {
  const first = Math.max(start, end - DATE_DISTANCE_MAX);
  for (let at = end - DATE_NAME.length - DATE_LENGTH - 2; at >= first; at--) {
    if (isDateName(bytes, at, start)) return end - at;
  }
  return 0;
}

function isDateName(bytes: Uint8Array, at: number, start: number): boolean {
  if (at < start) return false;
  for (let i = 0; i < DATE_NAME.length; i++) {
    if (bytes[at + i] !== DATE_NAME[i]) return false;
  }
  return true;
}

/** The trace of record `index`. */
export function traceOf(records: RecordBatch, index: number): Uint8Array | undefined {
  return records.header(index, HEADER_TRACE);
}
