/** The pool of accounts, from a seed: who spends how much, where and on what. */
import { MERCHANT_CATEGORIES } from "../contracts/transaction.ts";
import { createPrng, type Prng } from "./prng.ts";
import { createWeighted } from "./weighted.ts";

/** What somebody sells; see the contract. */
export type Category = typeof MERCHANT_CATEGORIES[number];

/** Kinds of account and their shares. */
export const ACCOUNT_KIND_WEIGHTS = { checking: 0.55, credit: 0.3, savings: 0.15 } as const;

/** Kind of account. */
export type AccountKind = keyof typeof ACCOUNT_KIND_WEIGHTS;

/** A holder's account and habits. */
export interface Account {
  /** `ACC` and seven digits. */
  id: string;
  kind: AccountKind;
  /** ISO 3166-1 alpha-2. */
  country: string;
  /** ISO 4217, the currency of the home country. */
  currency: string;
  /** Where the holder also is now and then: a commuter's or a holiday country. */
  secondCountry: string;
  /** How often it is used, 1 (rarely) to 4. */
  activity: number;
  /** Multiplies amounts; median 1. */
  spending: number;
  /** What the holder buys more of than others. */
  favourite: Category;
}

/**
 * Home countries with their currency, share and usual second country. Only currencies in which
 * 10,000 is a large sum: the shipped high-value rule has one threshold for all.
 */
const HOMES: Readonly<Record<string, { currency: string; weight: number; second: string }>> = {
  US: { currency: "USD", weight: 30, second: "CA" },
  GB: { currency: "GBP", weight: 14, second: "ES" },
  DE: { currency: "EUR", weight: 14, second: "AT" },
  FR: { currency: "EUR", weight: 9, second: "BE" },
  IT: { currency: "EUR", weight: 7, second: "CH" },
  ES: { currency: "EUR", weight: 6, second: "PT" },
  CA: { currency: "CAD", weight: 6, second: "US" },
  AU: { currency: "AUD", weight: 4, second: "NZ" },
  NL: { currency: "EUR", weight: 3, second: "DE" },
  CH: { currency: "CHF", weight: 2, second: "FR" },
  AT: { currency: "EUR", weight: 2, second: "DE" },
  IE: { currency: "EUR", weight: 1, second: "GB" },
  SG: { currency: "SGD", weight: 1, second: "MY" },
  NZ: { currency: "NZD", weight: 1, second: "AU" },
};

/** Countries of injected foreign transactions: none is a home or a second country. */
export const FAR_COUNTRIES: readonly string[] = [
  "AR",
  "BG",
  "BR",
  "CN",
  "EG",
  "ID",
  "IN",
  "KE",
  "MX",
  "NG",
  "PH",
  "RO",
  "TH",
  "TR",
  "UA",
  "VN",
  "ZA",
];

/** Highest activity. */
export const ACTIVITY_MAX = 4;

const ID_SPACE = 10_000_000;
/** Prime and so without a common factor with ID_SPACE: `i * step mod space` never repeats. */
const ID_STEP = 7_368_787;

const drawHome = createWeighted(
  Object.fromEntries(Object.entries(HOMES).map(([country, home]) => [country, home.weight])),
);
const drawKind = createWeighted(ACCOUNT_KIND_WEIGHTS);

function makeAccount(index: number, idBase: number, prng: Prng): Account {
  const country = drawHome(prng);
  const { currency, second } = HOMES[country]!;
  return {
    id: "ACC" + String((idBase + index * ID_STEP) % ID_SPACE).padStart(7, "0"),
    kind: drawKind(prng),
    country,
    currency,
    secondCountry: second,
    activity: 1 + prng.int(ACTIVITY_MAX),
    spending: Math.exp(0.35 * prng.normal()),
    favourite: prng.pick(MERCHANT_CATEGORIES),
  };
}

/**
 * The first `count` accounts of a seed (at most 10 million, all different): a larger pool begins with
 * the smaller one.
 */
export function createAccounts(seed: number, count: number): Account[] {
  if (!(count >= 1 && count <= ID_SPACE)) {
    throw new RangeError(`Cannot make ${count} accounts: expected 1 to ${ID_SPACE}`);
  }
  const prng = createPrng(seed, "accounts");
  const idBase = prng.int(ID_SPACE);
  return Array.from({ length: count }, (_, index) => makeAccount(index, idBase, prng));
}
