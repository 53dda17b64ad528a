/**
 * Validation to the letter of the contract (design section 3): the plain path. It names all errors of a
 * record; the fast path (fast_scan.ts) only ever accepts what this one accepts, with the same result.
 *
 * No verdict reads a clock: "in the future" is judged by the Kafka timestamp of the raw record.
 */
import type { FieldError } from "../contracts/dead_letter.ts";
import { DEPTH_MAX, EXTRA_FIELDS_MAX, TIMESTAMP_AHEAD_MAX_US } from "../contracts/limits.ts";
import { parseAmount } from "../contracts/money.ts";
import { parseTimestamp, printTimestamp } from "../contracts/timestamps.ts";
import {
  ADDED_FIELDS,
  EXPECTED,
  MERCHANT_CATEGORIES,
  Transaction,
  TRANSACTION_FIELDS,
  TRANSACTION_STATUSES,
  TRANSACTION_TYPES,
  type TransactionField,
} from "../contracts/transaction.ts";
import { packLetters } from "../rules/values/facts.ts";
import type { Accepted, Rejection } from "./accepted.ts";
import { FORBIDDEN_KEYS, type Member, type ScannedObject, scanObject } from "./json_scan.ts";

/** Most errors that one dead letter names; a last one then says how many more there are. */
export const ERRORS_MAX = 1000;

/** Longest text of an actual value, or of a field name, in a dead letter. */
const ACTUAL_LENGTH_MAX = 120;

/** A raw record: its value lies at `bytes[start, end)`; start is -1 where there is none. */
export interface RawValue {
  bytes: Uint8Array;
  start: number;
  end: number;
  /** Kafka timestamp in ms. */
  timestampMs: number;
}

const KAFKA_TIME_MIN_MS = Date.UTC(1970);
const KAFKA_TIME_MAX_MS = Date.UTC(9999);

const fatalDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenientDecoder = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();
const fieldNames: ReadonlySet<string> = new Set(TRANSACTION_FIELDS);
const addedNames: ReadonlySet<string> = new Set(ADDED_FIELDS);

/** Cuts a text for a dead letter, never between the halves of a surrogate pair. */
export function shorten(text: string): string {
  if (text.length <= ACTUAL_LENGTH_MAX) return text;
  const last = text.charCodeAt(ACTUAL_LENGTH_MAX - 1);
  const cut = last >= 0xd800 && last <= 0xdbff ? ACTUAL_LENGTH_MAX - 1 : ACTUAL_LENGTH_MAX;
  return text.slice(0, cut) + "…";
}

/**
 * Prints a Kafka timestamp. A topic that takes the producers' times can hold any 64-bit number; those
 * that are no date become the nearest one that is.
 */
export function printKafkaTime(timestampMs: number): string {
  const ms = Math.min(Math.max(timestampMs, KAFKA_TIME_MIN_MS), KAFKA_TIME_MAX_MS);
  return printTimestamp(ms * 1000);
}

function whole(errorType: Rejection["errorType"], expected: string, actual: string): Rejection {
  return { errorType, errors: [{ field: "$", expected, actual: shorten(actual) }] };
}

/**
 * Judges one raw value. Fills `accepted` and returns undefined where it is valid, otherwise says all
 * that is wrong. Duplicates are the caller's to find.
 */
