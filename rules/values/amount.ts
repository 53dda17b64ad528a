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
  const whole = Math.floor(size / 10_000);
  const fraction = String(size % 10_000).padStart(4, "0").replace(/0{1,2}$/, "");
  const grouped = String(whole).replace(/\B(?=(\d{3})+$)/g, ",");
  return `${units < 0 ? "-" : ""}${grouped}.${fraction}`;
}
