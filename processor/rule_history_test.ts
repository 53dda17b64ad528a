import { assertEquals, assertThrows } from "@std/assert";
import { createLoopRecords } from "./changelog.ts";
import { BOUNDARIES_MAX, RULE_SETS_MAX, RuleHistory } from "./rule_history.ts";

const set = (rulesVersion: string) => ({ rulesVersion, document: "{}" });
const at = (offset: number, rulesVersion: string) => ({ offset, rulesVersion, appliedAt: "" });
const keys = (changes: { key: Uint8Array; value: Uint8Array | null }[]) =>
  changes.map(({ key, value }) => `${value === null ? "-" : "+"}${new TextDecoder().decode(key)}`);

function historyOf(...offsets: number[]): RuleHistory {
  const history = new RuleHistory(createLoopRecords());
  for (const offset of offsets) history.change(at(offset, `v${offset}`), set(`v${offset}`));
  return history;
}

Deno.test("rule history: the newest boundary's set is in force", () => {
  assertEquals(historyOf().inForce, undefined);
  assertEquals(historyOf(0, 10, 20).inForce, set("v20"));
});

Deno.test("rule history: a change records boundary and set; another at the same offset replaces it", () => {
  const history = historyOf(0);
  assertEquals(keys(history.change(at(5, "x"), set("x"))), ["+b/0000000000000005", "+r/x"]);
  history.change(at(5, "y"), set("y"));
  assertEquals(history.boundaries.map(({ rulesVersion }) => rulesVersion), ["v0", "y"]);
  assertThrows(() => history.change(at(4, "z"), set("z")), RangeError, "there is one at 5");
});

Deno.test("rule history: pruning keeps the boundary in force at the log's start", () => {
  // log start | boundaries dropped | first that stays
  const table: [number, string[], number][] = [
    [0, [], 0],
    [9, [], 0],
    [10, ["-b/0000000000000000"], 10],
    [19, ["-b/0000000000000000"], 10],
    [25, ["-b/0000000000000000", "-b/0000000000000010"], 20],
    [99, ["-b/0000000000000000", "-b/0000000000000010"], 20],
  ];
  for (const [logStart, dropped, first] of table) {
    const history = historyOf(0, 10, 20);
    assertEquals(keys(history.prune(logStart)), dropped, `log start ${logStart}`);
    assertEquals(history.boundaries[0]?.offset, first);
    assertEquals(history.prune(logStart), []);
  }
});

Deno.test("rule history: the last sets stay, and boundaries have a limit of their own", () => {
  const history = new RuleHistory(createLoopRecords());
  let dropped: string[] = [];
  for (let i = 0; i <= RULE_SETS_MAX + 1; i++) {
    dropped = dropped.concat(
      keys(history.change(at(i, `v${i}`), set(`v${i}`))).filter((key) => key.startsWith("-")),
    );
  }
  assertEquals(dropped, ["-r/v0", "-r/v1"]);
  const many = historyOf(...Array.from({ length: BOUNDARIES_MAX + 3 }, (_, i) => i));
  assertEquals(many.prune(0).length, 3);
  assertEquals(many.boundaries.length, BOUNDARIES_MAX);
});

Deno.test("rule history: a restored one sorts boundaries and keeps the order of sets", () => {
  const records = createLoopRecords();
  records.boundaries.set(20, at(20, "b")).set(3, at(3, "a"));
  records.ruleSets.set("b", set("b")).set("a", set("a"));
  assertEquals(new RuleHistory(records).inForce, set("b"));
});
