/** Verdicts over a sequence of records, and which of them are sure where the log has lost its beginning. */
import { assertEquals } from "@std/assert";
import { RuleFile } from "../rules/rule_file.ts";
import type { RuleDefinition } from "../rules/rule_type.ts";
import type { StoredRuleSet } from "./changelog_view.ts";
import { KIND_TRANSACTION, kindOf, PartitionJudge } from "./partition_judge.ts";
import { TEST_TRANSACTION } from "./testing_transaction.ts";

const BEGIN_MS = Date.UTC(2026, 0, 10, 12);
const encoder = new TextEncoder();

function ruleSet(amount: number, idsMax = 100): StoredRuleSet {
  const { rules } = RuleFile.parse({
    rules: [
      { rule_name: "high", rule_type: "threshold", severity: "high", parameters: { amount } },
      {
        rule_name: "rapid",
        rule_type: "velocity",
        severity: "medium",
        parameters: { at_least: 3, window_seconds: 60 },
      },
    ],
  });
  const settings = {
    dedup_ids_max: idsMax,
    accounts_max: 10,
    record_bytes_max: 4096,
    time_zone_data: "2025b",
  };
  return {
    version: "0".repeat(12),
    rules: rules as RuleDefinition[],
    settings,
    problem: undefined,
  };
}

/** One record a second of Kafka's time; `id` is its number by default. */
function judgeAll(
  judge: PartitionJudge,
  records: readonly { id?: number; amount?: number; second?: number; called?: boolean }[],
): string[] {
  return records.map(({ id, amount = 5, second, called = false }, offset) => {
    const value = {
      ...TEST_TRANSACTION,
      transaction_id: `00000000-0000-4000-8000-${String(id ?? offset).padStart(12, "0")}`,
      timestamp: new Date(BEGIN_MS + (second ?? offset) * 1000).toISOString(),
      amount,
    };
    const { kind, sure, rules } = judge.judge({
      offset,
      bytes: encoder.encode(JSON.stringify(value)),
      timestampMs: BEGIN_MS + (second ?? offset) * 1000,
      calledDuplicate: called,
    });
    const name = kind === KIND_TRANSACTION
      ? "fine"
      : kind === kindOf("duplicate")
      ? "duplicate"
      : "unknown";
    const fired = rules.map(({ rule, fired, sure }) =>
      `${fired ? "" : "not "}${rule}${sure ? "" : "?"}`
    );
    return [`${name}${sure ? "" : "?"}`, ...fired].join(" ");
  });
}

Deno.test("a whole log: every verdict is sure", () => {
  const judge = new PartitionJudge(false);
  judge.setRules(ruleSet(100));
  assertEquals(judgeAll(judge, [{}, { id: 0 }, { amount: 500 }, {}, { second: 500 }]), [
    "fine",
    "duplicate",
    "fine high",
    "fine rapid",
    "fine",
  ]);
});

Deno.test("an id beyond the horizon is accepted again", () => {
  const judge = new PartitionJudge(false);
  judge.setRules(ruleSet(100, 2));
  const ids = [1, 2, 3, 1, 3].map((id, n) => ({ id, second: n * 100 }));
  assertEquals(judgeAll(judge, ids), ["fine", "fine", "fine", "fine", "duplicate"]);
});

Deno.test("a log without its beginning: what can hang on it is not sure", () => {
  const judge = new PartitionJudge(true);
  judge.setRules(ruleSet(100));
  assertEquals(
    judgeAll(judge, [{}, { called: true }, { id: 0 }, { amount: 500 }, {}, { second: 4000 }]),
    [
      "fine not rapid?",
      "duplicate?", // the processor's word counts where nobody can tell
      "duplicate",
      "fine high not rapid?",
      "fine rapid", // more transactions can only add to the count
      "fine",
    ],
  );
});

Deno.test("under a set that is not known nothing can be told, and afterwards only what hangs on nothing", () => {
  const judge = new PartitionJudge(false);
  judge.setRules(undefined);
  assertEquals(judgeAll(judge, [{}, {}]), ["unknown?", "unknown?"]);
  judge.setRules(ruleSet(100));
  assertEquals(judgeAll(judge, [{ amount: 500 }, { called: true }]), [
    "fine high not rapid?",
    "duplicate?",
  ]);
});

Deno.test("behind a gap the judge begins anew", () => {
  const judge = new PartitionJudge(false);
  judge.setRules(ruleSet(100));
  judgeAll(judge, [{}, {}]);
  judge.restart(false);
  assertEquals(judgeAll(judge, [{}, {}]), ["fine", "fine"]);
});
