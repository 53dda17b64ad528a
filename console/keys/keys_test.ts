import { assertEquals } from "@std/assert";
import { alertItem, logItem, seenState, withActions, withFacts } from "../testing.ts";
import { reduce, type State } from "../store/state.ts";
import { screenList } from "../rows/screen.ts";
import type { Effect } from "./commands.ts";
import { completeText, completions } from "./command_line.ts";
import { dispatchKey } from "./dispatch.ts";
import { keyName, keyNames } from "./key_name.ts";
import { KEYS, offeredKeys } from "./key_table.ts";
import { nextRate } from "./steer_keys.ts";

/** Presses keys; returns the state after them and the effects that were asked for. */
function press(state: State, ...keys: string[]): { state: State; effects: Effect[] } {
  const effects: Effect[] = [];
  let now = state;
  for (const key of keys) {
    for (const command of dispatchKey(now, key)) {
      if ("ui" in command) now = reduce(now, { type: "ui", action: command.ui });
      else effects.push(command.effect);
    }
  }
  return { state: now, effects };
}

const typed = (text: string): string[] => [...text].map((char) => char === " " ? "space" : char);

function withAlerts(count: number): State {
  const items = Array.from({ length: count }, (_, seq) => alertItem(seq));
  const state = withFacts(seenState(), [{ type: "alerts", items, skipped: 0 }]);
  return withActions(state, [{ type: "screen", screen: "alerts" }]);
}

Deno.test("keyName() names keys as the table has them", () => {
  assertEquals(keyName("", { upArrow: true }), "up");
  assertEquals(keyName("c", { ctrl: true }), "ctrl+c");
  assertEquals(keyName("", { tab: true, shift: true }), "shift+tab");
  assertEquals([keyName(" ", {}), keyName("G", { shift: true })], ["space", "G"]);
});

Deno.test("keyNames() takes apart what came at once", () => {
  assertEquals(keyNames("a b\r", {}), ["a", "space", "b", "enter"]);
  assertEquals(keyNames("\x7f2", {}), ["backspace", "2"]);
  assertEquals(keyNames("", { upArrow: true }), ["up"]);
  assertEquals(keyNames(":", { meta: true }), ["esc", ":"]);
});

Deno.test("pasted text goes into a line that is typed, and nowhere else", () => {
  assertEquals(press(seenState(), "q\nP+").effects, []);
  const { state, effects } = press(seenState(), ":", "rate 5\nq");
  assertEquals([state.ui.input?.text, effects], ["rate 5 q", []]);
});

Deno.test("Esc never quits, q and Ctrl-C do", () => {
  const open = withActions(seenState(), [{
    type: "overlay",
    overlay: { kind: "help", scroll: 0 },
  }]);
  for (const state of [seenState(), open, withAlerts(3)]) {
    assertEquals(press(state, "esc", "esc", "esc").effects, []);
    assertEquals(press(state, "ctrl+c").effects, [{ kind: "quit" }]);
  }
  assertEquals(press(seenState(), "q").effects, [{ kind: "quit" }]);
});

Deno.test("every key is in the help with a word, and no two do different things in one place", () => {
  const seen = new Map<string, string>();
  for (const screen of ["alerts", "rules", "streams", "tables", "logs", "overview"] as const) {
    const state = withActions(seenState(), [{ type: "screen", screen }]);
    for (const binding of offeredKeys(state)) {
      assertEquals(binding.label === "", false, binding.keys.join());
      for (const key of binding.keys) {
        const place = `${screen} ${key}`;
        assertEquals(seen.get(place), undefined, place);
        seen.set(place, binding.label);
      }
    }
  }
});

