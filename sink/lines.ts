/**
 * Records → spool lines. Pure, and on the hot path: bytes are copied, nothing is parsed, and no object is made
 * for a record.
 */
import type { RecordBatch, Span } from "../broker/port.ts";
import { HEADER_TRACE } from "../contracts/headers.ts";

const encoder = new TextEncoder();

const LINE_START = encoder.encode(`{"p":`);
const LINE_OFFSET = encoder.encode(`,"o":`);
const LINE_VALUE = encoder.encode(`,"v":`);
const NULL = encoder.encode("null");
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const SLASH = 0x2f;

/** Bytes of a line beside value and trace: `{"p":null,"o":null,"v":}` and the line end, at most. */
export const LINE_EXTRA_BYTES_MAX = 32;

/** Bytes of `}` and the line end. */
export const LINE_END_BYTES = 2;

const CAPACITY_FIRST = 64 * 1024;

/** Lines of one day, waiting to be written; grows as needed. */
export class LineBuffer {
  bytes: Uint8Array = new Uint8Array(CAPACITY_FIRST);
  /** The same memory. */
  #words = new Int32Array(this.bytes.buffer);
  readonly #trace: Span = { start: 0, end: 0 };
  length = 0;

  /** Forgets the lines, keeps the memory. */
  clear(): void {
    this.length = 0;
  }

  /** Adds `{"p":…,"o":…,"v":<value>}`, partition and offset from the header `trace`; a line end within the value becomes a space. */
  add(records: RecordBatch, index: number): void {
    const start = records.valueStart[index]!;
    const end = records.valueEnd[index]!;
    const trace = this.#trace;
    const source = records.bytes;
    if (!records.findHeader(index, HEADER_TRACE, trace)) trace.start = trace.end = 0;
    this.#reserve(end - start + trace.end - trace.start + LINE_EXTRA_BYTES_MAX);
    const { bytes } = this;
    const parts = traceParts(source, trace);
    let at = put(bytes, this.length, LINE_START);
    if (parts === 0) {
      at = put(bytes, put(bytes, put(bytes, at, NULL), LINE_OFFSET), NULL);
    } else {
      const offsetAt = trace.start + Math.floor(parts / TRACE_BYTES_MAX);
      const partitionAt = trace.start + parts % TRACE_BYTES_MAX;
      at = putRange(bytes, at, source, partitionAt, offsetAt - 1);
      at = put(bytes, at, LINE_OFFSET);
      at = putRange(bytes, at, source, offsetAt, trace.end);
    }
    at = put(bytes, at, LINE_VALUE);
    bytes.set(source.subarray(start, end), at);
    if (this.#hasControls(at, at + end - start)) blankLineEnds(bytes, at, at + end - start);
    at += end - start;
    bytes[at++] = 0x7d;
    bytes[at++] = NEWLINE;
    this.length = at;
  }

  /**
   * True if a byte below a space may be among these: JSON has such only as white space between tokens, and hardly
   * any record has. Four bytes at once (Hacker's Delight, 6-1); the words at the ends may see a neighbour's.
   */
  #hasControls(from: number, to: number): boolean {
    const words = this.#words;
    const last = (to + 3) >>> 2;
    let found = 0;
    for (let i = from >>> 2; i < last; i++) {
      const word = words[i]!;
      found |= (word - 0x20202020) & ~word;
    }
    return (found & 0x80808080) !== 0;
  }

  #reserve(bytes: number): void {
    const needed = this.length + bytes;
    if (needed <= this.bytes.length) return;
    let capacity = this.bytes.length;
    while (capacity < needed) capacity *= 2;
    const grown = new Uint8Array(capacity);
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
    this.#words = new Int32Array(grown.buffer);
  }
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

function blankLineEnds(bytes: Uint8Array, from: number, to: number): void {
  for (let at = from; at < to; at++) {
    if (bytes[at] === NEWLINE || bytes[at] === RETURN) bytes[at] = SPACE;
  }
}

/** Longer than any trace: a topic's name has at most 249 characters. Both parts' starts fit 12 bits. */
const TRACE_BYTES_MAX = 4096;

/**
 * Where partition and offset begin in `<topic>/<partition>/<offset>`, as offset start × 4096 + partition
 * start in one number, both from the trace's start; 0 if it is no trace.
 */
function traceParts(bytes: Uint8Array, { start, end }: Span): number {
  if (end - start >= TRACE_BYTES_MAX) return 0;
  let at = end;
  while (at > start && isDigit(bytes[at - 1]!)) at--;
  const offsetAt = at;
  if (offsetAt === end || end - offsetAt > 16) return 0;
  if (at <= start || bytes[--at] !== SLASH) return 0;
  const slash = at;
  while (at > start && isDigit(bytes[at - 1]!)) at--;
  if (at === slash || slash - at > 9 || at < start + 2 || bytes[at - 1] !== SLASH) return 0;
  // JSON knows no leading zeros; nobody writes a trace with them either.
  if (hasLeadingZero(bytes, offsetAt, end) || hasLeadingZero(bytes, at, slash)) return 0;
  return (offsetAt - start) * TRACE_BYTES_MAX + at - start;
}

function hasLeadingZero(bytes: Uint8Array, from: number, to: number): boolean {
  return to - from > 1 && bytes[from] === 0x30;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}
