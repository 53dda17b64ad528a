/**
 * Topics against the raw log, on a scenario made by hand: each kind of damage is found, and nothing else is. Needs
 * the disk for DuckDB's scratch file only.
 */
import { assertEquals } from "@std/assert";
import type { AuditReport } from "./report.ts";
import {
  auditScenario,
  type TestRecord,
  type TestScenario,
  testScenario,
  testTransaction,
} from "./testing.ts";
import { TEST_VERSIONS } from "./testing_rules.ts";

/** Kinds of offences with the raw offsets of the offenders. */
function found(report: AuditReport): Record<string, (number | undefined)[]> {
  return Object.fromEntries(report.findings.map(({ kind, offenders }) => [
    kind,
    offenders.map(({ trace }) => trace === undefined ? undefined : Number(trace.split("/")[2])),
  ]));
}

Deno.test("a scenario that is right is clean, every value compared", async () => {
  const report = await auditScenario(testScenario(), { audit: { full: true } });
  assertEquals(report.findings, []);
  assertEquals(report.clean, true);
  const { raw, unjudged, unstored, missing } = report.total;
  assertEquals({ raw, unjudged, unstored, missing }, {
    raw: 6,
    unjudged: 0,
    unstored: 6, // there are no tables
    missing: 0,
  });
});

const DAMAGES: readonly {
  name: string;
  damage: (scenario: TestScenario) => void;
  found: Record<string, (number | undefined)[]>;
  full?: boolean;
}[] = [
  {
    name: "a transaction that was left out",
    damage: ({ transactions }) => transactions.splice(0, 1),
    found: { missing: [0] },
  },
  {
    name: "a dead letter that was left out",
    damage: ({ deadLetters }) => deadLetters.splice(1, 1),
    found: { missing: [4] },
  },
  {
    name: "a transaction twice",
    damage: ({ transactions }) => transactions.splice(1, 0, transactions[0]!),
    found: { doubled: [0] },
  },
  {
    name: "an alert twice",
    damage: ({ alerts }) => alerts.push(alerts[0]!),
    found: { "alert doubled": [1] },
  },
  {
    name: "an alert that was left out",
    damage: ({ alerts }) => alerts.splice(1, 1),
    found: { "alert missing": [2] },
  },
  {
    name: "an alert that had no reason",
    damage: ({ alerts }) => alerts.push({ ...alerts[0]!, offset: 0 }),
    found: { "alert without reason": [0] },
  },
  {
    name: "another severity",
    damage: ({ alerts }) => alerts[2]!.value.severity = "high",
    found: { "alert differs": [5] },
  },
  {
    name: "an alert of the rule set before",
    damage: ({ alerts }) => alerts[2]!.value.rules_version = TEST_VERSIONS[0],
    found: { "alert differs": [5] },
  },
  {
    name: "an alert_id that is not derived",
    damage: ({ alerts }) => alerts[0]!.value.alert_id = alerts[1]!.value.alert_id,
    found: { "alert differs": [1] },
  },
  {
    name: "a flag that is missing",
    damage: ({ transactions }) => transactions[1]!.value.is_flagged = false,
    found: { "wrong is_flagged": [1] },
  },
  {
    name: "a flag that is no boolean",
    damage: ({ transactions }) => transactions[0]!.value.is_flagged = "false",
    found: { "wrong is_flagged": [0] },
  },
  {
    name: "a transaction of another rule set",
    damage: ({ transactions }) => transactions[0]!.value.rules_version = TEST_VERSIONS[1],
    found: { "wrong rules_version": [0] },
  },
  {
    name: "a valid record among the dead letters",
    damage: ({ transactions, deadLetters }) => {
      transactions.splice(0, 1);
      deadLetters.unshift({
        offset: 0,
        value: {
          ...deadLetters[0]!.value,
          source: { topic: "raw-transactions", partition: 0, offset: "0" },
        },
      });
    },
    found: { "wrong verdict": [0] },
  },
  {
    name: "another error_type",
    damage: ({ deadLetters }) => deadLetters[1]!.value.error_type = "schema",
    found: { "wrong verdict": [4] },
  },
  {
    name: "a transaction_id of another record",
    damage: ({ transactions }) =>
      transactions[0]!.value.transaction_id = transactions[1]!.value.transaction_id,
    found: { "wrong values": [0] },
  },
  {
    name: "an amount that changed on the way",
    damage: ({ transactions }) => transactions[0]!.value.amount = 6,
    found: { "wrong values": [0] },
    full: true,
  },
  {
    name: "a trace that names no raw record",
    damage: ({ transactions }) => transactions.push({ ...transactions[0]!, trace: "nonsense" }),
    found: { stray: [undefined] },
  },
  {
    name: "a record beyond the processor's position",
    damage: ({ alerts }) => alerts.push({ ...alerts[0]!, offset: 6 }),
    found: { stray: [6] },
  },
  {
    name: "a dead letter whose source is not its trace",
    damage: ({ deadLetters }) =>
      deadLetters[0]!.value.source = { topic: "raw-transactions", partition: 0, offset: "2" },
    found: { missing: [3], stray: [undefined] },
  },
];

for (const { name, damage, found: expected, full = false } of DAMAGES) {
  Deno.test(`${name} is found, and nothing else`, async () => {
    const scenario = testScenario();
    damage(scenario);
    const report = await auditScenario(scenario, { audit: { full } });
    assertEquals(found(report), expected);
    assertEquals(report.clean, false);
  });
}

