/** `config/alerting-rules.yaml`: the schema of the whole file. */
import { z } from "zod";
import { SEVERITIES } from "../contracts/alert.ts";
import { RULE_TYPES } from "./registry.ts";
import type { RuleDefinition } from "./rule_type.ts";

/** Most rules in one file. */
export const RULES_MAX = 64;

const EXPECTED_TYPE = `one of ${RULE_TYPES.map(({ ruleType }) => ruleType).join(", ")}`;

const variants = RULE_TYPES.map(({ ruleType, parameters }) =>
  z.strictObject({
    rule_name: z.string().regex(
      /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
      "1 to 64 letters, digits, dots, dashes or underscores",
    ).meta({ description: "Unique; part of the identity of each alert" }),
    rule_type: z.literal(ruleType).meta({ description: "Kind of rule" }),
    severity: z.enum(SEVERITIES).meta({ description: "How urgent its alerts are" }),
    enabled: z.boolean().default(true)
      .meta({ description: "false: raises nothing, but goes on collecting" }),
    description: z.string().max(1000).default("")
      .meta({ description: "Why the rule exists, for people" }),
    parameters,
  })
);

/** The rule file, checked as a whole, defaults filled in. */
export const RuleFile = z.strictObject({
  rules: z.array(
    z.discriminatedUnion("rule_type", variants as [typeof variants[0], ...typeof variants], {
      // Only where no type matches: what is wrong within one is that schema's to say.
      error: (issue) => issue.code === "invalid_union" ? EXPECTED_TYPE : undefined,
    }),
  ).max(RULES_MAX),
}).superRefine(({ rules }, context) => {
  const seen = new Set<string>();
  rules.forEach(({ rule_name }, index) => {
    if (seen.has(rule_name)) {
      context.addIssue({
        code: "custom",
        path: ["rules", index, "rule_name"],
        message: "a rule_name that no other rule has",
      });
    }
    seen.add(rule_name);
  });
}).meta({ title: "RuleFile", description: "config/alerting-rules.yaml" });

/** The rule file. */
export interface RuleFile {
  rules: RuleDefinition[];
}
