/** Every key there is, as data: the same table feeds the handlers, the line of keys, and the help. Pure. */
import { screenList, selectedRow } from "../rows/screen.ts";
import type { State } from "../store/state.ts";
import { type ScreenName, SCREENS } from "../store/ui.ts";
import type { Row } from "../text/table.ts";
import { type Command, effect, toast, ui } from "./commands.ts";
import { changeSort, follow, moveCursor, togglePause } from "./list_keys.ts";
import {
  confirmVerb,
  openForm,
  revertRules,
  stepRate,
  togglePauseGenerator,
  toggleRule,
} from "./steer_keys.ts";

/** A key and what it does. */
export interface KeyBinding {
  /** Names as of `keyName()`. */
  keys: readonly string[];
  /** As shown; the keys themselves by default. */
  shown?: string;
  /** What it does, in a word or two. */
  label: string;
  /** Screens it works on; all by default. */
  screens?: readonly ScreenName[];
  /** In the line of keys at the bottom, not only in the help. */
  footer?: boolean;
  /** Changes the pipeline: hidden and refused where the console is read-only. */
  steers?: boolean;
  /** `deno task` verb that it needs. */
  verb?: string;
  /** Absent: always. */
  when?: (state: State) => boolean;
  run: (state: State, key: string) => Command[];
}

const LISTS: readonly ScreenName[] = ["alerts", "rules", "streams", "tables", "logs"];
const FEEDS: readonly ScreenName[] = ["alerts", "streams", "logs"];

const page = (state: State): number => Math.max(1, state.ui.rows - 6);

function openDetail(state: State): Command[] {
  const id = selectedRow(state)?.id;
  if (id === undefined) return [];
  return [ui({ type: "overlay", overlay: { kind: "detail", id, scroll: 0 } })];
}

/** The row that a key is about: the one whose detail is open, else the one under the cursor. */
function rowInQuestion(state: State): Row | undefined {
  const { overlay } = state.ui;
  if (overlay?.kind !== "detail") return selectedRow(state);
  return screenList(state).rows.find(({ id }) => id === overlay.id);
}

function copyRow(state: State): Command[] {
  const row = rowInQuestion(state);
  if (row === undefined) return [];
  const { model } = state;
  const item = model.alerts.items.find(({ id }) => id === row.id)?.alert ??
    model.deadLetters.items.find(({ id }) => id === row.id)?.letter ??
    model.logs.items.find(({ id }) => id === row.id) ??
    Object.fromEntries(Object.entries(row.cells).map(([name, { text }]) => [name, text]));
  return [effect({ kind: "copy", text: JSON.stringify(item), what: "the row as JSON" })];
}

function accountHistory(state: State): Command[] {
  const item = state.model.alerts.items.find(({ id }) => id === rowInQuestion(state)?.id);
  if (item === undefined) return [];
  return [effect({ kind: "history", accountId: item.alert.transaction.account_id })];
}

function nextLevel(state: State): Command[] {
  const levels = ["debug", "info", "warn", "error"] as const;
  const level = levels[(levels.indexOf(state.ui.level) + 1) % levels.length]!;
  return [ui({ type: "level", level })];
}

function nextComponent(state: State): Command[] {
  const all = [...new Set(state.model.logs.items.map(({ component }) => component))].sort();
  const { component } = state.ui;
  // One that fell silent is none of them: the first comes next.
  return [ui({ type: "component", component: all[all.indexOf(component ?? "") + 1] })];
}

/** Table care of the table under the cursor: what it would do, and then whether to. */
function careForTable(state: State): Command[] {
  const name = selectedRow(state)?.id;
  if (name === undefined) return [];
  const words = ["compact", "--table", name];
  const note = "rewrites small files, expires old snapshots, removes what nothing refers to";
  return [
    effect({ kind: "dry_run", words: [...words, "--dry-run"], offer: { words, name, note } }),
  ];
}

