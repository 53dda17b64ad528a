import { assertEquals } from "@std/assert";
import {
  alertItem,
  deadLetterItem,
  document,
  logItem,
  NOW_MS,
  seenState,
  service,
  stage,
  withActions,
  withFacts,
} from "../testing.ts";
import { lineWidth, plainText, span } from "../text/span.ts";
import type { Row } from "../text/table.ts";
import { cursorIndex, filterRows, sortRows, windowTop } from "./list.ts";
import { messageLine, titleLine } from "./chrome.ts";
import { conservationLines } from "./conservation_lines.ts";
import { problemLines, summaryLine } from "./overview.ts";
import { bodyHeight, bodyLines, detailLines, screenList } from "./screen.ts";
import { SCREENS } from "../store/ui.ts";
import type { State } from "../store/state.ts";

const row = (id: string, size: number, text: string): Row => ({
  id,
  cells: { size: span(size), text: span(text) },
  sort: { size },
});
const ROWS = [row("a", 10, "Apple pie"), row("b", 9, "banana"), row("c", 100, "cherry pie")];
const ids = (rows: readonly Row[]): string => rows.map(({ id }) => id).join("");

Deno.test("a filter wants all of its words, in any case; ! turns it round", () => {
  const table = [["", "abc"], ["PIE", "ac"], ["pie che", "c"], ["!pie", "b"], ["zzz", ""], [
    "!",
    "abc",
  ]];
  for (const [filter, expected] of table) assertEquals(ids(filterRows(ROWS, filter!)), expected);
});

Deno.test("numbers sort by size, text by its letters, equal ones stay", () => {
  assertEquals(ids(sortRows(ROWS, { key: "size", descending: false })), "bac");
  assertEquals(ids(sortRows(ROWS, { key: "text", descending: true })), "cba");
  assertEquals(ids(sortRows(ROWS, { key: "none", descending: false })), "abc");
});

Deno.test("the window moves as little as shows the cursor", () => {
  const table = [
    // count, height, cursor, top, expected
    [100, 10, 0, 0, 0],
    [100, 10, 9, 0, 0],
    [100, 10, 10, 0, 1],
    [100, 10, 50, 60, 50],
    [100, 10, 99, 0, 90],
    [5, 10, 4, 3, 0],
  ] as const;
  for (const [count, height, cursor, top, expected] of table) {
    assertEquals(windowTop({ count, height, cursor, top }), expected);
  }
});

Deno.test("the cursor stays on its row while others come and go", () => {
  const list = { cursor: "b", top: 0, filter: "", sort: { key: "size", descending: false } };
  assertEquals(cursorIndex(ROWS, list), 1);
  assertEquals(cursorIndex([row("n", 1, "new"), ...ROWS], list), 2);
  assertEquals(cursorIndex(ROWS.filter(({ id }) => id !== "b"), list), 0);
});

/** A state in which every screen has something to show. */
function fullState(columns: number, rows: number): State {
  const items = Array.from({ length: 60 }, (_, seq) => alertItem(seq, {}, NOW_MS - seq * 1000));
  return withFacts(seenState({ columns, rows }), [
    { type: "alerts", items, skipped: 0 },
    { type: "dead_letters", items: [deadLetterItem(1)], skipped: 0 },
    { type: "logs", items: [logItem(1), logItem(2, { level: "error", event: "boom\x1b[2J" })] },
    {
      type: "streams",
      groups: [{ group: "sink", state: "Empty", members: ["sink-1 at 127.0.0.1"] }],
      partitions: [{
        topic: "alerts",
        partition: 0,
        start: 0,
        stable: 90,
        end: 100,
        rate: 2.5,
        openSinceMs: NOW_MS - 20_000,
        committed: { sink: 80 },
      }],
    },
    {
      type: "tables",
      atMs: NOW_MS,
      tables: [{
        name: "alerts",
        location: "/w/finance/alerts",
        snapshotId: "4202993468775236036",
        atMs: NOW_MS - 5000,
        rows: 1234,
        files: 2,
        bytes: 4096,
        snapshots: 2,
        tags: 1,
        schemaColumns: 13,
        commits: [{
          snapshotId: "4202993468775236036",
          atMs: NOW_MS - 5000,
          operation: "append",
          addedRows: 22,
          addedFiles: 1,
          addedBytes: 2048,
          removedFiles: 0,
        }],
        consumed: [{ topic: "alerts", partition: 0, next: 80 }],
      }],
    },
  ]);
}

Deno.test("no screen is wider or higher than the terminal, at any size", () => {
  for (const [columns, rows] of [[120, 36], [100, 30], [80, 24], [200, 60]] as const) {
    for (const screen of SCREENS) {
      const state = withActions(fullState(columns, rows), [{ type: "screen", screen }]);
      const lines = bodyLines(state);
      const widest = Math.max(...lines.map(lineWidth));
      assertEquals(widest <= columns, true, `${screen} ${columns}x${rows}: ${widest} wide`);
      assertEquals(lines.length <= bodyHeight(state), true, `${screen} ${columns}x${rows}`);
      assertEquals(lineWidth(titleLine(state)), columns);
    }
  }
});

