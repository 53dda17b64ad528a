import { assertEquals } from "@std/assert";
import {
  alertItem,
  document,
  NOW_MS,
  RULE,
  RULES_TEXT,
  seenState,
  service,
  stage,
  withActions,
  withFacts,
} from "../testing.ts";
import { FEED_ITEMS_MAX, type PendingEdit } from "./model.ts";
import { SERIES_SAMPLES_MAX } from "./series.ts";
import { EDIT_ANSWER_MS_MAX } from "./edits.ts";
import { drawnWithinMs } from "./paced.ts";
import { type Event, reduce, TOAST_MS } from "./state.ts";
import type { ScreenName } from "./ui.ts";
import type { Fact } from "./facts.ts";

const status = (atMs: number, part: Parameters<typeof document>[0] = {}): Fact => ({
  type: "status",
  atMs,
  document: document(part),
  stages: [stage("generator"), stage("processor")],
});

Deno.test("a service is down since it was first seen down, until it is back", () => {
  const down = [service("kafka", { state: "backoff", ready: false })];
  let state = withFacts(seenState(), [status(NOW_MS + 1000, { services: down })]);
  state = withFacts(state, [status(NOW_MS + 9000, { services: down })]);
  assertEquals(state.model.downSince, { kafka: NOW_MS + 1000 });
  state = withFacts(state, [status(NOW_MS + 10_000)]);
  assertEquals(state.model.downSince, {});
});

Deno.test("a running service that is not ready counts as down", () => {
  const services = [service("sink", { ready: false })];
  const state = withFacts(seenState(), [status(NOW_MS + 5, { services })]);
  assertEquals(state.model.downSince, { sink: NOW_MS + 5 });
});

Deno.test("feeds keep the newest and count what is dropped and skipped", () => {
  const items = Array.from({ length: FEED_ITEMS_MAX + 10 }, (_, seq) => alertItem(seq));
  const { alerts } = withFacts(seenState(), [{ type: "alerts", items, skipped: 5 }]).model;
  assertEquals(alerts.items.length, FEED_ITEMS_MAX);
  assertEquals(alerts.items[0]!.seq, 10);
  assertEquals([alerts.total, alerts.dropped], [FEED_ITEMS_MAX + 15, 15]);
});

Deno.test("the history keeps five minutes of samples", () => {
  const facts = Array.from({ length: 400 }, (_, second) => status(NOW_MS + second * 1000));
  const { history } = withFacts(seenState(), facts).model;
  assertEquals(history.generated.length, SERIES_SAMPLES_MAX);
  assertEquals(history.generated.at(-1), 10);
});

Deno.test("fired counts by rule, in total and by second of the last minute", () => {
  const items = [alertItem(1, {}, NOW_MS - 90_000), alertItem(2), alertItem(3)];
  const { fired } = withFacts(seenState(), [{ type: "alerts", items, skipped: 0 }]).model;
  assertEquals(fired["high-value"], {
    total: 3,
    lastMs: NOW_MS,
    seconds: [[Math.floor(NOW_MS / 1000), 2]],
  });
});

const edit: PendingEdit = {
  id: 1,
  what: "x",
  stage: "processor",
  wroteAtMs: NOW_MS,
  expect: { rulesVersionNot: "0123456789ab" },
  state: "waiting",
};

function answered(part: Parameters<typeof stage>[1], afterMs: number): PendingEdit {
  const state = withFacts(seenState(), [{ type: "edit_written", edit }, {
    type: "status",
    atMs: NOW_MS + afterMs,
    document: document(),
    stages: [stage("processor", part)],
  }]);
  return state.model.edits[0]!;
}

const version = (rules_version: string, errors: never[] = []) => ({
  config: { rules_version, applied_at: null, errors },
});

