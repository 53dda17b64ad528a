import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { ruleSetText } from "../rules/version.ts";
import { ChangelogView } from "./changelog_view.ts";
import { TEST_RULES, TEST_SETTINGS, TEST_VERSIONS } from "./testing_rules.ts";

const encoder = new TextEncoder();

function taken(records: readonly [key: string, value: unknown][]): ChangelogView {
  const view = new ChangelogView();
  for (const [key, value] of records) {
    view.take(encoder.encode(key), value === null ? null : encoder.encode(JSON.stringify(value)));
  }
  return view;
}

const gap = (next: string, kind: string, accepted_at: string) => ({
  kind,
  from: "2",
  to: next,
  next,
  reason: "by hand",
  accepted_at,
});

Deno.test("ChangelogView keeps the last value of each key, in the order of offsets", () => {
  const view = taken([
    ["p", { next: "5", cluster_id: "c", topic_id: "t" }],
    ["b/0000000000000009", { offset: "9", rules_version: "b" }],
    ["b/0000000000000000", { offset: "0", rules_version: "a" }],
    ["b/0000000000000004", { offset: "4", rules_version: "x" }],
    ["b/0000000000000004", null],
    ["i/00", "state of the core is never looked at"],
    ["p", { next: "7", cluster_id: "c", topic_id: "t" }],
  ]);
  assertEquals(view.position, { next: 7, clusterId: "c", topicId: "t" });
  assertEquals(view.boundaries, [{ offset: 0, version: "a" }, { offset: 9, version: "b" }]);
  assertEquals(view.ruleSet("a"), undefined);
});

Deno.test("ChangelogView says whether a rule set is what its version claims", () => {
  const [version] = TEST_VERSIONS;
  const rule_set = JSON.parse(ruleSetText(TEST_RULES[0]!, TEST_SETTINGS));
  assertEquals(taken([[`r/${version}`, { rule_set }]]).ruleSet(version!)!.problem, undefined);
  rule_set.rules[0].severity = "low";
  const changed = taken([[`r/${version}`, { rule_set }]]).ruleSet(version!)!;
  assertStringIncludes(changed.problem!, "it was changed");
});

Deno.test("gaps accepted before the raw topic was made anew are of another log", () => {
  const early = gap("3", "expired", "2026-01-10T10:00:00Z");
  assertEquals(taken([["m/gap/3", early]]).renewedAtMs, 0);
  assertEquals(taken([["m/gap/3", early]]).gapsOfThisLog.length, 1);
  const view = taken([
    ["m/gap/3", early],
    ["m/gap/0", gap("0", "identity", "2026-01-10T11:00:00Z")],
    ["m/gap/6", gap("6", "truncated", "2026-01-10T12:00:00Z")],
  ]);
  assertEquals(view.renewedAtMs, Date.UTC(2026, 0, 10, 11));
  assertEquals(view.gaps.map(({ next }) => next), [0, 3, 6]);
  assertEquals(view.gapsOfThisLog.map(({ next }) => next), [0, 6]);
});

Deno.test("ChangelogView refuses offsets that are none", () => {
  for (const next of [5, "-1", "x", undefined]) {
    assertThrows(() => taken([["p", { next }]]), Error, 'Cannot read changelog key "p"');
  }
});
