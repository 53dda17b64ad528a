/** Extra fields on the fast path: a few, each with a plain scalar; anything more is in doubt. */
import { ADDED_FIELDS } from "../contracts/transaction.ts";
import { skipNumber, skipPlainString } from "./fast_scan_tokens.ts";
import { FORBIDDEN_KEYS } from "./json_scan.ts";

/** Most extra fields of a record on the fast path; each is compared with those before it. */
const EXTRAS_MAX = 8;

const QUOTE = 0x22, COLON = 0x3a, SPACE = 0x20;

const encoder = new TextEncoder();
const REFUSED = [...ADDED_FIELDS, ...FORBIDDEN_KEYS].map((name) => encoder.encode(name));
const LITERALS = ["true", "false", "null"].map((name) => encoder.encode(name));

function equal(a: Uint8Array, aStart: number, b: Uint8Array, bStart: number, length: number) {
  for (let i = 0; i < length; i++) if (a[aStart + i] !== b[bStart + i]) return false;
  return true;
}

/** The extra fields of one record. */
export class ExtraFields {
  #count = 0;
  readonly #starts = new Int32Array(EXTRAS_MAX);
  readonly #ends = new Int32Array(EXTRAS_MAX);

  /** Forgets the record before. */
  clear(): void {
    this.#count = 0;
  }

  /** Reads the member at `at`; returns where its value ends, or -1 in doubt. */
  read(bytes: Uint8Array, at: number, end: number): number {
    if (bytes[at] !== QUOTE || this.#count === EXTRAS_MAX) return -1;
    const keyStart = at + 1;
    at = skipPlainString(bytes, keyStart, end, false);
    if (at < 0 || bytes[at] !== COLON) return -1;
    if (!this.#isNew(bytes, keyStart, at - 1)) return -1;
    at++;
    while (bytes[at] === SPACE) at++;
    if (bytes[at] === QUOTE) return skipPlainString(bytes, at + 1, end, false);
    for (const literal of LITERALS) {
      if (equal(bytes, at, literal, 0, literal.length)) return at + literal.length;
    }
    return skipNumber(bytes, at);
  }

  /** Notes a key, unless it is refused or was there before. The ten fields are not asked about here. */
  #isNew(bytes: Uint8Array, start: number, end: number): boolean {
    const length = end - start;
    for (const name of REFUSED) {
      if (name.length === length && equal(bytes, start, name, 0, length)) return false;
    }
    for (let i = 0; i < this.#count; i++) {
      const other = this.#starts[i]!;
      if (this.#ends[i]! - other === length && equal(bytes, start, bytes, other, length)) {
        return false;
      }
    }
    this.#starts[this.#count] = start;
    this.#ends[this.#count++] = end;
    return true;
  }
}
