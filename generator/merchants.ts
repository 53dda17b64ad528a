/** The pool of merchants, from a seed; names by faker. */
import { faker } from "@faker-js/faker/locale/en";
import { MERCHANT_CATEGORIES } from "../contracts/transaction.ts";
import type { Category } from "./accounts.ts";
import { createPrng } from "./prng.ts";
import { createWeighted } from "./weighted.ts";

/** Who is paid. */
export interface Merchant {
  name: string;
  category: Category;
}

/** How often something is bought, by category. */
export const CATEGORY_WEIGHTS: Readonly<Record<Category, number>> = {
  groceries: 0.26,
  retail: 0.2,
  dining: 0.2,
  online: 0.16,
  entertainment: 0.08,
  utilities: 0.06,
  travel: 0.04,
};

const NAMES: Readonly<Record<Category, () => string>> = {
  retail: () => faker.company.name(),
  dining: () => `${faker.person.lastName()}'s ${faker.helpers.arrayElement(EATERIES)}`,
  travel: () =>
    `${faker.location.city()} ${faker.helpers.arrayElement(["Airways", "Hotel", "Rail"])}`,
  online: () => faker.internet.domainName(),
  groceries: () => `${faker.person.lastName()} ${faker.helpers.arrayElement(["Market", "Foods"])}`,
  entertainment: () => `${faker.location.city()} ${faker.helpers.arrayElement(VENUES)}`,
  utilities: () =>
    `${faker.location.city()} ${faker.helpers.arrayElement(["Power", "Water", "Telecom"])}`,
};
const EATERIES = ["Kitchen", "Café", "Grill", "Bistro"];
const VENUES = ["Cinema", "Theatre", "Arena"];

const drawCategory = createWeighted(CATEGORY_WEIGHTS);

/** Merchants by category; each category has at least one. */
export type Merchants = Readonly<Record<Category, readonly Merchant[]>>;

/** The first `count` merchants (at least 7, so that every category has one) of a seed. */
export function createMerchants(seed: number, count: number): Merchants {
  if (count < MERCHANT_CATEGORIES.length) {
    throw new RangeError(
      `Cannot make ${count} merchants: expected at least ${MERCHANT_CATEGORIES.length}`,
    );
  }
  const prng = createPrng(seed, "merchants");
  // faker has one generator for the whole module: seeded here, and used nowhere else.
  faker.seed(prng.uint32());
  const byCategory = Object.fromEntries(
    MERCHANT_CATEGORIES.map((category) => [category, [] as Merchant[]]),
  ) as Record<Category, Merchant[]>;
  for (let i = 0; i < count; i++) {
    const category = MERCHANT_CATEGORIES[i] ?? drawCategory(prng);
    byCategory[category].push({ name: NAMES[category](), category });
  }
  return byCategory;
}
