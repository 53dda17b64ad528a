/** From a key to what it does: first the line being typed, then the window on top, then the screen. Pure. */
import { bodyHeight, detailLines } from "../rows/screen.ts";
import { typeInForm } from "../store/rule_form.ts";
import type { State } from "../store/state.ts";
import type { InputUi, Overlay } from "../store/ui.ts";
import { completeText, readRate, runCommand } from "./command_line.ts";
import { type Command, effect, toast, ui } from "./commands.ts";
import { screenKey } from "./key_table.ts";
import { submitForm } from "./steer_keys.ts";

/** Longest text that can be typed. */
const TEXT_LENGTH_MAX = 500;

/** Lines above a verb's output in its window. */
const VERB_HEAD = 2;

const close = ui({ type: "overlay", overlay: undefined });

/** The character or pasted text that a key means; undefined for keys that write nothing. */
function written(key: string): string | undefined {
  if (key === "space") return " ";
  const named =
    /^(enter|esc|tab|shift\+tab|up|down|left|right|home|end|pageup|pagedown|backspace)$/;
  if (key === "" || key.startsWith("ctrl+") || named.test(key)) return undefined;
  // deno-lint-ignore no-control-regex -- pasted text may hold any character
  return key.replace(/[\u0000-\u001f\u007f]/g, " ");
}

function edited(text: string, key: string): string | undefined {
  if (key === "backspace") return text.slice(0, -1);
  if (key === "ctrl+u") return "";
  const more = written(key);
  return more === undefined ? undefined : (text + more).slice(0, TEXT_LENGTH_MAX);
}

function submitInput(state: State, input: InputUi): Command[] {
  const done = ui({ type: "input", input: undefined });
  switch (input.kind) {
    case "filter":
      return [done];
    case "command":
      return runCommand(state, input.text);
    case "rate": {
      const rate = readRate(input.text);
      if (rate !== undefined) return [done, effect({ kind: "rate", rate })];
      const error = "expected a number above 0 up to 1000000, or max";
      return [ui({ type: "input", input: { ...input, error } })];
    }
  }
}

function inputKey(state: State, input: InputUi, key: string): Command[] {
  if (key === "enter") return submitInput(state, input);
  if (key === "esc" || key === "ctrl+c") {
    const undo = input.kind === "filter" ? [ui({ type: "filter", text: "" })] : [];
    return [ui({ type: "input", input: undefined }), ...undo];
  }
  if (key === "tab" && input.kind === "command") {
    const text = completeText(state, input.text);
    return [ui({ type: "input", input: { kind: "command", text } })];
  }
  const text = edited(input.text, key);
  if (text === undefined) return [];
  // The filter works while it is typed.
  const now = input.kind === "filter" ? [ui({ type: "filter", text })] : [];
  return [ui({ type: "input", input: { kind: input.kind, text } }), ...now];
}

function scrollKey(
  state: State,
  overlay: Extract<Overlay, { scroll: number }>,
  key: string,
): Command[] {
  const page = Math.max(1, bodyHeight(state) - 4);
  const lines = overlay.kind === "detail"
    ? detailLines(state, overlay.id, state.ui.columns - 4).length
    : overlay.kind === "text"
    ? overlay.lines.length
    : overlay.kind === "verb"
    ? (state.model.verb?.lines.length ?? 0) + VERB_HEAD
    : Infinity;
  // As high as the window: the body without its frame.
  const most = Math.max(0, lines - Math.max(1, bodyHeight(state) - 2));
  // A verb's window follows the end until it is moved.
  const from = Math.min(overlay.scroll, most);
  const steps: Readonly<Record<string, number>> = {
    j: 1,
    down: 1,
    k: -1,
    up: -1,
    pagedown: page,
    space: page,
    pageup: -page,
    g: -Infinity,
    home: -Infinity,
    G: Infinity,
    end: Infinity,
  };
  const by = steps[key];
  if (by === undefined) return [];
  const to = Math.min(Number.isFinite(most) ? most : from + page, from + by);
  return [ui({ type: "scroll", to: Math.max(0, to) })];
}

function formKey(
  state: State,
  { form }: Extract<Overlay, { kind: "form" }>,
  key: string,
): Command[] {
  const show = (next: typeof form): Command[] => [
    ui({ type: "overlay", overlay: { kind: "form", form: next } }),
  ];
  const count = form.fields.length;
  if (key === "enter") return submitForm(state, form);
  if (key === "down" || key === "tab") return show({ ...form, at: (form.at + 1) % count });
  if (key === "up" || key === "shift+tab") {
    return show({ ...form, at: (form.at + count - 1) % count });
  }
  const current = form.fields[form.at]!;
  const text = edited(current.text, key);
  return text === undefined ? [] : show(typeInForm(form, () => text));
}

function confirmKey(
  overlay: Extract<Overlay, { kind: "confirm" }>,
  key: string,
  nowMs: number,
): Command[] {
  if (key === "enter") {
    if (overlay.typed !== overlay.name) {
      return [toast(`type ${overlay.name} to go on, Esc to leave it`, "warn", nowMs)];
    }
    return [close, effect({ kind: "verb", words: overlay.words })];
  }
  const typed = edited(overlay.typed, key);
  return typed === undefined ? [] : [ui({ type: "overlay", overlay: { ...overlay, typed } })];
}

function overlayKey(state: State, overlay: Overlay, key: string): Command[] {
  if (key === "esc") return [close];
  switch (overlay.kind) {
    case "form":
      return formKey(state, overlay, key);
    case "confirm":
      return confirmKey(overlay, key, state.nowMs);
    case "diff":
      if (key === "y" || key === "enter") {
        return [close, effect({ kind: "write", edit: overlay.edit })];
      }
      return key === "n" || key === "q" ? [close] : [];
    default:
      if (key === "q" || (overlay.kind === "help" && key === "?")) return [close];
      if (overlay.kind === "detail" && (key === "x" || key === "y")) return screenKey(state, key);
      return scrollKey(state, overlay, key);
  }
}

/** What a key does. Ctrl-C quits wherever nothing is being typed. */
export function dispatchKey(state: State, key: string): Command[] {
  const { input, overlay } = state.ui;
  if (input !== undefined) return inputKey(state, input, key);
  if (key === "ctrl+c") return [effect({ kind: "quit" })];
  if (overlay !== undefined) return overlayKey(state, overlay, key);
  return screenKey(state, key);
}
