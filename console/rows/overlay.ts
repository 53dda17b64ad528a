/** Windows over a screen, as lines. Pure. */
import type { State } from "../store/state.ts";
import type { Overlay } from "../store/ui.ts";
import { cellWidth, fitText } from "../text/cells.ts";
import { duration } from "../text/format.ts";
import { type Line, lineOf, span, type Tone } from "../text/span.ts";
import { detailLines } from "./screen.ts";

/** A window: its title, its lines and how far it is scrolled. */
export interface OverlayView {
  title: string;
  lines: readonly Line[];
  scroll: number;
  /** What the keys do in it. */
  keys: string;
}

/** A key as the help shows it. */
export interface HelpKey {
  shown: string;
  label: string;
  steers: boolean;
}

function helpLines(keys: readonly HelpKey[], width: number): Line[] {
  const column = Math.max(24, Math.floor(width / 2) - 1);
  const cells = keys.map(({ shown, label, steers }): Line => [
    span(`${fitText(shown, 7)} `, "accent"),
    span(fitText(label + (steers ? " *" : ""), column - 8)),
  ]);
  const half = Math.ceil(cells.length / 2);
  return [
    ...Array.from(
      { length: half },
      (_, row): Line => [...cells[row]!, ...(cells[half + row] ?? [])],
    ),
    [],
    lineOf("* changes the pipeline: an edit of a settings file, or a deno task verb", "dim"),
    lineOf("filter: words that must all be there; ! in front turns it round", "dim"),
    lineOf(
      "commands: :rate 200  :alerts severity=high  :restart sink  :quit  (Tab completes)",
      "dim",
    ),
  ];
}

function formLines({ form }: Extract<Overlay, { kind: "form" }>, width: number): Line[] {
  const label = Math.max(...form.fields.map((field) => cellWidth(field.label)));
  return [
    ...form.fields.map((field, index): Line => {
      const here = index === form.at;
      return [
        span(here ? "> " : "  ", "selected"),
        span(`${fitText(field.label, label)}  `, here ? "title" : "dim"),
        span(
          fitText(field.text + (here ? "_" : ""), Math.max(8, width - label - 6)),
          here ? "title" : "plain",
        ),
        span(field.text === field.before ? "" : "*", "warn"),
      ];
    }),
    [],
    ...form.errors.map((error) => lineOf(error, "bad")),
  ];
}

function verbLines(state: State): Line[] {
  const { verb } = state.model;
  if (verb === undefined) return [];
  const running = verb.endedMs === undefined;
  const seconds = ((verb.endedMs ?? state.nowMs) - verb.startedMs) / 1000;
  const end = running
    ? span(`running for ${duration(seconds)}`, "warn")
    : verb.code === 0
    ? span(`done after ${duration(seconds)}`, "ok")
    : span(`ended with exit code ${verb.code} after ${duration(seconds)}`, "bad");
  return [
    [span(`deno task ${verb.words.join(" ")}  `, "title"), end],
    [],
    ...verb.lines.map((line) => lineOf(line)),
  ];
}

function diffTone(line: string): Tone {
  return line.startsWith("+") ? "added" : line.startsWith("-") ? "removed" : "dim";
}

/** The window that is open. */
export function overlayView(
  state: State,
  { width, keys }: { width: number; keys: readonly HelpKey[] },
): OverlayView | undefined {
  const { overlay } = state.ui;
  if (overlay === undefined) return undefined;
  switch (overlay.kind) {
    case "help":
      return {
        title: `keys: ${state.ui.screen}`,
        lines: helpLines(keys, width),
        scroll: overlay.scroll,
        keys: "Esc back",
      };
    case "detail":
      return {
        title: state.ui.screen,
        lines: detailLines(state, overlay.id, width),
        scroll: overlay.scroll,
        keys: state.ui.screen === "alerts"
          ? "j/k scroll  x account  y copy  Esc back"
          : "j/k scroll  Esc back",
      };
    case "text":
      return {
        title: overlay.title,
        lines: overlay.lines.map((line) => lineOf(line)),
        scroll: overlay.scroll,
        keys: "j/k scroll  Esc back",
      };
    case "verb":
      return {
        title: "task",
        lines: verbLines(state),
        scroll: overlay.scroll,
        keys: "j/k scroll  Esc hides it",
      };
    case "form":
      return {
        title: `edit ${overlay.form.ruleName}`,
        lines: formLines(overlay, width),
        scroll: 0,
        keys: "↑↓ field  Enter check and show the diff  Esc leave it",
      };
    case "diff":
      return {
        title: overlay.title,
        lines: overlay.diff.map((line) => lineOf(line, diffTone(line))),
        scroll: 0,
        keys: "y write  n leave it",
      };
    case "confirm":
      return {
        title: `deno task ${overlay.words.join(" ")}`,
        lines: [
          ...(overlay.lines ?? []).map((line) => lineOf(line)),
          lineOf(overlay.note),
          [],
          [
            span("type ", "dim"),
            span(overlay.name, "warn"),
            span(" to go on: ", "dim"),
            span(`${overlay.typed}_`, "title"),
          ],
        ],
        scroll: 0,
        keys: "Enter run it  Esc leave it",
      };
  }
}