Deno.test("read-only hides steering keys and refuses them", () => {
  const state = seenState({ settings: { readOnly: "asked for" } });
  assertEquals(offeredKeys(state).filter(({ steers }) => steers), []);
  for (const { keys, screens } of KEYS.filter(({ steers }) => steers)) {
    const there = withActions(state, [{ type: "screen", screen: screens?.[0] ?? "overview" }]);
    const after = press(there, keys[0]!);
    assertEquals(after.effects, [], keys[0]);
    assertEquals(after.state.ui.overlay, undefined, keys[0]);
  }
  const told = press(state, "+").state.ui.toast!.text;
  assertEquals(told, "read-only (asked for): rate (R types it) is refused");
  assertEquals(press(state, ":", ...typed("rate 5"), "enter").effects, []);
});

Deno.test("rates go in 1-2-5 steps", () => {
  const up = [0.1, 1, 3, 10, 50, 1_000_000].map((rate) => nextRate(rate, 1));
  assertEquals(up, [0.2, 2, 5, 20, 100, 1_000_000]);
  const down = [0.1, 1, 3, 10, 50, 100].map((rate) => nextRate(rate, -1));
  assertEquals(down, [0.1, 0.5, 2, 5, 20, 50]);
});

Deno.test("keys of the generator ask for an edit of its file", () => {
  assertEquals(press(seenState(), "+").effects, [{ kind: "rate", rate: 20 }]);
  assertEquals(press(seenState(), "-").effects, [{ kind: "rate", rate: 5 }]);
  assertEquals(press(seenState(), "P").effects, [{ kind: "pause_generator", paused: true }]);
  assertEquals(press(seenState(), "R", ...typed("250"), "enter").effects, [{
    kind: "rate",
    rate: 250,
  }]);
});

Deno.test("a rate that is none stays in the line with the expectation", () => {
  const { state, effects } = press(seenState(), "R", ...typed("-3"), "enter");
  assertEquals(effects, []);
  assertEquals(state.ui.input?.error, "expected a number above 0 up to 1000000, or max");
});

Deno.test("a filter works while it is typed, Enter keeps it, Esc drops it", () => {
  const { state } = press(withAlerts(3), "/", ...typed("nope"));
  assertEquals(screenList(state).rows.length, 0);
  assertEquals(screenList(press(state, "esc").state).rows.length, 3);
  const kept = press(state, "enter").state;
  assertEquals([kept.ui.input, kept.ui.lists.alerts.filter], [undefined, "nope"]);
  assertEquals(screenList(press(kept, "esc").state).rows.length, 3);
});

Deno.test("the cursor moves by rows, pages and ends", () => {
  const at = (...keys: string[]) => {
    const { state } = press(withAlerts(100), ...keys);
    return state.ui.lists.alerts.cursor;
  };
  assertEquals(at("j", "j"), "a0/97");
  assertEquals(at("j", "k"), undefined);
  assertEquals(at("G"), "a0/0");
  assertEquals(at("pagedown"), "a0/69");
  assertEquals(at("G", "g"), undefined);
});

Deno.test("Space on a rule shows a diff that keeps comments; y writes it", () => {
  const rules = withActions(seenState(), [{ type: "screen", screen: "rules" }]);
  const { state } = press(rules, "space");
  const overlay = state.ui.overlay!;
  if (overlay.kind !== "diff") throw new Error(overlay.kind);
  assertEquals(overlay.diff.filter((line) => !line.startsWith("  ")), [
    "-     enabled: true",
    "+     enabled: false",
  ]);
  const [effect] = press(state, "y").effects;
  assertEquals(effect?.kind === "write" && effect.edit.after.includes("# strictly above"), true);
  assertEquals(press(state, "n").effects, []);
  assertEquals(press(state, "esc").effects, []);
});

Deno.test("the form says what the processor would say, and shows no diff then", () => {
  const rules = withActions(seenState(), [{ type: "screen", screen: "rules" }]);
  const clear = Array(5).fill("backspace");
  const { state } = press(rules, "enter", ...clear, ...typed("many"), "enter");
  const overlay = state.ui.overlay!;
  if (overlay.kind !== "form") throw new Error(overlay.kind);
  assertEquals(overlay.form.errors.length, 1);
  assertEquals(overlay.form.errors[0]!.includes("rules[0].parameters.amount"), true);
  const good = press(state, ...Array(4).fill("backspace"), ...typed("500"), "enter").state;
  assertEquals(good.ui.overlay?.kind, "diff");
});

