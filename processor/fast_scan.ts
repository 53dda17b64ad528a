/**
 * The fast path of validation: one walk over the bytes of a plainly written transaction. It accepts only
 * what it understands to the last byte and leaves every doubt (escapes, nesting, exponents, anything
 * wrong) to the plain path, which is the judge: what this one accepts, that one accepts with the same
 * result (fast_scan_test.ts holds them to it).
 */
import { COUNTRIES, CURRENCIES } from "../contracts/codes.ts";
import {
  ACCOUNT_ID_LENGTH_MAX,
  TIMESTAMP_AHEAD_MAX_US,
  TIMESTAMP_MIN_US,
} from "../contracts/limits.ts";
import {
  MERCHANT_CATEGORIES,
  TRANSACTION_FIELDS,
  TRANSACTION_STATUSES,
  TRANSACTION_TYPES,
} from "../contracts/transaction.ts";
import { packLetters } from "../rules/values/facts.ts";
import type { Accepted } from "./accepted.ts";
import { ExtraFields } from "./fast_scan_extras.ts";
import { isDigit, skipPlainString } from "./fast_scan_tokens.ts";
import { timestampAt, timestampEnd } from "./fast_scan_time.ts";

const QUOTE = 0x22, COMMA = 0x2c, OPEN = 0x7b, CLOSE = 0x7d, SPACE = 0x20, DASH = 0x2d;

/** Integer digits of the largest amount. */
const AMOUNT_DIGITS_MAX = 11;

const ALL_FIELDS = (1 << TRANSACTION_FIELDS.length) - 1;

const encoder = new TextEncoder();

/** A text to look for, four bytes at a time. */
interface Token {
  length: number;
  /** Little-endian; the last one overlaps its predecessor. */
  words: Int32Array;
}

