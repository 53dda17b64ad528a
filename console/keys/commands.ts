/** What a key or a typed command asks for: a change of the console's own state, or something outside it. */
import type { TextEdit, UiAction } from "../store/ui.ts";

/** What a verb does and which name has to be typed before it runs. */
export interface VerbOffer {
  words: readonly string[];
  /** To be typed; the target of the verb. */
  name: string;
  note: string;
}

/** Something done outside the state; `steer/` does it. */
export type Effect =
  | { kind: "quit" }
  | { kind: "rate"; rate: number | "max" }
  | { kind: "pause_generator"; paused: boolean }
  | { kind: "write"; edit: TextEdit }
  | { kind: "verb"; words: readonly string[] }
  | { kind: "dry_run"; words: readonly string[]; offer: VerbOffer }
  | { kind: "history"; accountId: string }
  | { kind: "copy"; text: string; what: string }
  | { kind: "export"; format: "ndjson" | "csv" };

/** What is to be done. */
export type Command = { ui: UiAction } | { effect: Effect };

/** A command that changes the console's own state. */
export function ui(action: UiAction): Command {
  return { ui: action };
}

/** A command that reaches outside. */
export function effect(what: Effect): Command {
  return { effect: what };
}

/** A message at the bottom. */
export function toast(text: string, tone: "ok" | "warn" | "bad", atMs: number): Command {
  return ui({ type: "toast", toast: { text, tone, atMs } });
}