Deno.test("a verb runs only after its target was typed", () => {
  const begun = press(seenState(), ":", ...typed("restart sink"), "enter").state;
  assertEquals(begun.ui.overlay?.kind, "confirm");
  assertEquals(press(begun, ...typed("sin"), "enter").effects, []);
  assertEquals(press(begun, ...typed("sink"), "enter").effects, [
    { kind: "verb", words: ["restart", "sink"] },
  ]);
});

Deno.test("table care begins with a dry run, and asks for the table's name then", () => {
  const table = {
    name: "alerts",
    location: "/w",
    snapshotId: null,
    rows: 0,
    files: 0,
    bytes: 0,
    snapshots: 0,
    tags: 0,
    schemaColumns: 0,
    commits: [],
    consumed: [],
  };
  const seen = seenState({ settings: { verbs: new Set(["compact"]) } });
  const known = withFacts(seen, [{ type: "tables", atMs: 0, tables: [table] }]);
  const tables = withActions(known, [{ type: "screen", screen: "tables" }]);
  for (const key of ["c", "X"]) {
    const [effect] = press(tables, key).effects;
    if (effect?.kind !== "dry_run") throw new Error(effect?.kind);
    assertEquals(effect.words, ["compact", "--table", "alerts", "--dry-run"]);
    assertEquals(effect.offer.words, ["compact", "--table", "alerts"]);
    assertEquals(effect.offer.name, "alerts");
  }
});

Deno.test("c on the logs goes through the components, and back to all", () => {
  const items = ["sink", "kafka"].map((component, seq) => logItem(seq, { component }));
  const seen = withFacts(seenState(), [{ type: "logs", items }]);
  const logs = withActions(seen, [{ type: "screen", screen: "logs" }]);
  const shown = (...keys: string[]) =>
    screenList(press(logs, ...keys).state).rows.map(({ cells }) => cells.component!.text).join();
  assertEquals([shown(), shown("c"), shown("c", "c"), shown("c", "c", "c")], [
    "kafka,sink",
    "kafka",
    "sink",
    "kafka,sink",
  ]);
});

Deno.test("verbs that do not exist are not offered", () => {
  const tables = withActions(seenState(), [{ type: "screen", screen: "tables" }]);
  assertEquals(offeredKeys(tables).some(({ label }) => label === "compact, expire"), false);
  const state = seenState({ settings: { verbs: new Set(["compact"]) } });
  const there = withActions(state, [{ type: "screen", screen: "tables" }]);
  assertEquals(offeredKeys(there).some(({ label }) => label === "compact, expire"), true);
  assertEquals(completions(state, "pu"), []);
});

Deno.test("commands complete, filter and complain", () => {
  const state = seenState();
  assertEquals(completeText(state, "ra"), "rate ");
  assertEquals(completeText(state, "r"), "r");
  assertEquals(completeText(state, "re"), "res");
  assertEquals(completions(state, "re"), ["resume", "restart"]);
  assertEquals(completeText(state, "restart si"), "restart sink");
  const alerts = press(state, ":", ...typed("alerts severity=high"), "enter").state;
  assertEquals([alerts.ui.screen, alerts.ui.lists.alerts.filter], ["alerts", "severity=high"]);
  const wrong = press(state, ":", ...typed("rate fast"), "enter").state;
  assertEquals(wrong.ui.input?.error, "usage: :rate <per second>|max");
});

Deno.test("x and y of an open detail are about that row, whatever came since", () => {
  const opened = press(withAlerts(3), "enter").state;
  const item = alertItem(9, {});
  const later = withFacts(opened, [{
    type: "alerts",
    items: [{
      ...item,
      alert: { ...item.alert, transaction: { ...item.alert.transaction, account_id: "ACC9" } },
    }],
    skipped: 0,
  }]);
  assertEquals(press(later, "x").effects, [{ kind: "history", accountId: "ACC1" }]);
});
