/** The shape of a rule type: what a new file in `types/` has to offer (docs/adding-a-rule.md). */
import type { z } from "zod";
import type { Severity } from "../contracts/alert.ts";
import type { Facts } from "./values/facts.ts";

/** Most cells of state that one account has in one rule (design section 4). */
export const CELLS_PER_ACCOUNT_MAX = 16;

/**
 * The state of one stateful rule: for each account at most {@linkcode CELLS_PER_ACCOUNT_MAX} cells,
 * each `cellWords` safe integers under an integer key (a bucket of time, say). The least recently
 * touched cell, and beyond `accountsMax` the least recently touched account, goes first; both orders
 * are by offset, so that they are a function of the log.
 */
export interface Cells {
  /** All cells side by side. Replaced as the store grows: read it after `touch`. */
  readonly words: Float64Array;
  /** Base in `words` of the account's cell under `key`, zeroed where it is new. Marks it changed. */
  touch(facts: Facts, key: number): number;
  /** Base of the cell under `key` of the account touched last, or -1. */
  find(key: number): number;
}

/** What an explanation may look up. */
export interface ExplainContext {
  accountId: string;
  /** Id by {@linkcode Facts.sequence}; undefined where it is no longer remembered. */
  transactionIdOf(sequence: number): string | undefined;
}

/** Why a rule fired: goes into the alert. */
export interface Explanation {
  /** A sentence that a fraud analyst understands, with the numbers that made the rule fire. */
  description: string;
  evidence: Record<string, unknown>;
}

/** A rule with its parameters worked in. */
export interface RuleLogic {
  /** Words in one cell; 0 for a rule without state. */
  readonly cellWords: number;
  /**
   * Takes the transaction into the state and says whether the rule fires on it. Called once for each
   * accepted transaction in offset order, for disabled rules too. `cells` is undefined only where
   * `cellWords` is 0. Allocates nothing.
   */
  judge(facts: Facts, cells: Cells | undefined): boolean;
  /** Says why. Called right after a `judge` that was true, with the same facts. */
  explain(facts: Facts, context: ExplainContext): Explanation;
}

/** A kind of rule: registered once in `registry.ts` under its `rule_type`. */
export interface RuleType<P = unknown> {
  /** Name in the rule file. */
  readonly ruleType: string;
  /** Checks and completes `parameters`; what comes out is plain JSON. */
  readonly parameters: z.ZodType<P>;
  /**
   * Works the parameters in. `laidOut` are the parameters under which the state in force was
   * started: equal to `parameters`, or older ones that `keepsState` let live on.
   */
  compile(parameters: P, laidOut: P): RuleLogic;
  /** Whether state gathered under `previous` means the same under `next`. Absent: it never does. */
  keepsState?(previous: P, next: P): boolean;
}

/** One rule of the rule file, checked, its defaults filled in. */
export interface RuleDefinition {
  rule_name: string;
  rule_type: string;
  severity: Severity;
  enabled: boolean;
  description: string;
  parameters: unknown;
}
