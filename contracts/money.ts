/** Amounts, exactly: money never passes through binary floating point where it decides something. */
import { AMOUNT_DECIMALS_MAX } from "./limits.ts";

const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/** Ten-thousandths in one unit: amounts are integers of this once parsed, as DECIMAL(18,4) stores them. */
export const AMOUNT_SCALE = 10_000n;

/** The contract's limit on the size of an amount, in ten-thousandths. */
export const AMOUNT_UNITS_LIMIT = 1_000_000_000_000_000n;

/** What is wrong with an amount, if anything. */
export type AmountVerdict =
  | { ok: true; units: bigint }
  | { ok: false; reason: "not_a_number" | "decimals" | "size" | "zero" };

/**
 * Reads a JSON number token exactly (`12.50`, `-3e2`), as ten-thousandths.
 *
 * Trailing zeros do not count as decimals: 1.50000 has one. Exponents beyond ±400 are refused by
 * size or decimals without being expanded.
 */
export function parseAmount(token: string): AmountVerdict {
  const match = NUMBER.exec(token);
  if (match === null) return { ok: false, reason: "not_a_number" };
  const [, sign, whole = "", fraction = "", exponentText = "0"] = match;
  const exponent = Number(exponentText);
  let digits = (whole + fraction).replace(/^0+/, "");
  let scale = fraction.length - exponent;
  if (digits === "") return { ok: false, reason: "zero" };
  // A loop, not /0*$/: on a long token with inner zeros that expression takes quadratic time.
  let trailing = 0;
  while (digits.charCodeAt(digits.length - 1 - trailing) === 0x30) trailing++;
  digits = digits.slice(0, digits.length - trailing);
  scale -= trailing;
  if (scale > AMOUNT_DECIMALS_MAX) return { ok: false, reason: "decimals" };
  if (digits.length - scale > 11) return { ok: false, reason: "size" };
  const units = BigInt(digits) * 10n ** BigInt(AMOUNT_DECIMALS_MAX - scale);
  return { ok: true, units: sign === "-" ? -units : units };
}

/** Prints ten-thousandths as a plain decimal without needless zeros: 125000n is `12.5`. */
export function printAmount(units: bigint): string {
  const size = units < 0n ? -units : units;
  const whole = size / AMOUNT_SCALE;
  const fraction = (size % AMOUNT_SCALE).toString().padStart(4, "0").replace(/0+$/, "");
  return `${units < 0n ? "-" : ""}${whole}${fraction === "" ? "" : "." + fraction}`;
}
