/** The state of one partition: accepted ids and rule state, restored from and written to the changelog. */
import type { CompiledRules } from "../rules/compile.ts";
import { RuleEngine } from "../rules/engine.ts";
import { emptyFacts, type Facts } from "../rules/values/facts.ts";
import { type Accepted, emptyAccepted } from "./accepted.ts";
import { DedupTable } from "./dedup.ts";
import { ChangeList, type StateChange } from "../rules/state_change.ts";
import { AlternatingOutputs } from "./step_outputs.ts";
import type { StateLimits } from "./step_types.ts";

/** What the processor knows of one partition. Opaque to the loop. */
export interface PartitionState {
  readonly dedup: DedupTable;
  readonly engine: RuleEngine;
  /** undefined until rules are in force. */
  rulesVersion: string | undefined;
  /** Reused for every record; no part of the state. */
  readonly accepted: Accepted;
  readonly facts: Facts;
  readonly outputs: AlternatingOutputs;
}

const decoder = new TextDecoder();

/** An empty state; its id table is allocated here. */
export function createPartitionState(limits: StateLimits): PartitionState {
  return {
    dedup: new DedupTable({ idsMax: limits.dedupIdsMax }),
    engine: new RuleEngine({ accountsMax: limits.accountsMax }),
    rulesVersion: undefined,
    accepted: emptyAccepted(),
    facts: emptyFacts(),
    outputs: new AlternatingOutputs(limits.compression),
  };
}

/** Takes one changelog record under `i/` or `a/`, in log order. */
export function restoreState(
  state: PartitionState,
  key: Uint8Array,
  value: Uint8Array | null,
): void {
  const text = decoder.decode(key);
  if (text.startsWith("i/")) state.dedup.restore(text, value);
  else state.engine.restore(text, value);
}

/** Ends a restore: after the last record of the changelog, before the first {@linkcode setRules}. */
export function finishRestore(state: PartitionState): void {
  state.dedup.finishRestore();
  state.engine.finishRestore();
}

/**
 * Puts a rule set in force from the next record on; keeps the state that means the same under it. The
 * changes belong into the transaction of the first batch judged under the set.
 */
export function setRules(state: PartitionState, rules: CompiledRules): StateChange[] {
  const changes = state.engine.setRules(rules.rules);
  if (state.rulesVersion !== undefined) {
    // What a restore under other limits forgot belongs to the boundary as well. The first call after a
    // restore is none: it only puts the changelog's own set back, and what it returns is not recorded.
    const forgotten = new ChangeList();
    state.dedup.drain(forgotten);
    state.engine.drain(forgotten);
    changes.push(...forgotten.changes);
  }
  state.rulesVersion = rules.version;
  return changes;
}
