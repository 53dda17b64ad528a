/** The alert: the contract of `alerts` (design section 3). */
import { z } from "zod";
import { Transaction, UUID_PATTERN } from "./transaction.ts";
import { SEVERITIES } from "./vocabulary.ts";

export { SEVERITIES };

/** One of {@linkcode SEVERITIES}. */
export type Severity = typeof SEVERITIES[number];

/** Value of `alerts`. Its identity is (trace, rule_name). */
export const Alert = z.object({
  alert_id: z.string().regex(UUID_PATTERN)
    .meta({ description: "UUIDv5 of rule_name:transaction_id in the pipeline's namespace" }),
  transaction_id: z.string().regex(UUID_PATTERN)
    .meta({ description: "Transaction that the rule fired on, in lower case" }),
  rule_name: z.string().meta({ description: "Rule that fired" }),
  severity: z.enum(SEVERITIES).meta({ description: "Severity of the rule in force" }),
  alert_timestamp: z.string()
    .meta({ description: "When the alert was raised", format: "date-time" }),
  description: z.string()
    .meta({ description: "Sentence for a fraud analyst, with the numbers that made it fire" }),
  rules_version: z.string().regex(/^[0-9a-f]{12}$/)
    .meta({ description: "Rule set that raised it" }),
  evidence: z.record(z.string(), z.unknown())
    .meta({ description: "The rule's numbers; for velocity up to 20 transaction ids" }),
  transaction: Transaction.meta({ description: "The whole original transaction" }),
}).meta({ title: "Alert", description: "Value of alerts" });

/** An alert. */
export type Alert = z.infer<typeof Alert>;
