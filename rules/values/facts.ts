/** What rules may know of a transaction: numbers, in one object that is reused for every record. */
import {
  MERCHANT_CATEGORIES,
  TRANSACTION_STATUSES,
  TRANSACTION_TYPES,
} from "../../contracts/transaction.ts";

/**
 * One accepted transaction as the rules see it. The engine's caller fills the same object again for
 * the next record, so a rule copies what it wants to keep.
 */
export interface Facts {
  /** Offset in the raw partition. */
  offset: number;
  /** Running number among the accepted transactions of the partition. */
  sequence: number;
  /** Event time in µs since the epoch. */
  timestampUs: number;
  /** Amount in ten-thousandths, signed; an exact integer below 10^15 in size. */
  amountUnits: number;
  /** {@linkcode packLetters} of the currency. */
  currency: number;
  /** {@linkcode packLetters} of the country. */
  country: number;
  /** Index in MERCHANT_CATEGORIES. */
  category: number;
  /** Index in TRANSACTION_TYPES. */
  transactionType: number;
  /** Index in TRANSACTION_STATUSES. */
  status: number;
  /** Holds the account id, ASCII, from accountStart to accountEnd. */
  bytes: Uint8Array;
  accountStart: number;
  accountEnd: number;
  /** {@linkcode hashBytes} of the account id. */
  accountHash: number;
}

/** Facts with nothing in them yet. */
export function emptyFacts(): Facts {
  return {
    offset: 0,
    sequence: 0,
    timestampUs: 0.5, // a double from the start, so that the field never changes its representation
    amountUnits: 0.5,
    currency: 0,
    country: 0,
    category: 0,
    transactionType: 0,
    status: 0,
    bytes: new Uint8Array(0),
    accountStart: 0,
    accountEnd: 0,
    accountHash: 0,
  };
}

/** Packs an upper-case code (EUR, DE) into one number: its letters as digits of base 26. */
export function packLetters(code: string): number {
  let packed = 0;
  for (let i = 0; i < code.length; i++) packed = packed * 26 + (code.charCodeAt(i) - 65);
  return packed;
}

/** Turns {@linkcode packLetters} back into a code of `length` letters. */
export function unpackLetters(packed: number, length: number): string {
  let code = "";
  for (let i = 0; i < length; i++) {
    code = String.fromCharCode(65 + packed % 26) + code;
    packed = Math.floor(packed / 26);
  }
  return code;
}

/** 32-bit FNV-1a of `bytes[start, end)`, as a signed integer. */
export function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5 | 0;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  return hash ^ (hash >>> 15);
}

/** The account id of `facts` as text. */
export function accountOf(facts: Facts): string {
  let text = "";
  for (let i = facts.accountStart; i < facts.accountEnd; i++) {
    text += String.fromCharCode(facts.bytes[i]!);
  }
  return text;
}

/** Text fields of a transaction, for {@linkcode setFacts}. */
export interface FactTexts {
  account_id: string;
  currency: string;
  location_country: string;
  merchant_category: string;
  transaction_type: string;
  status: string;
}

const encoder = new TextEncoder();

/** Fills the text-borne part of `facts` from field values (the slow way: tests and the plain path). */
export function setFacts(facts: Facts, texts: FactTexts): void {
  facts.currency = packLetters(texts.currency);
  facts.country = packLetters(texts.location_country);
  facts.category = (MERCHANT_CATEGORIES as readonly string[]).indexOf(texts.merchant_category);
  facts.transactionType = (TRANSACTION_TYPES as readonly string[]).indexOf(texts.transaction_type);
  facts.status = (TRANSACTION_STATUSES as readonly string[]).indexOf(texts.status);
  facts.bytes = encoder.encode(texts.account_id);
  facts.accountStart = 0;
  facts.accountEnd = facts.bytes.length;
  facts.accountHash = hashBytes(facts.bytes, 0, facts.bytes.length);
}