Deno.test("a committed offset of the table stands beside the broker's", () => {
  const state = withActions(fullState(120, 36), [{ type: "screen", screen: "tables" }]);
  assertEquals(screenList(state).rows[0]!.cells.behind!.text, "10");
  const detail = detailLines(state, "alerts", 100).map(plainText).join("\n");
  assertEquals(detail.includes("80          of 90"), true, detail);
});

Deno.test("lag is counted to the end, and a transaction open for long is marked", () => {
  const state = withActions(fullState(120, 36), [{ type: "screen", screen: "streams" }]);
  const { cells } = screenList(state).rows[0]!;
  assertEquals([cells.lag!.text, cells.open!.text, cells.open!.tone], ["20", "20s", "bad"]);
});

Deno.test("a partition's detail names the members of its group", () => {
  const state = withActions(fullState(120, 36), [{ type: "screen", screen: "streams" }]);
  const detail = detailLines(state, "alerts/0", 100).map(plainText);
  assertEquals(detail.includes("    sink-1 at 127.0.0.1"), true, detail.join("\n"));
  assertEquals(detail.includes("  lag to the end  20"), true, detail.join("\n"));
});

Deno.test("an escape sequence in a log line does not reach the screen", () => {
  const state = withActions(fullState(120, 36), [{ type: "screen", screen: "logs" }]);
  assertEquals(bodyLines(state).map(plainText).join("").includes("\x1b"), false);
});

Deno.test("a paused list shows nothing that came later", () => {
  const state = withActions(fullState(120, 36), [
    { type: "screen", screen: "alerts" },
    { type: "pause", atSeq: 9 },
  ]);
  assertEquals(screenList(state).rows.length, 10);
  assertEquals(plainText(messageLine(state)), "10 rows  PAUSED");
});

Deno.test("what is down is named with since when and what to do", () => {
  const services = [
    service("kafka"),
    service("sink", { state: "backoff", ready: false, last_error: "exit code 1\nmore" }),
  ];
  const state = withFacts(seenState(), [
    { type: "status", atMs: NOW_MS - 9000, document: document({ services }), stages: [] },
  ]);
  assertEquals(problemLines(state).map(plainText), [
    "✖ sink backoff for 9s: exit code 1  (deno task restart sink)",
  ]);
});

Deno.test("a config error is named with file, line, field, expectation and value", () => {
  const errors = [{
    file: "r.yaml",
    line: 7,
    field: "rules[0].severity",
    value: '"x"',
    expected: "low",
  }];
  const state = withFacts(seenState(), [{
    type: "status",
    atMs: NOW_MS,
    document: document({ health: "degraded", config: { rules_version: null, errors } }),
    stages: [stage("processor")],
  }]);
  assertEquals(problemLines(state).map(plainText), [
    '✖ r.yaml:7 rules[0].severity: expected low, got "x"; the last good version stays in force',
  ]);
});

Deno.test("the conservation line turns bad with the missing number", () => {
  const counts = {
    raw: 50,
    processed: 40,
    dead: 2,
    inTable: 27,
    missing: 0,
    surplus: 0,
    consumed: 30,
    stored: 30,
  };
  const seen = seenState({ columns: 100, rows: 30 });
  const good = withFacts(seen, [{ type: "conservation", counts }]);
  assertEquals(conservationLines(good).map(plainText), [
    "● since attached: 50 raw = 40 processed + 10 in flight",
    "                  40 processed = 27 stored + 2 dead-lettered + 11 in flight",
  ]);
  const wrong = { ...counts, missing: 3, stored: 28 };
  const bad = withFacts(seen, [{ type: "conservation", counts: wrong }]);
  assertEquals(conservationLines(bad).slice(1).map(plainText), [
    "                  40 processed = 25 stored + 2 dead-lettered + 11 in flight",
    "✖ 3 raw records have no output",
    "✖ 2 committed records are not in finance.transactions",
  ]);
});

Deno.test("one line says it all in a small terminal", () => {
  const services = [service("kafka", { state: "stopped", ready: false })];
  const state = withFacts(seenState({ columns: 60, rows: 20 }), [{
    type: "status",
    atMs: NOW_MS,
    document: document({ services, health: "degraded" }),
    stages: [],
  }]);
  assertEquals(
    plainText(summaryLine(state)),
    "▲ degraded (kafka) 10.0>9.9>10.0/s lag 0+0 alerts 0  q quit",
  );
});

Deno.test("a status that is old is not shown as the present", () => {
  const state = { ...seenState(), nowMs: NOW_MS + 10_000 };
  assertEquals(plainText(titleLine(state)).includes("no answer for 10s"), true);
});

Deno.test("a long path gives way to the state and the read-only badge", () => {
  const seen = seenState();
  const target = `/${"long/".repeat(40)}data`;
  const state = { ...seen, settings: { ...seen.settings, readOnly: "asked for" as const, target } };
  const title = plainText(titleLine(state));
  assertEquals(title.includes(" READ ONLY "), true);
  assertEquals(title.includes("UTC"), true);
});