/** The service that most needs a restart: the first that is not well, else the processor. */
function restartOffer(state: State): Command[] {
  const services = state.model.status?.document.services ?? [];
  const unwell = services.find((one) => one.state !== "running" || !one.ready);
  const name = unwell?.name ?? "processor";
  const note = "it ends properly and starts again; another one: :restart <service>";
  return confirmVerb(state, { words: ["restart", name], name, note });
}

function notRunning(state: State): boolean {
  return state.model.status?.document.health === "unreachable" && !state.settings.readOnly;
}

/** Keys of the screens, in the order in which they are shown. */
export const KEYS: readonly KeyBinding[] = [
  {
    keys: ["U"],
    label: "start the pipeline",
    footer: true,
    steers: true,
    verb: "up",
    when: notRunning,
    run: () => [effect({ kind: "verb", words: ["up"] })],
  },
  {
    keys: ["enter"],
    label: "detail",
    footer: true,
    screens: ["alerts", "streams", "tables", "logs"],
    run: openDetail,
  },
  { keys: ["enter"], label: "edit", footer: true, steers: true, screens: ["rules"], run: openForm },
  {
    keys: ["space"],
    label: "on/off",
    footer: true,
    steers: true,
    screens: ["rules"],
    run: toggleRule,
  },
  {
    keys: ["u"],
    label: "revert",
    footer: true,
    steers: true,
    screens: ["rules"],
    run: revertRules,
  },
  { keys: ["i"], label: "detail", screens: ["rules"], run: openDetail },
  { keys: ["x"], label: "account", footer: true, screens: ["alerts"], run: accountHistory },
  {
    keys: ["D"],
    label: "dead letters / partitions",
    footer: true,
    screens: ["streams"],
    run: ({ ui: { streamsView } }) => [
      ui({
        type: "streams_view",
        view: streamsView === "partitions" ? "dead letters" : "partitions",
      }),
    ],
  },
  {
    keys: ["c", "X"],
    shown: "c X",
    label: "compact, expire",
    footer: true,
    steers: true,
    verb: "compact",
    screens: ["tables"],
    run: careForTable,
  },
  { keys: ["l"], label: "level", footer: true, screens: ["logs"], run: nextLevel },
  { keys: ["c"], label: "component", footer: true, screens: ["logs"], run: nextComponent },
  {
    keys: ["/"],
    label: "filter",
    footer: true,
    screens: LISTS,
    run: ({ ui: { lists, screen } }) => [
      ui({ type: "input", input: { kind: "filter", text: lists[screen].filter } }),
    ],
  },
  {
    keys: ["s"],
    label: "sort",
    footer: true,
    screens: LISTS,
    run: (state) => changeSort(state, "next"),
  },
  {
    keys: ["S"],
    label: "turn the order",
    screens: LISTS,
    run: (state) => changeSort(state, "turn"),
  },
  { keys: ["space"], label: "pause", footer: true, screens: FEEDS, run: togglePause },
  { keys: ["f"], label: "follow", screens: FEEDS, run: follow },
  { keys: ["y"], label: "copy", screens: LISTS, run: copyRow },
  {
    keys: ["e"],
    label: "export ndjson",
    screens: LISTS,
    run: () => [effect({ kind: "export", format: "ndjson" })],
  },
  {
    keys: ["E"],
    label: "export csv",
    screens: LISTS,
    run: () => [effect({ kind: "export", format: "csv" })],
  },
  {
    keys: ["+", "="],
    shown: "+/-",
    label: "rate (R types it)",
    footer: true,
    steers: true,
    run: (state) => stepRate(state, 1),
  },
  { keys: ["-"], shown: "", label: "", steers: true, run: (state) => stepRate(state, -1) },
  {
    keys: ["R"],
    label: "type a rate",
    steers: true,
    run: () => [ui({ type: "input", input: { kind: "rate", text: "" } })],
  },
  { keys: ["P"], label: "pause generator", footer: true, steers: true, run: togglePauseGenerator },
  {
    keys: ["ctrl+r"],
    label: "restart a service",
    steers: true,
    verb: "restart",
    run: restartOffer,
  },
  {
    keys: [":"],
    label: "command",
    footer: true,
    run: () => [ui({ type: "input", input: { kind: "command", text: "" } })],
  },
  {
    keys: ["?"],
    label: "help",
    footer: true,
    run: () => [ui({ type: "overlay", overlay: { kind: "help", scroll: 0 } })],
  },
  {
    keys: ["q", "ctrl+c"],
    shown: "q",
    label: "quit",
    footer: true,
    run: () => [effect({ kind: "quit" })],
  },
  {
    keys: SCREENS.map((_, index) => String(index + 1)),
    shown: "1-6",
    label: "screens",
    run: (_, key) => [ui({ type: "screen", screen: SCREENS[Number(key) - 1]! })],
  },
  {
    keys: ["tab", "]", "right"],
    shown: "Tab ]",
    label: "next screen",
    run: () => [ui({ type: "screen_step", by: 1 })],
  },
  {
    keys: ["shift+tab", "[", "left"],
    shown: "[",
    label: "screen before",
    run: () => [ui({ type: "screen_step", by: -1 })],
  },
  {
    keys: ["j", "down"],
    shown: "j ↓",
    label: "down",
    screens: LISTS,
    run: (s) => moveCursor(s, { by: 1 }),
  },
  {
    keys: ["k", "up"],
    shown: "k ↑",
    label: "up",
    screens: LISTS,
    run: (s) => moveCursor(s, { by: -1 }),
  },
  {
    keys: ["pagedown", "ctrl+d", "ctrl+f"],
    shown: "PgDn",
    label: "page down",
    screens: LISTS,
    run: (s) => moveCursor(s, { by: page(s) }),
  },
  {
    keys: ["pageup", "ctrl+u", "ctrl+b"],
    shown: "PgUp",
    label: "page up",
    screens: LISTS,
    run: (s) => moveCursor(s, { by: -page(s) }),
  },
  {
    keys: ["g", "home"],
    shown: "g",
    label: "first",
    screens: LISTS,
    run: (s) => moveCursor(s, { at: "first" }),
  },
  {
    keys: ["G", "end"],
    shown: "G",
    label: "last",
    screens: LISTS,
    run: (s) => moveCursor(s, { at: "last" }),
  },
  {
    keys: ["esc"],
    shown: "Esc",
    label: "back; clears the filter; never quits",
    run: ({ ui: { lists, screen } }) =>
      lists[screen].filter === "" ? [] : [ui({ type: "filter", text: "" })],
  },
];

