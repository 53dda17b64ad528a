/** Every rule type there is: a new one is a file in `types/` and a line here. */
import type { RuleType } from "./rule_type.ts";
import { quietHours } from "./types/quiet_hours.ts";
import { threshold } from "./types/threshold.ts";
import { velocity } from "./types/velocity.ts";

/** All rule types. */
// deno-lint-ignore no-explicit-any -- each type has parameters of its own
export const RULE_TYPES: readonly RuleType<any>[] = [
  threshold,
  velocity,
  quietHours,
];

/** The rule type of that name. */
export function ruleTypeOf(name: string): RuleType | undefined {
  return RULE_TYPES.find(({ ruleType }) => ruleType === name);
}
