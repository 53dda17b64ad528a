/** The pure core that the loop runs: binds state, step and rules to the settings of this process. */
import { type CompiledRules, compileRules, parseRuleSetDocument } from "../rules/compile.ts";
import type { VerdictSettings } from "../rules/version.ts";
import {
  createPartitionState,
  finishRestore,
  type PartitionState,
  restoreState,
  setRules,
} from "./state.ts";
import { openStep } from "./step.ts";
import type { ProcessorCore, ReadyRuleSet } from "./step_types.ts";

/** A compiled rule set as the loop handles it. */
export function readyRuleSet(compiled: CompiledRules): ReadyRuleSet<CompiledRules> {
  const { version, document } = compiled;
  return { version, record: { rulesVersion: version, document }, compiled };
}

/** A checked rule file, ready to be put in force. */
export function readyRuleFile(
  file: { rules: unknown[] },
  settings: VerdictSettings,
): ReadyRuleSet<CompiledRules> {
  return readyRuleSet(compileRules(file, settings));
}

/** The core under the settings of this process. */
export function createCore(
  settings: VerdictSettings,
): ProcessorCore<PartitionState, CompiledRules> {
  return {
    createPartitionState,
    restoreState,
    finishRestore,
    setRules,
    openStep,
    compileStored: ({ document }) => readyRuleSet(parseRuleSetDocument(document, settings)),
  };
}