/** Whether a key works here and now; steering keys do not where the console is read-only. */
export function isOffered(binding: KeyBinding, state: State): boolean {
  const { settings, ui: { screen } } = state;
  if (binding.screens !== undefined && !binding.screens.includes(screen)) return false;
  if (binding.verb !== undefined && !settings.verbs.has(binding.verb)) return false;
  if (binding.steers && settings.readOnly !== false) return false;
  return binding.when?.(state) ?? true;
}

/** Keys that are shown, in order. */
export function offeredKeys(state: State): KeyBinding[] {
  return KEYS.filter((binding) => binding.shown !== "" && isOffered(binding, state));
}

/** A key as it is shown. */
export function shownKey({ keys, shown }: KeyBinding): string {
  const names: Readonly<Record<string, string>> = {
    enter: "Enter",
    space: "Space",
    "ctrl+r": "^R",
  };
  return shown ?? names[keys[0]!] ?? keys[0]!;
}

/** What a key does on the screen that is shown. */
export function screenKey(state: State, key: string): Command[] {
  const binding = KEYS.find((one) => one.keys.includes(key) && isOffered(one, state));
  if (binding !== undefined) return binding.run(state, key);
  const refused = KEYS.find((one) =>
    one.steers && one.keys.includes(key) && (one.screens?.includes(state.ui.screen) ?? true)
  );
  if (refused === undefined || state.settings.readOnly === false) return [];
  return [
    toast(
      `read-only (${state.settings.readOnly}): ${refused.label} is refused`,
      "warn",
      state.nowMs,
    ),
  ];
}
