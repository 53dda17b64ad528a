/** Amounts: log-normal per merchant category, in whole cents. */
import type { Category } from "./accounts.ts";
import type { Prng } from "./prng.ts";

/** Smallest size of an amount. */
export const AMOUNT_MIN = 0.5;

/** Largest size of an amount. */
export const AMOUNT_MAX = 50_000;

/** Median and sigma of the logarithm, by category. */
export const AMOUNT_SHAPE: Readonly<Record<Category, { median: number; sigma: number }>> = {
  groceries: { median: 38, sigma: 0.7 },
  retail: { median: 55, sigma: 0.95 },
  dining: { median: 27, sigma: 0.65 },
  online: { median: 45, sigma: 1 },
  entertainment: { median: 24, sigma: 0.7 },
  utilities: { median: 95, sigma: 0.5 },
  travel: { median: 320, sigma: 0.9 },
};

function toCents(amount: number): number {
  return Math.round(Math.min(AMOUNT_MAX, Math.max(AMOUNT_MIN, amount)) * 100);
}

/** Cents (50 to 5,000,000) of a purchase; `spending` is the account's factor. */
export function drawAmountCents(prng: Prng, category: Category, spending: number): number {
  const { median, sigma } = AMOUNT_SHAPE[category];
  return toCents(median * spending * Math.exp(sigma * prng.normal()));
}

/** Cents of an injected high amount: above 10,000, log-uniform up to the largest. */
export function drawHighAmountCents(prng: Prng): number {
  const low = 10_000.01;
  return Math.max(1_000_001, toCents(low * Math.exp(prng.next() * Math.log(AMOUNT_MAX / low))));
}

/** Cash comes in notes: to the next ten, at least one note. */
export function toNotesCents(cents: number): number {
  return Math.min(AMOUNT_MAX * 100, Math.max(1000, Math.round(cents / 1000) * 1000));
}

/** `12.34`, `12.5`, `-12`: cents as a JSON number, exact and without needless zeros. */
export function printCents(cents: number): string {
  const size = Math.abs(cents);
  const rest = size % 100;
  const whole = (cents < 0 ? "-" : "") + (size - rest) / 100;
  if (rest === 0) return whole;
  return `${whole}.${rest % 10 === 0 ? rest / 10 : String(rest).padStart(2, "0")}`;
}
