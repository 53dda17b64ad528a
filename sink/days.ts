/**
 * The partition day of records. Pure, and on the hot path: the day of what the processor wrote is read where the
 * processor put it, without parsing the rest.
 */
import type { RecordBatch } from "../broker/port.ts";
import type { TableName } from "../contracts/tables.ts";
import { parseTimestamp, printDate } from "../contracts/timestamps.ts";
import { TIME_PATHS } from "./columns.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const QUOTE = 0x22;
const UPPER_Z = 0x5a;

/** Finds the partition day (`YYYY-MM-DD`) of records; undefined where the record has none. */
export type DayOf = (records: RecordBatch, index: number) => string | undefined;

/** The day finder of a table. */
export function dayFinder(table: TableName): DayOf {
  const parsed = (records: RecordBatch, index: number) =>
    parsedDay(table, records.bytes.subarray(records.valueStart[index]!, records.valueEnd[index]!));
  switch (table) {
    case "transactions":
      return transactionDay(parsed);
    case "alerts":
      return alertDay(parsed);
    default:
      return parsed;
  }
}

/** Day of any record, by parsing it. */
function parsedDay(table: TableName, value: Uint8Array): string | undefined {
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
  const last = new LastDay();
  let distance = 0;
  return (records, index) => {
    const { bytes } = records;
    const end = records.valueEnd[index]!;
    const start = records.valueStart[index]!;
    if (distance === 0 || !isDateName(bytes, end - distance, start)) {
      distance = distanceOf(bytes, start, end);
      if (distance === 0) return parsed(records, index);
    }
    const at = end - distance + DATE_NAME.length;
    const day = bytes[at + DATE_LENGTH] === QUOTE ? last.at(bytes, at) : undefined;
    return day ?? parsed(records, index);
  };
}

/** Reads days; nearly all are the same as the one before. */
class LastDay {
  readonly #bytes = new Uint8Array(DATE_LENGTH);
  #text: string | undefined;

  /** The day whose ten characters begin at `at`; undefined if they are none. */
  at(bytes: Uint8Array, at: number): string | undefined {
    if (this.#text !== undefined && isAt(bytes, at, this.#bytes)) return this.#text;
    const text = decoder.decode(bytes.subarray(at, at + DATE_LENGTH));
    if (parseTimestamp(`${text}T00:00:00Z`) === undefined) return undefined;
    this.#bytes.set(bytes.subarray(at, at + DATE_LENGTH));
    return this.#text = text;
  }
}

/** Distance of the last such name from the record's end; 0 if there is none near it. */
function distanceOf(bytes: Uint8Array, start: number, end: number): number {
  const first = Math.max(start, end - DATE_DISTANCE_MAX);
  for (let at = end - DATE_NAME.length - DATE_LENGTH - 2; at >= first; at--) {
    if (isDateName(bytes, at, start)) return end - at;
  }
  return 0;
}

function isDateName(bytes: Uint8Array, at: number, start: number): boolean {
  return at >= start && isAt(bytes, at, DATE_NAME);
}

function isAt(bytes: Uint8Array, at: number, part: Uint8Array): boolean {
  for (let i = 0; i < part.length; i++) {
    if (bytes[at + i] !== part[i]) return false;
  }
  return true;
}

const TRANSACTION_NAME = encoder.encode(`"transaction":{`);
const BRACE = 0x7b;
const TIME_NAME = encoder.encode(`"timestamp":"`);

/**
 * Reads the day of an alert from its transaction's timestamp. The transaction comes last and is flat, so the
 * search for its start goes backwards. Only times that are printed in UTC are read so; the rest is as above.
 */
function alertDay(parsed: DayOf): DayOf {
  const last = new LastDay();
  let distance = 0;
  return (records, index) => {
    const { bytes } = records;
    const end = records.valueEnd[index]!;
    const from = transactionStart(bytes, records.valueStart[index]!, end);
    if (from === -1) return parsed(records, index);
    if (!isAt(bytes, from + distance, TIME_NAME)) {
      const found = firstOf(bytes, TIME_NAME, from, end);
      if (found === -1) return parsed(records, index);
      distance = found - from;
    }
    const at = from + distance + TIME_NAME.length;
    const day = at < end && isUtc(bytes, at) ? last.at(bytes, at) : undefined;
    return day ?? parsed(records, index);
  };
}

/** Where the fields of the last object named `transaction` begin; -1 if there is none. */
function transactionStart(bytes: Uint8Array, start: number, end: number): number {
  const first = start + TRANSACTION_NAME.length;
  for (let at = end - 1; at >= first; at--) {
    if (bytes[at] === BRACE && isAt(bytes, at + 1 - TRANSACTION_NAME.length, TRANSACTION_NAME)) {
      return at + 1;
    }
  }
  return -1;
}

function firstOf(bytes: Uint8Array, part: Uint8Array, from: number, end: number): number {
  for (let at = from; at + part.length <= end; at++) {
    if (isAt(bytes, at, part)) return at;
  }
  return -1;
}

/** True if the text that begins at `at` is as long as a time of 0 to 9 digits of a second, and ends with Z. */
function isUtc(bytes: Uint8Array, at: number): boolean {
  const first = at + "YYYY-MM-DDTHH:MM:SSZ".length;
  const last = first + ".000000000".length;
  for (let end = first; end <= last; end++) {
    if (bytes[end] === QUOTE) return bytes[end - 1] === UPPER_Z;
  }
  return false;
}
