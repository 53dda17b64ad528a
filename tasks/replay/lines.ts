/** Splits a byte stream into lines, bytes as they are. Pure. */
import { RAW_MESSAGE_BYTES_MAX } from "../../contracts/topics.ts";

/** Longest line that fits a record: the topic's largest message less room for key and headers. */
export const LINE_BYTES_MAX = RAW_MESSAGE_BYTES_MAX - 64 * 1024;

/** One line, without its end. */
export interface Line {
  /** 1-based, blank lines included. */
  number: number;
  bytes: Uint8Array;
}

const LF = 10, CR = 13;
const BOM = [0xef, 0xbb, 0xbf];

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 32 || byte === 9 || byte === CR);
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Takes chunks, gives lines; CRLF and blank lines are handled and counted. */
export class LineSplitter {
  /** Lines seen, all kinds. */
  lines = 0;
  blank = 0;
  crlf = 0;
  /** Numbers of lines that no record can hold; at most the first 100. */
  readonly tooLong: number[] = [];
  tooLongCount = 0;
  #parts: Uint8Array[] = [];
  #length = 0;
  #skipping = false;

  /** Lines that are complete with this chunk; they lie over its buffer where they can. */
  push(chunk: Uint8Array): Line[] {
    const lines: Line[] = [];
    let from = 0;
    for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, from)) {
      this.#take(chunk.subarray(from, at));
      this.#finish(lines);
      from = at + 1;
    }
    if (from < chunk.length) this.#take(chunk.subarray(from));
    return lines;
  }

  /** The last line, where the input does not end with a line end. */
  end(): Line[] {
    const lines: Line[] = [];
    if (this.#length > 0 || this.#skipping) this.#finish(lines);
    return lines;
  }

  #take(part: Uint8Array): void {
    if (part.length === 0 || this.#skipping) return;
    this.#length += part.length;
    if (this.#length > LINE_BYTES_MAX + 1) {
      // Dropped at once: a file without line ends must not fill the memory.
      this.#skipping = true;
      this.#parts = [];
    } else this.#parts.push(part);
  }

  #finish(lines: Line[]): void {
    const number = ++this.lines;
    let bytes = join(this.#parts.length === 0 ? [new Uint8Array(0)] : this.#parts);
    const skipped = this.#skipping;
    this.#parts = [];
    this.#length = 0;
    this.#skipping = false;
    if (bytes.at(-1) === CR) {
      bytes = bytes.subarray(0, -1);
      this.crlf++;
    }
    // A byte order mark is an editor's, not the transaction's.
    if (number === 1 && BOM.every((byte, i) => bytes[i] === byte)) bytes = bytes.subarray(3);
    if (skipped || bytes.length > LINE_BYTES_MAX) {
      this.tooLongCount++;
      if (this.tooLong.length < 100) this.tooLong.push(number);
    } else if (isBlank(bytes)) this.blank++;
    else lines.push({ number, bytes });
  }
}
