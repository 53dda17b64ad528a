/** `threshold`: one transaction above an amount. */
import { z } from "zod";
import { CURRENCIES } from "../../contracts/codes.ts";
import { MERCHANT_CATEGORIES } from "../../contracts/transaction.ts";
import { AmountParameter, amountUnits, printUnits } from "../values/amount.ts";
import { packLetters, unpackLetters } from "../values/facts.ts";
import type { RuleType } from "../rule_type.ts";

const Currency = z.string().refine(
  (code) => CURRENCIES.has(code),
  "an ISO 4217 alphabetic code in use",
);

const Parameters = z.strictObject({
  amount: AmountParameter
    .meta({ description: "Fires on an amount above this, in units of the currency" }),
  per_currency: z.record(Currency, AmountParameter).default({})
    .meta({ description: "Other amounts for these currencies" }),
  per_category: z.partialRecord(z.enum(MERCHANT_CATEGORIES), AmountParameter).default({})
    .meta({
      description:
        "Other amounts for these categories, in currencies without an amount of their own",
    }),
  absolute: z.boolean().default(false)
    .meta({ description: "Compare the size: a refund of -20000 counts like 20000" }),
});

/** Parameters of a threshold rule. */
export type ThresholdParameters = z.infer<typeof Parameters>;

/** Fires when amount > limit, strictly. A currency's own limit goes before a category's. */
export const threshold: RuleType<ThresholdParameters> = {
  ruleType: "threshold",
  parameters: Parameters,
  compile(parameters) {
    const limit = amountUnits(parameters.amount);
    const byCurrency = new Float64Array(26 ** 3).fill(-1);
    for (const [code, amount] of Object.entries(parameters.per_currency)) {
      byCurrency[packLetters(code)] = amountUnits(amount);
    }
    const byCategory = MERCHANT_CATEGORIES.map((category) => {
      const amount = parameters.per_category[category];
      return amount === undefined ? limit : amountUnits(amount);
    });
    const limitOf = (currency: number, category: number) => {
      const own = byCurrency[currency]!;
      return own >= 0 ? own : byCategory[category]!;
    };
    return {
      cellWords: 0,
      judge(facts) {
        const amount = parameters.absolute ? Math.abs(facts.amountUnits) : facts.amountUnits;
        return amount > limitOf(facts.currency, facts.category);
      },
      explain(facts, { accountId }) {
        const currency = unpackLetters(facts.currency, 3);
        const limit = limitOf(facts.currency, facts.category);
        return {
          description: `Account ${accountId} moved ${
            printUnits(facts.amountUnits)
          } ${currency} in one transaction, above the limit of ${printUnits(limit)} ${currency}`,
          evidence: {
            amount: facts.amountUnits / 10_000,
            threshold: limit / 10_000,
            currency,
            category: MERCHANT_CATEGORIES[facts.category],
          },
        };
      },
    };
  },
};