Deno.test("an edit of the rules is confirmed by another version on all partitions, and by nothing less", () => {
  const details = (...versions: string[]) => ({
    details: { rules_version_by_partition: Object.fromEntries(Object.entries(versions)) },
  });
  const rows = [
    // version of the stage, by partition, after ms, state
    ["0123456789ab", ["0123456789ab"], 1000, "waiting"],
    ["ffffffffffff", ["ffffffffffff", "0123456789ab"], 1000, "waiting"],
    ["ffffffffffff", ["ffffffffffff", "ffffffffffff"], 1000, "confirmed"],
    ["0123456789ab", ["0123456789ab"], EDIT_ANSWER_MS_MAX, "refused"],
  ] as const;
  for (const [now, partitions, afterMs, expected] of rows) {
    const found = answered({ ...version(now), ...details(...partitions) }, afterMs);
    assertEquals(found.state, expected, `${now} ${partitions} ${afterMs}`);
  }
});

Deno.test("an edit is refused in the stage's own words", () => {
  const issue = {
    file: "r.yaml",
    line: 3,
    field: "rules[0].severity",
    value: '"x"',
    expected: "one of low",
  };
  const found = answered({
    config: { rules_version: "0123456789ab", applied_at: null, errors: [issue] },
  }, 10);
  assertEquals([found.state, found.answer], [
    "refused",
    "r.yaml:3: rules[0].severity: expected one of low",
  ]);
});

Deno.test("a rate is confirmed by the generator's own figure", () => {
  const wait = { ...edit, stage: "generator" as const, expect: { rate: 20 } };
  const told = (rate: number): Fact => ({
    type: "status",
    atMs: NOW_MS + 1500,
    document: document(),
    stages: [stage("generator", { details: { rate_per_second: rate, paused: false } })],
  });
  const state = withFacts(seenState(), [{ type: "edit_written", edit: wait }, told(10)]);
  assertEquals(state.model.edits[0]!.state, "waiting");
  const done = withFacts(state, [told(20)]).model.edits[0]!;
  assertEquals([done.state, done.tookMs], ["confirmed", 1500]);
});

Deno.test("valid texts of the rule file are remembered, those with errors are not", () => {
  const file = (text: string, valid: boolean): Fact => ({
    type: "rules",
    file: { path: "r", text, value: valid ? [RULE] : undefined, issues: [] },
  });
  const state = withFacts(seenState(), [file("broken", false), file("b", true), file("c", true)]);
  assertEquals(state.model.rulesBefore, [RULES_TEXT, "b"]);
});

Deno.test("screens go round, and a change of screen closes what is open", () => {
  const state = withActions(seenState(), [
    { type: "overlay", overlay: { kind: "help", scroll: 0 } },
    { type: "screen_step", by: -1 },
  ]);
  assertEquals([state.ui.screen, state.ui.overlay], ["logs", undefined]);
  assertEquals(withActions(state, [{ type: "screen_step", by: 1 }]).ui.screen, "overview");
});

Deno.test("a message goes when its time is over", () => {
  const toast = { text: "done", tone: "ok" as const, atMs: NOW_MS };
  const state = withActions(seenState(), [{ type: "toast", toast }]);
  assertEquals(reduce(state, { type: "tick", nowMs: NOW_MS + TOAST_MS }).ui.toast, toast);
  assertEquals(reduce(state, { type: "tick", nowMs: NOW_MS + TOAST_MS + 1 }).ui.toast, undefined);
});

Deno.test("keys are drawn at once, what is looked at soon, the rest with the next second", () => {
  const alerts: Event = { type: "fact", fact: { type: "alerts", items: [], skipped: 1 } };
  const logs: Event = { type: "fact", fact: { type: "logs", items: [] } };
  const on = (screen: ScreenName) => withActions(seenState(), [{ type: "screen", screen }]);
  const table: [Event, ScreenName, number][] = [
    [{ type: "ui", action: { type: "screen", screen: "logs" } }, "overview", 0],
    [alerts, "alerts", 250],
    [alerts, "overview", 500],
    [alerts, "tables", 1000],
    [logs, "logs", 250],
    [logs, "overview", 1000],
    [{ type: "tick", nowMs: NOW_MS }, "alerts", 1000],
  ];
  for (const [event, screen, ms] of table) assertEquals(drawnWithinMs(event, on(screen)), ms);
});
