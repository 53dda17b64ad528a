/**
 * The whole verdict by the plainest means: what a raw record leads to, given all before it in its
 * partition. The plain validation, a plain set of ids, the naive rules. Tests hold the step to it; the
 * audit has a judge of its own (audit/partition_judge.ts), which shares no code with this folder.
 */
import type { DeadLetterType } from "../contracts/dead_letter.ts";
import { printUuid } from "../contracts/ids.ts";
import {
  MERCHANT_CATEGORIES,
  TRANSACTION_STATUSES,
  TRANSACTION_TYPES,
} from "../contracts/transaction.ts";
import { accountOf, emptyFacts, unpackLetters } from "../rules/values/facts.ts";
import { NaiveJudge } from "../rules/naive.ts";
import type { RuleDefinition } from "../rules/rule_type.ts";
import { emptyAccepted } from "./accepted.ts";
import { type RawValue, validatePlain } from "./validate.ts";

/** What a raw record leads to. */
export type Verdict =
  | { accepted: true; transactionId: string; timestampUs: number; fired: string[] }
  | { accepted: false; errorType: DeadLetterType; fields: string[] };

/** Limits that decide verdicts: part of rules_version. */
export interface JudgeLimits {
  dedupIdsMax: number;
  accountsMax: number;
  recordBytesMax: number;
}

/** Judges the raw records of one partition in offset order. */
export class PartitionJudge {
  readonly #rules: NaiveJudge;
  readonly #accepted = emptyAccepted();
  /** In order of acceptance. */
  readonly #ids = new Set<string>();

  #limits: JudgeLimits;

  constructor(limits: JudgeLimits) {
    this.#limits = limits;
    this.#rules = new NaiveJudge({ accountsMax: limits.accountsMax });
  }

  /** Other limits from the next record on. What a smaller one had forgotten stays forgotten. */
  setLimits(limits: JudgeLimits): void {
    this.#limits = limits;
    this.#rules.setAccountsMax(limits.accountsMax);
    this.#forget();
  }

  #forget(): void {
    for (const id of this.#ids) {
      if (this.#ids.size <= this.#limits.dedupIdsMax) return;
      this.#ids.delete(id);
    }
  }

  /** Puts a rule set in force from the next record on. */
  setRules(rules: readonly RuleDefinition[]): void {
    this.#rules.setRules(rules);
  }

  /** Judges the record at `offset`. */
  judge(raw: RawValue, offset: number): Verdict {
    const accepted = this.#accepted;
    const rejection = validatePlain(raw, this.#limits.recordBytesMax, accepted);
    if (rejection !== undefined) {
      const fields = rejection.errors.map(({ field }) => field);
      return { accepted: false, errorType: rejection.errorType, fields };
    }
    const transactionId = printUuid(accepted.id0, accepted.id1, accepted.id2, accepted.id3);
    if (this.#ids.has(transactionId)) {
      return { accepted: false, errorType: "duplicate", fields: ["transaction_id"] };
    }
    this.#ids.add(transactionId);
    this.#forget();
    const { timestampUs } = accepted;
    const fired = this.#rules.judge({
      offset,
      timestampUs,
      accountId: accountOf({ ...emptyFacts(), ...accepted }),
      amountUnits: BigInt(accepted.amountUnits),
      currency: unpackLetters(accepted.currency, 3),
      country: unpackLetters(accepted.country, 2),
      category: MERCHANT_CATEGORIES[accepted.category]!,
      transactionType: TRANSACTION_TYPES[accepted.transactionType]!,
      status: TRANSACTION_STATUSES[accepted.status]!,
    });
    return { accepted: true, transactionId, timestampUs, fired };
  }
}
