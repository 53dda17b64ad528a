/** Amounts in rule parameters, exactly. */
import { z } from "zod";
import { parseAmount } from "../../contracts/money.ts";

const EXPECTED = "a number from 0 to below 100000000000 with at most 4 decimals";

/** Ten-thousandths of a parameter that {@linkcode AmountParameter} let through. */
export function amountUnits(amount: number): number {
  if (amount === 0) return 0;
  const verdict = parseAmount(String(amount));
  if (!verdict.ok) throw new RangeError(`Cannot use the amount "${amount}": expected ${EXPECTED}`);
  return Number(verdict.units);
}

/** An amount in a rule's parameters: 0 or more, with at most 4 decimals. */
export const AmountParameter: z.ZodNumber = z.number().refine(
  (amount) => amount === 0 || (amount > 0 && parseAmount(String(amount)).ok),
  EXPECTED,
);

/** Prints ten-thousandths with at least two decimals and grouped thousands: `12,345.50`. */
export function printUnits(units: number): string {
  const size = Math.abs(units);
  let whole = Math.floor(size / 10_000);
  let grouped = "";
  for (; whole >= 1000; whole = Math.floor(whole / 1000)) {
    grouped = `,${String(1000 + whole % 1000).slice(1)}${grouped}`;
  }
  const fraction = size % 10_000;
  const decimals = fraction % 100 === 0 ? 2 : fraction % 10 === 0 ? 3 : 4;
  const digits = String(10_000 + fraction).slice(1, 1 + decimals);
  return `${units < 0 ? "-" : ""}${whole}${grouped}.${digits}`;
}
