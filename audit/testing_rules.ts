/** The two rule sets of the audit's suites. */
import { RuleFile } from "../rules/rule_file.ts";
import type { RuleDefinition } from "../rules/rule_type.ts";
import { rulesVersion, type VerdictSettings } from "../rules/version.ts";

/** Settings that both rule sets were judged under. */
export const TEST_SETTINGS: VerdictSettings = {
  dedup_ids_max: 1024,
  accounts_max: 100,
  record_bytes_max: 4096,
  time_zone_data: "2025b",
};

/** A threshold rule `high` and a velocity rule `rapid`: three of one account within 60 s. */
function testRules(amount: number, severity: string): RuleDefinition[] {
  return RuleFile.parse({
    rules: [
      { rule_name: "high", rule_type: "threshold", severity, parameters: { amount } },
      {
        rule_name: "rapid",
        rule_type: "velocity",
        severity: "medium",
        parameters: { at_least: 3, window_seconds: 60 },
      },
    ],
  }).rules as RuleDefinition[];
}

/** In force from offset 0 on, and from offset 5 on. */
export const TEST_RULES: readonly RuleDefinition[][] = [
  testRules(100, "high"),
  testRules(1, "critical"),
];

/** Their versions. */
export const TEST_VERSIONS = TEST_RULES.map((rules) => rulesVersion(rules, TEST_SETTINGS));
