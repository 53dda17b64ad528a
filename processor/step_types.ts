/**
 * What the loop needs of the pure core: decode, validate and judge a batch, and keep the state that
 * this takes. The loop knows nothing of rules or transactions; the core knows nothing of brokers,
 * clocks or files. `core.ts` binds the real one; simulations may bind a smaller one.
 */
import type { Compression } from "../broker/packing.ts";
import type { RecordBatch } from "../broker/port.ts";
import type { StateChange } from "../rules/state_change.ts";
import type { StepOutputs } from "./step_outputs.ts";
import type { TimeRuns } from "./time_runs.ts";

export type { StateChange };

/** Limits of the state, allocated at start. */
export interface StateLimits {
  dedupIdsMax: number;
  accountsMax: number;
  /** How outputs are packed. @default {"none"} */
  compression?: Compression | undefined;
}

/** What a step is told besides the records. */
export interface StepContext {
  partition: number;
  rawTopic: string;
  /** ms; for processing_timestamp, alert_timestamp and failed_at only, never for a verdict. */
  nowMs: number;
  limits: { recordBytesMax: number };
}

/** For the audit log: an alert that was raised. */
export interface AlertInfo {
  ruleName: string;
  severity: string;
  transactionId: string;
  accountId: string;
  trace: string;
}

/** For the audit log: a record that was refused. */
export interface DeadLetterInfo {
  errorType: string;
  /** Fields that failed; `$` for the whole record. */
  fields: string[];
  trace: string;
}

/** Figures of one step. */
export interface StepCounts {
  records: number;
  accepted: number;
  alerts: number;
  deadLettered: number;
  /** Accepted records whose key is not their account_id. */
  keyMismatch: number;
  /** Dead letters by error_type. */
  errorsByType: Map<string, number>;
  /** Failures by field. */
  failuresByField: Map<string, number>;
}

/** What a step gives. */
export interface StepResult extends StepOutputs {
  counts: StepCounts;
  /** Broker times of the records judged. */
  recordTimes: TimeRuns;
  /** Broker times of the records behind the alerts. */
  alertTimes: TimeRuns;
  /** The first few, for the audit log; `counts` has all. */
  alertInfos: AlertInfo[];
  deadLetterInfos: DeadLetterInfo[];
}

/** A step under way: batches that follow each other are judged into one result. */
export interface OpenStep {
  /** Judges a batch; mutates the state. Nothing of the batch is looked at later. */
  judge(records: RecordBatch): void;
  /** Bytes of memory that the outputs take so far, the changes of the state left out. */
  readonly outputBytes: number;
  /** Ends it, with what changed in the state. Nothing of the step is called after that. */
  finish(): StepResult;
}

/** A rule set as the changelog stores it: enough to judge the same records the same way again. */
export interface RuleSetRecord {
  rulesVersion: string;
  /** JSON of a rule set document (rules/version.ts): rules, settings, engine version. */
  document: string;
}

/** A rule set that is ready to judge. */
export interface ReadyRuleSet<Compiled> {
  version: string;
  record: RuleSetRecord;
  compiled: Compiled;
}

/** The pure core as the loop sees it: plain functions over a state that only they look into. */
export interface ProcessorCore<State, Compiled> {
  createPartitionState(limits: StateLimits): State;
  /** One record of the changelog, in log order, under the prefixes `i/` and `a/`. */
  restoreState(state: State, key: Uint8Array, value: Uint8Array | null): void;
  /** After the last record of the changelog, before the first `setRules`. */
  finishRestore(state: State): void;
  /**
   * Puts a rule set in force from here on, and returns what that changes in the changelog. Right after a
   * restore the same set again keeps all state.
   */
  setRules(state: State, rules: Compiled): StateChange[];
  /**
   * Begins a step, which mutates `state` and is pure otherwise. The outputs stay as they are through the next step,
   * and are overwritten by the one after it.
   */
  openStep(state: State, context: StepContext): OpenStep;
  /**
   * Compiles a stored rule set under the settings of this process. Its version differs from the stored one
   * when the engine or a setting changed since.
   *
   * @throws {Error} when this engine no longer knows a rule type of the set.
   */
  compileStored(record: RuleSetRecord): ReadyRuleSet<Compiled>;
}
