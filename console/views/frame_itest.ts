/**
 * Frames as a terminal gets them, by Ink's own string renderer, at the three sizes, held against the files
 * in `fixtures/`. UPDATE_FRAMES=1 writes them anew: read the difference before it is kept.
 */
import { assertEquals } from "@std/assert";
import { alertItem, NOW_MS, seenState, service, withActions, withFacts } from "../testing.ts";
import { document, logItem } from "../testing.ts";
import { fromFileUrl, join } from "../../runtime/path.ts";
import type { PartitionView, TableView } from "../store/model.ts";
import type { State } from "../store/state.ts";
import type { UiAction } from "../store/ui.ts";

const FIXTURES = join(fromFileUrl(new URL("..", import.meta.url)), "fixtures");

Deno.env.set("NODE_ENV", "production");
Deno.env.set("FORCE_COLOR", "0");
const { renderToString } = await import("ink");
const { createElement } = await import("react");
const { Frame } = await import("./frame.tsx");

function draw(state: State): string {
  return renderToString(createElement(Frame, { state }), { columns: state.ui.columns });
}

const PARTITIONS = ["raw-transactions", "pipeline-sessions"].map((topic): PartitionView => ({
  topic,
  partition: 0,
  start: 0,
  stable: 1_234_500,
  end: 1_234_567,
  rate: 2.5,
  openSinceMs: NOW_MS - 20_000,
  committed: { processor: 1_234_000 },
}));

const TABLES = ["transactions", "alerts", "dead_letters", "pipeline_sessions"].map((
  name,
): TableView => ({
  name,
  location: `/w/finance/${name}`,
  snapshotId: "4202993468775236036",
  atMs: NOW_MS - 5000,
  rows: 123_456,
  files: 20,
  bytes: 4_096_000,
  snapshots: 20,
  tags: 1,
  schemaColumns: 13,
  commits: Array.from({ length: 20 }, (_, index) => ({
    snapshotId: String(4202993468775236036n - BigInt(index)),
    atMs: NOW_MS - (5 + index * 10) * 1000,
    operation: index === 3 ? "replace" : "append",
    addedRows: index === 3 ? 5000 : 100 + index,
    addedFiles: 1,
    addedBytes: 8500,
    removedFiles: index === 3 ? 12 : 0,
  })),
  consumed: [],
}));

/** A pipeline whose sink is down, with some alerts and log lines. */
function world(columns: number, rows: number, ...actions: UiAction[]): State {
  const services = document().services.map((one) =>
    one.name === "sink"
      ? service("sink", { state: "backoff", ready: false, last_error: "exit code 1", restarts: 2 })
      : one
  );
  const names = ["high-value", "rapid-activity", "unusual-hour"] as const;
  const severities = ["high", "medium", "low"] as const;
  const items = Array.from({ length: 40 }, (_, seq) =>
    alertItem(seq, {
      rule_name: names[seq % 3]!,
      severity: severities[seq % 3]!,
    }, NOW_MS - (40 - seq) * 1000));
  const seen = withFacts(seenState({ columns, rows }), [
    {
      type: "status",
      atMs: NOW_MS - 12_000,
      document: document({ services, health: "degraded" }),
      stages: [],
    },
    {
      type: "status",
      atMs: NOW_MS,
      document: document({ services, health: "degraded" }),
      stages: [],
    },
    { type: "alerts", items, skipped: 0 },
    { type: "streams", partitions: PARTITIONS, groups: [] },
    { type: "tables", atMs: NOW_MS, tables: TABLES },
    { type: "logs", items: [logItem(1), logItem(2, { level: "error", event: "table_failed" })] },
  ]);
  return withActions(seen, actions);
}

function withAscii(state: State): State {
  return { ...state, settings: { ...state.settings, ascii: true } };
}

const FRAMES: readonly (readonly [name: string, state: State])[] = [
  ["overview_120x36", world(120, 36)],
  ["overview_80x24", world(80, 24)],
  ["line_60x20", world(60, 20)],
  ["overview_ascii_100x30", withAscii(world(100, 30))],
  ["alerts_120x36", world(120, 36, { type: "screen", screen: "alerts" })],
  ["alerts_80x24", world(80, 24, { type: "screen", screen: "alerts" })],
  ["rules_80x24", world(80, 24, { type: "screen", screen: "rules" })],
  ["streams_80x24", world(80, 24, { type: "screen", screen: "streams" })],
  ["tables_80x24", world(80, 24, { type: "screen", screen: "tables" })],
  ["logs_80x24", world(80, 24, { type: "screen", screen: "logs" })],
  [
    "help_100x30",
    world(100, 30, { type: "screen", screen: "alerts" }, {
      type: "overlay",
      overlay: { kind: "help", scroll: 0 },
    }),
  ],
];

for (const [name, state] of FRAMES) {
  Deno.test(`frame ${name} is as kept`, async () => {
    const path = join(FIXTURES, `${name}.txt`);
    const frame = draw(state);
    if (Deno.env.get("UPDATE_FRAMES") === "1") await Deno.writeTextFile(path, frame);
    assertEquals(frame, await Deno.readTextFile(path));
  });
}

Deno.test("a frame has exactly the lines of the terminal", () => {
  for (const [columns, rows] of [[120, 36], [100, 30], [80, 24]] as const) {
    assertEquals(draw(world(columns, rows)).split("\n").length, rows);
  }
});

Deno.test("without Unicode every frame is ASCII, strangers' names included", () => {
  for (const [name, state] of FRAMES) {
    const named = withFacts(state, [{
      type: "alerts",
      items: [alertItem(99, { description: "Café → 東京" })],
      skipped: 0,
    }]);
    const frame = draw(withAscii(named));
    // deno-lint-ignore no-control-regex -- the question is which characters there are
    assertEquals(frame.replace(/[\u0000-\u007f]/g, ""), "", name);
  }
});