Deno.test("what the position has not reached is in flight, whatever is in the outputs beyond it", async () => {
  const scenario = testScenario();
  scenario.changelog.set("p", { next: "5" });
  scenario.transactions.pop();
  scenario.alerts.pop();
  const report = await auditScenario(scenario);
  assertEquals(report.findings, []);
  assertEquals(report.total.unjudged, 1);
});

Deno.test("a position behind the log's end is said, with what is gone", async () => {
  const scenario = testScenario();
  scenario.changelog.set("p", { next: "9" });
  assertEquals(Object.keys(found(await auditScenario(scenario))), ["position outside of the log"]);
});

Deno.test("a rule set that was changed after it was stored is said; verdicts under it are unverifiable", async () => {
  const scenario = testScenario();
  const set = structuredClone(scenario.changelog.get(`r/${TEST_VERSIONS[1]}`)!);
  (set.rule_set as { rules: { severity: string }[] }).rules[0]!.severity = "low";
  scenario.changelog.set(`r/${TEST_VERSIONS[1]}`, set);
  const report = await auditScenario(scenario);
  assertEquals(found(report), { unverifiable: [5], "rule set": [undefined] });
});

Deno.test("verdicts that hang on what has expired are unverifiable, not wrong", async () => {
  const report = await auditScenario(testScenario(), {
    change: (broker) => broker.deleteBefore("raw-transactions", 0, 2),
  });
  // 2: the other two of its burst are gone; 4: the first of its id is gone.
  assertEquals(found(report), { unverifiable: [2, 4] });
  assertEquals(report.clean, true);
  assertEquals(report.total.raw, 4);
});

Deno.test("where nothing of before can have taken part, a wrong alert is wrong", async () => {
  const scenario = testScenario();
  // An hour after the records before it, and after the broker's time of the first one that is left.
  scenario.raw.push(JSON.stringify(testTransaction(6, 5, 3600)));
  const [first] = scenario.transactions;
  const { transaction_id, timestamp } = testTransaction(6, 5, 3600);
  const value = { ...first!.value, transaction_id, timestamp, rules_version: TEST_VERSIONS[1] };
  scenario.transactions.push({ offset: 6, value: { ...value, is_flagged: true } });
  scenario.changelog.set("p", { next: "7" });
  const report = await auditScenario(scenario, {
    change: (broker) => broker.deleteBefore("raw-transactions", 0, 6),
  });
  assertEquals(Object.keys(found(report)), ["alert missing"]);
});

Deno.test("outputs that have expired are looked for in the tables", async () => {
  const report = await auditScenario(testScenario(), {
    change: (broker) => {
      broker.deleteBefore("transactions", 0, 2);
      broker.deleteBefore("alerts", 0, 1);
    },
  });
  // There are no tables: a record that is in neither is gone.
  assertEquals(found(report), { missing: [0, 1], "alert missing": [1] });
});

Deno.test("an accepted gap is listed as lost, and its records are no offence", async () => {
  const scenario = testScenario();
  scenario.transactions.splice(2, 1);
  scenario.alerts.splice(1, 1);
  scenario.changelog.set("m/gap/0000000000000003", {
    kind: "truncated",
    from: "2",
    to: "3",
    next: "3",
    reason: "by hand",
    accepted_at: "2026-01-10T14:00:00Z",
  });
  const report = await auditScenario(scenario);
  assertEquals(report.clean, true);
  assertEquals(report.total.lost, 1);
  assertEquals(report.gaps.map(({ from, to, reason }) => ({ from, to, reason })), [
    { from: 2, to: 3, reason: "by hand" },
  ]);
});

Deno.test("what came of a raw topic that was deleted is left out, not said to be doubled", async () => {
  const scenario = testScenario();
  const earlier = (record: TestRecord, field: string): TestRecord => ({
    ...record,
    value: { ...record.value, [field]: "2026-01-10T12:30:00.000000Z" },
  });
  const { transactions, deadLetters, alerts } = scenario;
  transactions.unshift(...transactions.map((one) => earlier(one, "processing_timestamp")));
  deadLetters.unshift(...deadLetters.map((one) => earlier(one, "failed_at")));
  alerts.unshift(...alerts.map((one) => earlier(one, "alert_timestamp")));
  assertEquals(found(await auditScenario(scenario)), {
    doubled: [0, 1, 2, 3, 4, 5],
    "alert doubled": [1, 2, 5],
  });
  scenario.changelog.set("m/gap/0000000000000000", {
    kind: "identity",
    from: "6",
    to: "6",
    next: "0",
    reason: "by hand",
    accepted_at: "2026-01-10T12:45:00Z",
  });
  const report = await auditScenario(scenario);
  assertEquals(report.clean, true);
  assertEquals(report.earlier, [{ partition: 0, records: 9 }]);
  assertEquals(report.gaps.length, 1);
});

Deno.test("since a time, what lies before it is not looked at", async () => {
  const scenario = testScenario();
  scenario.transactions.splice(0, 1); // missing, but before
  const later = await auditScenario(scenario, { audit: { sinceMs: Date.UTC(2026, 0, 11) } });
  assertEquals(later.findings, []);
  assertEquals(later.total.raw, 0);
  const all = await auditScenario(scenario, { audit: { sinceMs: Date.UTC(2026, 0, 1) } });
  assertEquals(Object.keys(found(all)), ["missing"]);
});
