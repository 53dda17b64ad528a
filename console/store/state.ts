/** The whole state of the console and its one reducer. Pure. */
import { type Fact, reduceFact } from "./facts.ts";
import { emptyModel, type Model } from "./model.ts";
import { initialUi, reduceUi, type Ui, type UiAction } from "./ui.ts";

/** What does not change while the console runs. */
export interface Settings {
  /** Hides and refuses everything that changes something; the reason is shown as a badge. */
  readOnly: false | "asked for" | "attached by address";
  /** No braille and no lines beyond ASCII. */
  ascii: boolean;
  /** What it is attached to, for the header. */
  target: string;
  /** `deno task` verbs that exist. */
  verbs: ReadonlySet<string>;
}

/** Everything. */
export interface State {
  /** The clock as of the last tick, ms: every age on the screen is counted from it. */
  nowMs: number;
  settings: Settings;
  model: Model;
  ui: Ui;
}

/** What changes the state. */
export type Event =
  | { type: "tick"; nowMs: number }
  | { type: "fact"; fact: Fact }
  | { type: "ui"; action: UiAction };

/** How long a message stays, ms. */
export const TOAST_MS = 6000;

/** The beginning. */
export function initialState(
  settings: Settings,
  { nowMs, columns, rows }: { nowMs: number; columns: number; rows: number },
): State {
  return { nowMs, settings, model: emptyModel(nowMs), ui: initialUi({ columns, rows }) };
}

/** The state after an event. */
export function reduce(state: State, event: Event): State {
  switch (event.type) {
    case "tick": {
      const over = state.ui.toast !== undefined && event.nowMs - state.ui.toast.atMs > TOAST_MS;
      const ui = over ? reduceUi(state.ui, { type: "toast", toast: undefined }) : state.ui;
      return { ...state, nowMs: event.nowMs, ui };
    }
    case "fact":
      return { ...state, model: reduceFact(state.model, event.fact) };
    case "ui":
      return { ...state, ui: reduceUi(state.ui, event.action) };
  }
}
