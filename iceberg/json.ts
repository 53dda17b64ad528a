/**
 * JSON with 64-bit integers. `JSON.parse` alone rounds snapshot ids beyond 2^53 (real ones are 63-bit
 * random numbers), and `JSON.stringify` refuses bigint.
 */

/** ES2025 additions that lib.es does not declare yet. */
interface Json2025 {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): unknown;
}
const json = JSON as unknown as Json2025;

const LONG_DIGITS = /\d{16}/;
const INTEGER = /^-?\d+$/;

/**
 * Parses JSON; an integer outside ±(2^53 - 1) becomes a bigint, everything else is as in
 * `JSON.parse`. Throws SyntaxError.
 */
export function parseJson(text: string): unknown {
  // Without a run of 16 digits there is no unsafe integer, and the plain parser is 10 times faster.
  if (!LONG_DIGITS.test(text)) return JSON.parse(text);
  return json.parse(text, (_key, value, { source }) => {
    if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
    return source !== undefined && INTEGER.test(source) ? BigInt(source) : value;
  });
}

/** How to print. */
export interface PrintJsonOptions {
  /** Spaces per level; 0 prints on one line. @default {0} */
  indent?: number;
}

/** Prints JSON; a bigint becomes a plain integer. Keys keep their order. */
export function printJson(value: unknown, options: PrintJsonOptions = {}): string {
  const { indent = 0 } = options;
  return JSON.stringify(
    value,
    (_key, item) => typeof item === "bigint" ? json.rawJSON(item.toString()) : item,
    indent,
  );
}
