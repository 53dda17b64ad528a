/** A valid transaction as both validation paths hand it on: numbers and places, no objects. */
import type { DeadLetterType, FieldError } from "../contracts/dead_letter.ts";

/** Filled anew for each record; every index is one in `bytes`. */
export interface Accepted {
  /** The transaction id as four big-endian words, as signed 32-bit integers. */
  id0: number;
  id1: number;
  id2: number;
  id3: number;
  timestampUs: number;
  /** Ten-thousandths: an exact integer. */
  amountUnits: number;
  currency: number;
  country: number;
  category: number;
  transactionType: number;
  status: number;
  /** The record's buffer, or a copy where its value had to be put on one line. */
  bytes: Uint8Array;
  /** The opening brace. */
  open: number;
  /** The closing brace. */
  close: number;
  /** First of the 36 characters of transaction_id, in either case. */
  idStart: number;
  /** Whether it is known to have no upper-case letter. */
  idIsLower: boolean;
  accountStart: number;
  accountEnd: number;
}

/** Why a record is a dead letter. */
export interface Rejection {
  errorType: DeadLetterType;
  errors: FieldError[];
}

/** An Accepted with nothing in it. */
export function emptyAccepted(): Accepted {
  return {
    id0: 0,
    id1: 0,
    id2: 0,
    id3: 0,
    timestampUs: 0.5, // doubles from the start, so that the fields never change representation
    amountUnits: 0.5,
    currency: 0,
    country: 0,
    category: 0,
    transactionType: 0,
    status: 0,
    bytes: new Uint8Array(0),
    open: 0,
    close: 0,
    idStart: 0,
    idIsLower: false,
    accountStart: 0,
    accountEnd: 0,
  };
}
