/** Which facts of an output record are compared: one record in, one scratch row out. Pure. */
import type { RecordBatch } from "../broker/port.ts";
import { HEADER_TRACE } from "../contracts/headers.ts";
import { alertId, parseTrace } from "../contracts/ids.ts";
import { parseTimestamp } from "../contracts/timestamps.ts";
import {
  idBits,
  NO_FINGERPRINT,
  textBits,
  transactionBits,
  unitsOf,
  versionBits,
} from "./fingerprint.ts";
import { kindOf } from "./partition_judge.ts";
import type { Cell } from "./scratch.ts";
import { valueOf } from "./topic_reader.ts";

/** Where a record lies, and what is compared. */
export interface FactsContext {
  /** Topic that traces must name. */
  rawTopic: string;
  partition: number;
  /** Compare every value, not only what identity and verdict hang on. */
  full: boolean;
}

type Json = Record<string, unknown>;

const decoder = new TextDecoder();

/** The value as an object; an empty one where it is none, so that every fact of it is wrong. */
function parseValue(records: RecordBatch, index: number): Json {
  const value = valueOf(records, index);
  if (value === null) return {};
  try {
    const parsed: unknown = JSON.parse(decoder.decode(value));
    return typeof parsed === "object" && parsed !== null ? parsed as Json : {};
  } catch {
    return {};
  }
}

/** The raw offset that a record's trace names; null where it names none of this partition. */
export function tracedOffset(
  records: RecordBatch,
  index: number,
  { rawTopic, partition }: FactsContext,
): number | null {
  const bytes = records.header(index, HEADER_TRACE);
  const trace = bytes && parseTrace(decoder.decode(bytes));
  return trace?.topic === rawTopic && trace.partition === partition ? trace.offset : null;
}

function micros(timestamp: unknown): number | string {
  return parseTimestamp(String(timestamp)) ?? "";
}

const TIME_FIELDS = {
  transactions: "processing_timestamp",
  deadLetter: "failed_at",
  alerts: "alert_timestamp",
} as const;

/** When the processor says it wrote a record, ms; now where it says nothing that can be read. */
export function writtenAtMs(
  records: RecordBatch,
  index: number,
  role: keyof typeof TIME_FIELDS,
): number {
  const us = parseTimestamp(String(parseValue(records, index)[TIME_FIELDS[role]]));
  return us === undefined ? Infinity : us / 1000;
}

/** A row of `output` (facts.ts) of a record of `transactions`. */
export function transactionFacts(
  records: RecordBatch,
  index: number,
  context: FactsContext,
): Cell[] {
  const value = parseValue(records, index);
  const { is_flagged, rules_version, transaction_id } = value;
  const bits = context.full ? transactionBits(value, unitsOf(value.amount)) : NO_FINGERPRINT;
  const rowBits = context.full
    ? textBits([
      String(transaction_id),
      micros(value.timestamp),
      String(value.account_id),
      unitsOf(value.amount),
      String(value.currency),
      String(value.merchant_name),
      String(value.merchant_category),
      String(value.transaction_type),
      String(value.location_country),
      String(value.status),
      micros(value.processing_timestamp),
      String(value.partition_date),
    ])
    : NO_FINGERPRINT;
  return [
    0,
    context.partition,
    records.offsets[index]!,
    tracedOffset(records, index, context),
    0,
    is_flagged === true ? 1 : is_flagged === false ? 0 : -1,
    versionBits(rules_version),
    idBits(transaction_id),
    bits,
    NO_FINGERPRINT,
    rowBits,
  ];
}

/** A row of `output` (facts.ts) of a record of `dead-letter`. */
export function deadLetterFacts(
  records: RecordBatch,
  index: number,
  context: FactsContext,
): Cell[] {
  const value = parseValue(records, index);
  const source = (value.source ?? {}) as Json;
  const traced = tracedOffset(records, index, context);
  const agrees = source.topic === context.rawTopic && source.partition === context.partition &&
    source.offset === String(traced);
  const rowBits = context.full
    ? textBits([
      String(value.dead_letter_id),
      micros(value.failed_at),
      String(value.original),
      String(value.original_encoding),
      String(value.truncated),
      String(value.original_bytes),
    ])
    : NO_FINGERPRINT;
  return [
    1,
    context.partition,
    records.offsets[index]!,
    agrees ? traced : null,
    kindOf(value.error_type),
    NO_FINGERPRINT,
    NO_FINGERPRINT,
    idBits(value.dead_letter_id),
    NO_FINGERPRINT,
    typeof value.original_bytes === "number" ? value.original_bytes : NO_FINGERPRINT,
    rowBits,
  ];
}

/** A row of `alert` (facts.ts). */
export function alertFacts(records: RecordBatch, index: number, context: FactsContext): Cell[] {
  const value = parseValue(records, index);
  const { rule_name, transaction_id, alert_id } = value;
  const transaction = (value.transaction ?? {}) as Json;
  const units = unitsOf(transaction.amount);
  const rowBits = context.full
    ? textBits([
      String(alert_id),
      micros(value.alert_timestamp),
      String(value.description),
      micros(transaction.timestamp),
      String(transaction.account_id),
      units,
      String(transaction.currency),
    ])
    : NO_FINGERPRINT;
  return [
    context.partition,
    records.offsets[index]!,
    tracedOffset(records, index, context),
    String(rule_name),
    String(value.severity),
    versionBits(value.rules_version),
    idBits(transaction_id),
    alert_id === alertId(String(rule_name), String(transaction_id)) ? 1 : 0,
    context.full ? transactionBits(transaction, units) : NO_FINGERPRINT,
    rowBits,
  ];
}
