/**
 * What each raw record of a partition had to lead to, by the plainest means: the contract, a plain set of
 * ids, the naive rules under the rule set in force at its offset (design sections 3, 4). Pure.
 *
 * Where the log does not begin at its first offset, verdicts can hang on state from before it. Those are
 * marked: the audit then counts a disagreement as unverifiable instead of wrong.
 */
import type { Severity } from "../contracts/alert.ts";
import { DEAD_LETTER_TYPES } from "../contracts/dead_letter.ts";
import { TIMESTAMP_AHEAD_MAX_US } from "../contracts/limits.ts";
import { NaiveJudge } from "../rules/naive.ts";
import type { RuleDefinition } from "../rules/rule_type.ts";
import type { VelocityParameters } from "../rules/types/velocity.ts";
import type { StoredRuleSet } from "./changelog_view.ts";
import { type JudgedTransaction, judgeValue } from "./judge_value.ts";
import { RecentIds } from "./recent_ids.ts";

/** Code of an accepted transaction. */
export const KIND_TRANSACTION = 0;
/** Code of a verdict that cannot be recomputed. */
export const KIND_UNKNOWN = -1;

/** Code of an error_type: its place in the contract's list, from 1; 0 is none of it. */
export function kindOf(errorType: unknown): number {
  return (DEAD_LETTER_TYPES as readonly unknown[]).indexOf(errorType) + 1;
}

/** What a code says. */
export function printKind(kind: number): string {
  return kind === KIND_TRANSACTION ? "a transaction" : DEAD_LETTER_TYPES[kind - 1] ?? "unknown";
}

/** A rule on a transaction: whether it had to fire. */
export interface RuleVerdict {
  rule: string;
  severity: Severity;
  fired: boolean;
  /** False where state from before the log's start could have changed it. */
  sure: boolean;
}

/** What a raw record had to lead to. */
export interface Verdict {
  /** {@linkcode KIND_TRANSACTION}, {@linkcode kindOf} of a dead letter, or {@linkcode KIND_UNKNOWN}. */
  kind: number;
  /** False where the kind hangs on ids from before the log's start. */
  sure: boolean;
  transaction: JudgedTransaction | undefined;
  /** Rules that fired, and those of which it is not sure. */
  rules: readonly RuleVerdict[];
}

/** A raw record. */
export interface RawRecord {
  offset: number;
  bytes: Uint8Array | null;
  timestampMs: number;
  /** The processor called it a duplicate: believed where nobody can tell. */
  calledDuplicate: boolean;
}

const STATELESS = ["threshold", "quiet_hours"];
const NO_RULES: readonly RuleVerdict[] = [];
const DUPLICATE = kindOf("duplicate");

/** Judges one partition in offset order. */
export class PartitionJudge {
  #set: StoredRuleSet | undefined;
  #naive = new NaiveJudge({ accountsMax: 1 });
  /** Accepted ids. */
  #ids = new RecentIds(0);
  #accepted = 0;
  /** State from before the first record is unknown. */
  #truncated: boolean;
  /** No transaction of before has an event time after this. */
  #horizonUs = -Infinity;
  #begun = false;

  /** `truncated`: something was judged before the first record that comes here. */
  constructor(truncated: boolean) {
    this.#truncated = truncated;
  }

  /** Begins anew behind an accepted gap; `truncated` as for the constructor. */
  restart(truncated: boolean): void {
    this.#truncated = truncated;
    this.#begun = false;
    this.#accepted = 0;
    this.#ids = new RecentIds(0);
    this.#naive = new NaiveJudge({ accountsMax: 1 });
    if (this.#set !== undefined) this.setRules(this.#set);
  }

  /** Puts a set in force from the next record on; undefined where the changelog no longer has it. */
  setRules(set: StoredRuleSet | undefined): void {
    this.#set = set;
    if (set === undefined || set.problem !== undefined) return;
    this.#naive.setAccountsMax(set.settings.accounts_max);
    this.#naive.setRules(set.rules);
    this.#ids.setMax(set.settings.dedup_ids_max);
  }

  /** Judges the next record. */
  judge(record: RawRecord): Verdict {
    const set = this.#set;
    if (!this.#begun) this.#begin(record);
    if (set === undefined || set.problem !== undefined) {
      this.restart(true); // everything after hangs on what this record did to the state
      return { kind: KIND_UNKNOWN, sure: false, transaction: undefined, rules: NO_RULES };
    }
    const { bytes, timestampMs } = record;
    const { record_bytes_max: recordBytesMax, dedup_ids_max } = set.settings;
    const value = judgeValue({ bytes, timestampMs, recordBytesMax });
    if (typeof value === "string") {
      return { kind: kindOf(value), sure: true, transaction: undefined, rules: NO_RULES };
    }
    const known = this.#ids.has(value.transactionId);
    const unsure = !known && this.#truncated && this.#accepted < dedup_ids_max;
    if (known || (unsure && record.calledDuplicate)) {
      return { kind: DUPLICATE, sure: known, transaction: value, rules: NO_RULES };
    }
    this.#accepted++;
    this.#ids.add(value.transactionId);
    const rules = this.#judgeRules(set, value, record.offset);
    return { kind: KIND_TRANSACTION, sure: true, transaction: value, rules };
  }

  /** Kafka's time never runs backwards in a LogAppendTime partition, and event time is at most 60 s ahead of it. */
  #begin(record: RawRecord): void {
    this.#begun = true;
    this.#horizonUs = this.#truncated
      ? record.timestampMs * 1000 + TIMESTAMP_AHEAD_MAX_US
      : -Infinity;
  }

  #judgeRules(
    { rules }: StoredRuleSet,
    value: JudgedTransaction,
    offset: number,
  ): readonly RuleVerdict[] {
    const { fields, timestampUs, accountId, amountUnits } = value;
    const fired = this.#naive.judge({
      offset,
      timestampUs,
      accountId,
      amountUnits,
      currency: fields.currency,
      country: fields.location_country,
      category: fields.merchant_category,
      transactionType: fields.transaction_type,
      status: fields.status,
    });
    const unsure = this.#truncated
      ? rules.filter((rule) => rule.enabled && !this.#isSure(rule, timestampUs, fired))
      : [];
    if (fired.length === 0 && unsure.length === 0) return NO_RULES;
    return rules.filter((rule) => fired.includes(rule.rule_name) || unsure.includes(rule))
      .map((rule) => ({
        rule: rule.rule_name,
        severity: rule.severity,
        fired: fired.includes(rule.rule_name),
        sure: !unsure.includes(rule),
      }));
  }

  /** True if no transaction of before the log's start can have taken part. */
  #isSure(rule: RuleDefinition, timestampUs: number, fired: readonly string[]): boolean {
    if (STATELESS.includes(rule.rule_type)) return true;
    if (rule.rule_type !== "velocity") return false;
    const { measure, window_seconds } = rule.parameters as VelocityParameters;
    // More transactions can only add to a count.
    if (measure === "count" && fired.includes(rule.rule_name)) return true;
    // Two windows, not one: a sum's panes reach a little further back.
    return timestampUs - 2 * window_seconds * 1_000_000 >= this.#horizonUs;
  }
}
