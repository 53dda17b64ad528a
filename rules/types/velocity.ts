/** `velocity`: many transactions, or much money, of one account within a window of event time. */
import { z } from "zod";
import { CURRENCIES } from "../../contracts/codes.ts";
import {
  MERCHANT_CATEGORIES,
  TRANSACTION_STATUSES,
  TRANSACTION_TYPES,
} from "../../contracts/transaction.ts";
import { AmountParameter } from "../values/amount.ts";
import { type Facts, packLetters } from "../values/facts.ts";
import type { RuleType } from "../rule_type.ts";
import { countLogic } from "./velocity_count.ts";
import { sumLogic } from "./velocity_sum.ts";

/** Most transactions that a count rule may wait for: its state grows with it. */
export const VELOCITY_COUNT_MAX = 100;

/** Longest window, in seconds: 31 days. */
export const VELOCITY_WINDOW_SECONDS_MAX = 31 * 86_400;

const Only = z.strictObject({
  currencies: z.array(
    z.string().refine((code) => CURRENCIES.has(code), "an ISO 4217 alphabetic code in use"),
  ).min(1).optional(),
  categories: z.array(z.enum(MERCHANT_CATEGORIES)).min(1).optional(),
  transaction_types: z.array(z.enum(TRANSACTION_TYPES)).min(1).optional(),
  statuses: z.array(z.enum(TRANSACTION_STATUSES)).min(1).optional(),
}).meta({ description: "Looks only at transactions that match; the others do not exist for it" });

const Parameters = z.strictObject({
  measure: z.enum(["count", "sum"]).default("count")
    .meta({ description: "Count transactions, or sum their signed amounts" }),
  at_least: AmountParameter
    .meta({ description: "Fires when the window holds at least this many, or this much" }),
  window_seconds: z.int().min(1).max(VELOCITY_WINDOW_SECONDS_MAX)
    .meta({ description: "Length of the window of event time" }),
  per: z.literal("account").default("account"),
  only: Only.prefault({}),
}).superRefine(({ measure, at_least, only }, context) => {
  const refuse = (path: string[], message: string) =>
    context.addIssue({ code: "custom", path, message });
  if (measure === "count") {
    if (!Number.isInteger(at_least) || at_least < 2 || at_least > VELOCITY_COUNT_MAX) {
      refuse(["at_least"], `a whole number from 2 to ${VELOCITY_COUNT_MAX}`);
    }
    return;
  }
  if (at_least === 0) refuse(["at_least"], "an amount above 0");
  if (only.currencies?.length !== 1) {
    refuse(["only", "currencies"], "exactly one currency: amounts of several cannot be summed");
  }
});

/** Parameters of a velocity rule. */
export type VelocityParameters = z.infer<typeof Parameters>;

function matcher(only: VelocityParameters["only"]): (facts: Facts) => boolean {
  const tests: ((facts: Facts) => boolean)[] = [];
  const among = (
    wanted: readonly string[] | undefined,
    index: (name: string) => number,
    field: "currency" | "category" | "transactionType" | "status",
  ) => {
    if (wanted === undefined) return;
    const set = new Set(wanted.map(index));
    tests.push((facts) => set.has(facts[field]));
  };
  const indexIn = (names: readonly string[]) => (name: string) => names.indexOf(name);
  among(only.currencies, packLetters, "currency");
  among(only.categories, indexIn(MERCHANT_CATEGORIES), "category");
  among(only.transaction_types, indexIn(TRANSACTION_TYPES), "transactionType");
  among(only.statuses, indexIn(TRANSACTION_STATUSES), "status");
  return (facts) => tests.every((test) => test(facts));
}

function filterText(only: VelocityParameters["only"]): string {
  const sorted = Object.entries(only as Record<string, string[]>)
    .map(([name, values]) => [name, [...values].sort()]);
  return JSON.stringify(sorted.sort());
}

/**
 * Fires when some interval (u − window, u] of event time that contains the transaction's timestamp
 * holds at least so many (so much) of the account's accepted transactions at offsets up to its own.
 * In order that is counting (t − window, t]; out of order the transaction that completes a burst
 * carries the alert. Nothing is ever late (design section 4).
 */
export const velocity: RuleType<VelocityParameters> = {
  ruleType: "velocity",
  parameters: Parameters,
  keepsState(previous, next) {
    return previous.measure === next.measure && previous.window_seconds === next.window_seconds &&
      filterText(previous.only) === filterText(next.only) &&
      (next.measure === "sum" || next.at_least <= previous.at_least);
  },
  compile(parameters, laidOut) {
    const logic = parameters.measure === "count"
      ? countLogic(parameters, laidOut.at_least)
      : sumLogic(parameters);
    if (Object.keys(parameters.only).length === 0) return logic;
    const matches = matcher(parameters.only);
    return { ...logic, judge: (facts, cells) => matches(facts) && logic.judge(facts, cells) };
  },
};