export function validatePlain(
  raw: RawValue,
  recordBytesMax: number,
  accepted: Accepted,
): Rejection | undefined {
  const { bytes, start, end } = raw;
  if (start < 0) return whole("not_json", "a JSON object", "no value");
  if (end - start > recordBytesMax) {
    return whole("too_large", `at most ${recordBytesMax} bytes`, `${end - start} bytes`);
  }
  let text: string;
  try {
    text = fatalDecoder.decode(bytes.subarray(start, end));
  } catch {
    return whole("not_utf8", "UTF-8", `${end - start} bytes that are not UTF-8`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return whole("not_json", "JSON text", (error as Error).message);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return whole("not_an_object", "a JSON object", text.trim());
  }
  const scanned = scanObject(bytes, start);
  const errors = [
    ...fieldErrors(raw, value as Record<string, unknown>, scanned),
    ...objectErrors(raw, scanned),
  ];
  if (errors.length > 0) return { errorType: "schema", errors: limited(errors) };
  accept(raw, value as Transaction, scanned, accepted);
  return undefined;
}

function limited(errors: FieldError[]): FieldError[] {
  if (errors.length <= ERRORS_MAX) return errors;
  return [...errors.slice(0, ERRORS_MAX), {
    field: "$",
    expected: `at most ${ERRORS_MAX} errors to list`,
    actual: `${errors.length - ERRORS_MAX} more`,
  }];
}

/** The JSON text of a member as it stands in the record, shortened. */
function actualOf(raw: RawValue, member: Member | undefined): string {
  if (member === undefined) return "missing";
  // Four bytes a character at most; the cut may split one, which shorten then cuts off.
  const end = Math.min(member.end, member.start + 4 * (ACTUAL_LENGTH_MAX + 2));
  return shorten(lenientDecoder.decode(raw.bytes.subarray(member.start, end)));
}

/** What is wrong with the ten fields, in the contract's order. */
function fieldErrors(
  raw: RawValue,
  value: Record<string, unknown>,
  scanned: ScannedObject,
): FieldError[] {
  // Only the ten go into the schema: what else a record carries can neither slow it nor poison it.
  const fields: Record<string, unknown> = {};
  for (const name of TRANSACTION_FIELDS) {
    if (Object.hasOwn(value, name)) fields[name] = value[name];
  }
  const last = new Map<string, Member>();
  for (const member of scanned.members) {
    if (fieldNames.has(member.key)) last.set(member.key, member);
  }
  const expected = new Map<TransactionField, string>();
  const parsed = Transaction.safeParse(fields);
  for (const { path } of parsed.error?.issues ?? []) {
    const field = path[0] as TransactionField;
    expected.set(field, EXPECTED[field]);
  }
  if (typeof fields.amount === "number") {
    // The token decides, not the double it was read as.
    const { start, end } = last.get("amount")!;
    const token = lenientDecoder.decode(raw.bytes.subarray(start, end));
    if (parseAmount(token).ok) expected.delete("amount");
    else expected.set("amount", EXPECTED.amount);
  }
  if (!expected.has("timestamp")) {
    const limitUs = raw.timestampMs * 1000 + TIMESTAMP_AHEAD_MAX_US;
    if (parseTimestamp(fields.timestamp as string)! > limitUs) {
      const kafkaTime = printKafkaTime(raw.timestampMs);
      expected.set("timestamp", `at most 60 s after the record's Kafka timestamp ${kafkaTime}`);
    }
  }
  return TRANSACTION_FIELDS.filter((field) => expected.has(field)).map((field) => ({
    field,
    expected: expected.get(field)!,
    actual: actualOf(raw, last.get(field)),
  }));
}

/** What is wrong with the object as such: names, repetition, size, depth. */
function objectErrors(raw: RawValue, scanned: ScannedObject): FieldError[] {
  const errors: FieldError[] = [];
  const times = new Map<string, number>();
  for (const { key } of scanned.members) times.set(key, (times.get(key) ?? 0) + 1);
  for (const member of scanned.members) {
    const count = times.get(member.key)!;
    if (count === 0) continue;
    times.set(member.key, 0); // each name is reported once
    const field = shorten(member.key);
    if (count > 1) errors.push({ field, expected: "given once", actual: `given ${count} times` });
    if (addedNames.has(member.key)) {
      const expected = "absent: the processor adds this field";
      errors.push({ field, expected, actual: actualOf(raw, member) });
    }
  }
  const extras = [...times.keys()].filter((key) => !fieldNames.has(key)).length;
  if (extras > EXTRA_FIELDS_MAX) {
    const expected = `at most ${EXTRA_FIELDS_MAX} fields beyond the contract's`;
    errors.push({ field: "$", expected, actual: `${extras} fields` });
  }
  if (scanned.depth > DEPTH_MAX) {
    const expected = `at most ${DEPTH_MAX} levels of nesting`;
    errors.push({ field: "$", expected, actual: `${scanned.depth} levels` });
  }
  for (const key of scanned.forbidden) {
    const expected = `no field named ${[...FORBIDDEN_KEYS].join(", ")}, at any depth`;
    errors.push({ field: key, expected, actual: "present" });
  }
  return errors;
}

function accept(
  raw: RawValue,
  value: Transaction,
  scanned: ScannedObject,
  accepted: Accepted,
): void {
  const amountMember = scanned.members.find(({ key }) => key === "amount")!;
  const token = lenientDecoder.decode(raw.bytes.subarray(amountMember.start, amountMember.end));
  const verdict = parseAmount(token) as { ok: true; units: bigint };
  const words = value.transaction_id.replaceAll("-", "");
  const word = (index: number) => parseInt(words.slice(index * 8, index * 8 + 8), 16) | 0;
  accepted.idIsLower = false;
  accepted.id0 = word(0);
  accepted.id1 = word(1);
  accepted.id2 = word(2);
  accepted.id3 = word(3);
  accepted.timestampUs = parseTimestamp(value.timestamp)!;
  accepted.amountUnits = Number(verdict.units);
  accepted.currency = packLetters(value.currency);
  accepted.country = packLetters(value.location_country);
  accepted.category = MERCHANT_CATEGORIES.indexOf(value.merchant_category);
  accepted.transactionType = TRANSACTION_TYPES.indexOf(value.transaction_type);
  accepted.status = TRANSACTION_STATUSES.indexOf(value.status);
  place(raw, value, scanned, accepted);
}

/**
 * Notes where things lie. Where the value spans lines, or an escape hides the id or the account, a copy
 * is made in which it does not: outputs are one line each, and both are taken from the bytes.
 */
function place(
  raw: RawValue,
  value: Transaction,
  scanned: ScannedObject,
  accepted: Accepted,
): void {
  const id = scanned.members.find(({ key }) => key === "transaction_id")!;
  const account = scanned.members.find(({ key }) => key === "account_id")!;
  const original = raw.bytes.subarray(scanned.open, scanned.close + 1);
  const idIsPlain = id.end - id.start === value.transaction_id.length + 2;
  const accountIsPlain = account.end - account.start === value.account_id.length + 2;
  if (idIsPlain && accountIsPlain && !original.includes(0x0a) && !original.includes(0x0d)) {
    accepted.bytes = raw.bytes;
    accepted.open = scanned.open;
    accepted.close = scanned.close;
    accepted.idStart = id.start + 1;
    accepted.accountStart = account.start + 1;
    accepted.accountEnd = account.end - 1;
    return;
  }
  const replaced = [
    { member: id, text: value.transaction_id },
    { member: account, text: value.account_id },
  ].sort((a, b) => a.member.start - b.member.start);
  const copy: number[] = [];
  let from = scanned.open;
  for (const { member, text } of replaced) {
    for (let i = from; i < member.start; i++) copy.push(raw.bytes[i]!);
    if (member === id) accepted.idStart = copy.length + 1;
    else {
      accepted.accountStart = copy.length + 1;
      accepted.accountEnd = copy.length + 1 + text.length;
    }
    copy.push(...encoder.encode(`"${text}"`));
    from = member.end;
  }
  for (let i = from; i <= scanned.close; i++) copy.push(raw.bytes[i]!);
  // Line ends can only stand between tokens: within a string JSON wants them escaped.
  accepted.bytes = Uint8Array.from(copy, (byte) => byte === 0x0a || byte === 0x0d ? 0x20 : byte);
  accepted.open = 0;
  accepted.close = copy.length - 1;
}
