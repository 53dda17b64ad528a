/** Where the operator is and what they are doing, and how keys change it. Pure. */
import type { RuleForm } from "./rule_form.ts";

/** Screens, in the order of their keys 1 to 6. */
export const SCREENS = ["overview", "alerts", "rules", "streams", "tables", "logs"] as const;

/** One of {@linkcode SCREENS}. */
export type ScreenName = typeof SCREENS[number];

/** State of a screen's list. */
export interface ListUi {
  /** Row that the cursor is on; undefined: the first. */
  cursor?: string;
  /** First visible row, as last chosen. */
  top: number;
  /** `!` in front: rows that do not contain it. */
  filter: string;
  sort: { key: string; descending: boolean };
  /** Items that came later are not shown while paused. */
  pausedAtSeq?: number;
}

/** A line being typed. */
export interface InputUi {
  kind: "filter" | "command" | "rate";
  text: string;
  error?: string;
}

/** A window over the screen. */
export type Overlay =
  | { kind: "help"; scroll: number }
  | { kind: "detail"; id: string; scroll: number }
  | { kind: "text"; title: string; lines: readonly string[]; scroll: number }
  | { kind: "verb"; scroll: number }
  | { kind: "form"; form: RuleForm }
  | { kind: "diff"; title: string; diff: readonly string[]; edit: TextEdit }
  | {
    kind: "confirm";
    words: readonly string[];
    name: string;
    typed: string;
    note: string;
    /** What a dry run said. */
    lines?: readonly string[];
  };

/** A change of a file, as shown before it is written. */
export interface TextEdit {
  file: "rules" | "generator";
  what: string;
  before: string;
  after: string;
}

/** A message at the bottom. */
export interface Toast {
  text: string;
  tone: "ok" | "warn" | "bad";
  atMs: number;
}

/** The operator's side of the state. */
export interface Ui {
  screen: ScreenName;
  columns: number;
  rows: number;
  lists: Readonly<Record<ScreenName, ListUi>>;
  /** Which of the streams screen's two lists. */
  input?: InputUi;
  overlay?: Overlay;
  toast?: Toast;
  /** Least level of the logs screen. */
  level: "debug" | "info" | "warn" | "error";
  /** The only component on the logs screen; all by default. */
  component?: string;
  streamsView: "partitions" | "dead letters";
}

/** Something the operator did. */
export type UiAction =
  | { type: "screen"; screen: ScreenName }
  | { type: "screen_step"; by: number }
  | { type: "resize"; columns: number; rows: number }
  | { type: "cursor"; id: string | undefined; top: number }
  | { type: "filter"; text: string }
  | { type: "sort"; key: string; descending: boolean }
  | { type: "pause"; atSeq: number | undefined }
  | { type: "input"; input: InputUi | undefined }
  | { type: "overlay"; overlay: Overlay | undefined }
  | { type: "scroll"; to: number }
  | { type: "level"; level: Ui["level"] }
  | { type: "component"; component: string | undefined }
  | { type: "streams_view"; view: Ui["streamsView"] }
  | { type: "toast"; toast: Toast | undefined };

/** How each list is sorted at first: the newest, or the order of things. */
const SORTS: Readonly<Record<ScreenName, ListUi["sort"]>> = {
  overview: { key: "service", descending: false },
  alerts: { key: "age", descending: true },
  rules: { key: "order", descending: false },
  streams: { key: "order", descending: false },
  tables: { key: "order", descending: false },
  logs: { key: "time", descending: true },
};

/** The beginning. */
export function initialUi(size: { columns: number; rows: number }): Ui {
  return {
    screen: "overview",
    ...size,
    lists: Object.fromEntries(
      SCREENS.map((name) => [name, { top: 0, filter: "", sort: SORTS[name] }]),
    ) as unknown as Ui["lists"],
    level: "info",
    streamsView: "partitions",
  };
}

function changeList(ui: Ui, change: (list: ListUi) => ListUi): Ui {
  return { ...ui, lists: { ...ui.lists, [ui.screen]: change(ui.lists[ui.screen]) } };
}

function withoutKey<T extends object, K extends keyof T>(value: T, key: K): Omit<T, K> {
  const { [key]: _, ...rest } = value;
  return rest;
}

function scrolled(ui: Ui, to: number): Ui {
  const { overlay } = ui;
  if (overlay === undefined || !("scroll" in overlay)) return ui;
  return { ...ui, overlay: { ...overlay, scroll: Math.max(0, to) } };
}

function listAction(ui: Ui, action: UiAction): Ui {
  switch (action.type) {
    case "cursor":
      return changeList(ui, (list) => {
        const rest = withoutKey(list, "cursor");
        return action.id === undefined
          ? { ...rest, top: action.top }
          : { ...rest, cursor: action.id, top: action.top };
      });
    case "filter":
      return changeList(ui, (list) => ({
        ...withoutKey(list, "cursor"),
        filter: action.text,
        top: 0,
      }));
    case "sort":
      return changeList(ui, (list) => ({
        ...list,
        sort: { key: action.key, descending: action.descending },
      }));
    case "pause":
      return changeList(ui, (list) => {
        const rest = withoutKey(list, "pausedAtSeq");
        return action.atSeq === undefined ? rest : { ...rest, pausedAtSeq: action.atSeq };
      });
    default:
      return ui;
  }
}

/** The state after an action. */
export function reduceUi(ui: Ui, action: UiAction): Ui {
  switch (action.type) {
    case "screen":
      return { ...withoutKey(withoutKey(ui, "overlay"), "input"), screen: action.screen };
    case "screen_step": {
      const at = SCREENS.indexOf(ui.screen) + action.by + SCREENS.length;
      return reduceUi(ui, { type: "screen", screen: SCREENS[at % SCREENS.length]! });
    }
    case "resize":
      return { ...ui, columns: action.columns, rows: action.rows };
    case "input":
      return action.input === undefined ? withoutKey(ui, "input") : { ...ui, input: action.input };
    case "overlay":
      return action.overlay === undefined
        ? withoutKey(ui, "overlay")
        : { ...ui, overlay: action.overlay };
    case "scroll":
      return scrolled(ui, action.to);
    case "level":
      return { ...ui, level: action.level };
    case "component": {
      const next = changeList(ui, (list) => ({ ...withoutKey(list, "cursor"), top: 0 }));
      const rest = withoutKey(next, "component");
      return action.component === undefined ? rest : { ...rest, component: action.component };
    }
    case "streams_view": {
      const next = changeList(ui, (list) => ({ ...withoutKey(list, "cursor"), top: 0 }));
      return { ...next, streamsView: action.view };
    }
    case "toast":
      return action.toast === undefined ? withoutKey(ui, "toast") : { ...ui, toast: action.toast };
    default:
      return listAction(ui, action);
  }
}
