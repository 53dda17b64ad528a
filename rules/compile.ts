/** Rule sets ready to be put in force, from the rule file or from the changelog. */
import { NotReadyError } from "../contracts/errors.ts";
import { RuleFile } from "./rule_file.ts";
import type { RuleDefinition } from "./rule_type.ts";
import { ENGINE_VERSION, ruleSetText, rulesVersion, type VerdictSettings } from "./version.ts";

/** A rule set with its name. */
export interface CompiledRules {
  /** rules_version of all that it judges. */
  readonly version: string;
  /** Canonical JSON: what the changelog keeps under `version`. */
  readonly document: string;
  readonly rules: readonly RuleDefinition[];
  readonly settings: VerdictSettings;
}

/** Names a checked rule file under the settings in force. */
export function compileRules(file: { rules: unknown[] }, settings: VerdictSettings): CompiledRules {
  const rules = file.rules as RuleDefinition[];
  return {
    version: rulesVersion(rules, settings),
    document: ruleSetText(rules, settings),
    rules,
    settings,
  };
}

/**
 * Reads a rule set back from the changelog. Under another engine version, or other settings, it has
 * another version than the one it was stored under; the caller then records a new boundary.
 *
 * Throws NotReadyError where a rule is not known here: a newer program wrote it.
 */
export function parseRuleSetDocument(text: string, settings?: VerdictSettings): CompiledRules {
  const stored = JSON.parse(text) as { rules: unknown; settings: VerdictSettings };
  const checked = RuleFile.safeParse({ rules: stored.rules });
  if (!checked.success) {
    throw new NotReadyError(
      `Cannot put the stored rule set in force under engine version "${ENGINE_VERSION}": ${
        checked.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; ")
      }`,
    );
  }
  return compileRules(checked.data, settings ?? stored.settings);
}