function tokenOf(text: string): Token {
  const bytes = encoder.encode(text);
  const { length } = bytes;
  if (length < 4) throw new RangeError(`Cannot look for "${text}": expected four bytes or more`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  const words = Int32Array.from(
    { length: Math.ceil(length / 4) },
    (_, i) => view.getInt32(Math.min(4 * i, length - 4), true),
  );
  return { length, words };
}

/** `"name":` of each field, in the contract's order. */
const KEYS = TRANSACTION_FIELDS.map((field) => tokenOf(`"${field}":`));

/** Value of a lower-case hex digit, -1 for any other byte. */
const HEX_LOWER = new Int8Array(256).fill(-1);
for (let i = 0; i < 16; i++) HEX_LOWER[i.toString(16).charCodeAt(0)] = i;

/** Of a hex digit in either case. */
const HEX = HEX_LOWER.slice();
for (let i = 10; i < 16; i++) HEX[i.toString(16).toUpperCase().charCodeAt(0)] = i;

/** 1 for letters and digits. */
const ALPHANUMERIC = new Uint8Array(256);
for (let byte = 0; byte < 128; byte++) {
  if (/[A-Za-z0-9]/.test(String.fromCharCode(byte))) ALPHANUMERIC[byte] = 1;
}

function codeTable(codes: ReadonlySet<string>, letters: number): Uint8Array {
  const table = new Uint8Array(26 ** letters);
  for (const code of codes) table[packLetters(code)] = 1;
  return table;
}

const CURRENCY_TABLE = codeTable(CURRENCIES, 3);
const COUNTRY_TABLE = codeTable(COUNTRIES, 2);

/** A list of names that differ in their first letter. */
interface Names {
  /** Index + 1 by first byte; 0 for none. */
  byFirst: Uint8Array;
  /** The names with their closing quote. */
  texts: Token[];
}

function nameTable(names: readonly string[]): Names {
  const byFirst = new Uint8Array(256);
  names.forEach((name, index) => {
    const first = name.charCodeAt(0);
    if (byFirst[first] !== 0) throw new Error(`Cannot tell "${name}" by its first letter`);
    byFirst[first] = index + 1;
  });
  return { byFirst, texts: names.map((name) => tokenOf(`${name}"`)) };
}

const CATEGORY_NAMES = nameTable(MERCHANT_CATEGORIES);
const TYPE_NAMES = nameTable(TRANSACTION_TYPES);
const STATUS_NAMES = nameTable(TRANSACTION_STATUSES);

let viewed: Uint8Array = new Uint8Array(0);
let view: DataView = new DataView(viewed.buffer);

/** Whether `bytes` holds `token` at `at`. */
function holds(bytes: Uint8Array, at: number, { length, words }: Token): boolean {
  if (bytes !== viewed) {
    viewed = bytes;
    view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  const last = at + length - 4;
  if (last + 4 > bytes.length || view.getInt32(last, true) !== words[words.length - 1]) {
    return false;
  }
  for (let i = 0; at < last; i++, at += 4) if (view.getInt32(at, true) !== words[i]) return false;
  return true;
}

/** Index of the field whose key begins at `at`, guessing first; -1 for none. */
function fieldAt(bytes: Uint8Array, at: number, guess: number): number {
  if (guess < KEYS.length && holds(bytes, at, KEYS[guess]!)) return guess;
  for (let field = 0; field < KEYS.length; field++) {
    if (holds(bytes, at, KEYS[field]!)) return field;
  }
  return -1;
}

/** Index of the name at `at` (after the opening quote), or -1. */
function nameAt(bytes: Uint8Array, at: number, names: Names): number {
  const index = names.byFirst[bytes[at]!]! - 1;
  return index >= 0 && holds(bytes, at, names.texts[index]!) ? index : -1;
}

/** Packs `count` upper-case letters and their closing quote; -1 for anything else. */
function lettersAt(bytes: Uint8Array, at: number, count: number): number {
  let packed = 0;
  for (let i = 0; i < count; i++) {
    const letter = bytes[at + i]! - 0x41;
    if (!(letter >= 0 && letter < 26)) return -1;
    packed = packed * 26 + letter;
  }
  return bytes[at + count] === QUOTE ? packed : -1;
}

/** Eight hex digits of an id as a word, in two groups from `a` and `b`; `bad` collects the sign. */
let bad = 0;
function wordAt(bytes: Uint8Array, a: number, b: number, hex: Int8Array): number {
  const d0 = hex[bytes[a]!]!, d1 = hex[bytes[a + 1]!]!;
  const d2 = hex[bytes[a + 2]!]!, d3 = hex[bytes[a + 3]!]!;
  const d4 = hex[bytes[b]!]!, d5 = hex[bytes[b + 1]!]!;
  const d6 = hex[bytes[b + 2]!]!, d7 = hex[bytes[b + 3]!]!;
  bad |= d0 | d1 | d2 | d3 | d4 | d5 | d6 | d7;
  return (d0 << 28) | (d1 << 24) | (d2 << 20) | (d3 << 16) | (d4 << 12) | (d5 << 8) | (d6 << 4) |
    d7;
}

/** Reads the digits of the id at `at`; false where one is none by `hex`. */
function readDigits(bytes: Uint8Array, at: number, hex: Int8Array, out: Accepted): boolean {
  bad = 0;
  out.id0 = wordAt(bytes, at, at + 4, hex);
  out.id1 = wordAt(bytes, at + 9, at + 14, hex);
  out.id2 = wordAt(bytes, at + 19, at + 24, hex);
  out.id3 = wordAt(bytes, at + 28, at + 32, hex);
  return bad >= 0;
}

/** Reads the id after the opening quote at `at`; returns where its token ends, or -1. */
function readId(bytes: Uint8Array, at: number, out: Accepted): number {
  if (
    bytes[at + 8] !== DASH || bytes[at + 13] !== DASH || bytes[at + 18] !== DASH ||
    bytes[at + 23] !== DASH || bytes[at + 36] !== QUOTE
  ) return -1;
  out.idStart = at;
  out.idIsLower = readDigits(bytes, at, HEX_LOWER, out);
  return out.idIsLower || readDigits(bytes, at, HEX, out) ? at + 37 : -1;
}

function readAccount(bytes: Uint8Array, at: number, out: Accepted): number {
  let end = at;
  while (ALPHANUMERIC[bytes[end]!] === 1) end++;
  if (bytes[end] !== QUOTE || end === at || end - at > ACCOUNT_ID_LENGTH_MAX) return -1;
  out.accountStart = at;
  out.accountEnd = end;
  return end + 1;
}

/** Reads an amount without exponent, of at most 11 and 4 digits, that is not 0. */
function readAmount(bytes: Uint8Array, at: number, out: Accepted): number {
  const negative = bytes[at] === DASH;
  if (negative) at++;
  const start = at;
  let units = 0;
  while (isDigit(bytes[at])) units = units * 10 + bytes[at++]! - 0x30;
  const digits = at - start;
  if (digits === 0 || digits > AMOUNT_DIGITS_MAX) return -1;
  if (digits > 1 && bytes[start] === 0x30) return -1;
  let scale = 10_000;
  if (bytes[at] === 0x2e) {
    at++;
    if (!isDigit(bytes[at])) return -1;
    while (scale > 1 && isDigit(bytes[at])) {
      units = units * 10 + bytes[at++]! - 0x30;
      scale /= 10;
    }
  }
  // What follows decides: a fifth digit or an exponent is no comma, brace or space.
  units *= scale;
  if (units === 0) return -1;
  out.amountUnits = negative ? -units : units;
  return at;
}

/** Reads the string field whose value begins after the quote before `at`; returns its end, or -1. */
function readText(
  bytes: Uint8Array,
  at: number,
  field: number,
  end: number,
  out: Accepted,
): number {
  switch (field) {
    case 0:
      return readId(bytes, at, out);
    case 1: {
      out.timestampUs = timestampAt(bytes, at);
      return timestampEnd();
    }
    case 2:
      return readAccount(bytes, at, out);
    case 4: {
      const packed = lettersAt(bytes, at, 3);
      if (packed < 0 || CURRENCY_TABLE[packed] !== 1) return -1;
      out.currency = packed;
      return at + 4;
    }
    case 5:
      return skipPlainString(bytes, at, end, true);
    case 6: {
      const index = nameAt(bytes, at, CATEGORY_NAMES);
      out.category = index;
      return index < 0 ? -1 : at + CATEGORY_NAMES.texts[index]!.length;
    }
    case 7: {
      const index = nameAt(bytes, at, TYPE_NAMES);
      out.transactionType = index;
      return index < 0 ? -1 : at + TYPE_NAMES.texts[index]!.length;
    }
    case 8: {
      const packed = lettersAt(bytes, at, 2);
      if (packed < 0 || COUNTRY_TABLE[packed] !== 1) return -1;
      out.country = packed;
      return at + 3;
    }
    case 9: {
      const index = nameAt(bytes, at, STATUS_NAMES);
      out.status = index;
      return index < 0 ? -1 : at + STATUS_NAMES.texts[index]!.length;
    }
    default:
      return -1;
  }
}

const AMOUNT_FIELD = 3;
const extras = new ExtraFields();

/**
 * Reads `bytes[start, end)`. True: it is a valid transaction and `out` is filled. False: in doubt; `out`
 * may hold anything.
 */
export function scanFast(
  bytes: Uint8Array,
  start: number,
  end: number,
  timestampMs: number,
  out: Accepted,
): boolean {
  if (start < 0 || bytes[start] !== OPEN) return false;
  let at = start + 1;
  let seen = 0;
  let guess = 0;
  extras.clear();
  for (;;) {
    while (bytes[at] === SPACE) at++;
    const field = fieldAt(bytes, at, guess);
    if (field < 0) {
      at = extras.read(bytes, at, end);
    } else {
      if ((seen & (1 << field)) !== 0) return false;
      seen |= 1 << field;
      guess = field + 1;
      at += KEYS[field]!.length;
      while (bytes[at] === SPACE) at++;
      if (field === AMOUNT_FIELD) at = readAmount(bytes, at, out);
      else if (bytes[at] === QUOTE) at = readText(bytes, at + 1, field, end, out);
      else return false;
    }
    if (at < 0) return false;
    while (bytes[at] === SPACE) at++;
    if (bytes[at] === COMMA) at++;
    else if (bytes[at] === CLOSE) break;
    else return false;
  }
  // Every byte up to here was read as part of the record, so no read went past its end.
  if (at !== end - 1 || seen !== ALL_FIELDS) return false;
  const { timestampUs } = out;
  if (timestampUs < TIMESTAMP_MIN_US) return false;
  if (timestampUs > timestampMs * 1000 + TIMESTAMP_AHEAD_MAX_US) return false;
  out.bytes = bytes;
  out.open = start;
  out.close = at;
  return true;
}
