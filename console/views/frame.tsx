/** The whole screen: title, tabs, body or window, message, keys. */
import { Box } from "ink";
import type { ReactNode } from "react";
import { offeredKeys, shownKey } from "../keys/key_table.ts";
import { drawBox } from "../rows/boxes.ts";
import { messageLine, tabsLine, titleLine } from "../rows/chrome.ts";
import { sizeOf } from "../rows/layout.ts";
import { overlayView } from "../rows/overlay.ts";
import { summaryLine } from "../rows/overview.ts";
import { bodyHeight, bodyLines } from "../rows/screen.ts";
import type { State } from "../store/state.ts";
import { asciiLine } from "../text/ascii.ts";
import { fitLine, type Line, lineOf, lineWidth, type Span, span } from "../text/span.ts";
import { Lines } from "./lines.tsx";

/** The keys of the moment, as many as fit; `?` and `q` always. */
export function keyLine(state: State): Line {
  // The keys of a window stand in its title; the screen's own wait below it.
  if (state.ui.overlay !== undefined) return [span("Esc", "accent"), span(" back", "dim")];
  const bindings = offeredKeys(state).filter(({ footer }) => footer);
  const pieces = bindings.map((binding): { line: Span[]; keep: boolean } => ({
    line: [span(shownKey(binding), "accent"), span(` ${binding.label}  `, "dim")],
    keep: binding.keys.includes("?") || binding.keys.includes("q"),
  }));
  let room = state.ui.columns - 1 -
    pieces.filter(({ keep }) => keep).reduce((sum, { line }) => sum + lineWidth(line), 0);
  return pieces.flatMap(({ line, keep }) => {
    if (keep) return line;
    room -= lineWidth(line);
    return room >= 0 ? line : [];
  });
}

/** Body of the screen while a window is open. */
function overlayLines(state: State, height: number): Line[] | undefined {
  const { columns } = state.ui;
  const keys = offeredKeys(state).map((binding) => ({
    shown: shownKey(binding),
    label: binding.label,
    steers: binding.steers === true,
  }));
  const view = overlayView(state, { width: columns - 4, keys });
  if (view === undefined) return undefined;
  const room = Math.max(1, height - 2);
  const top = Math.max(0, Math.min(view.scroll, view.lines.length - room));
  const shown = view.lines.slice(top, top + room);
  const more = view.lines.length - top - shown.length;
  const title: Line = [
    span(view.title, "title"),
    span(more > 0 ? `  (${more} more below)` : "", "dim"),
    span(`  ${view.keys}`, "dim"),
  ];
  const blanks: Line[] = Array.from({ length: Math.max(0, room - shown.length) }, () => []);
  return drawBox({ title, lines: [...shown, ...blanks], tone: "accent" }, {
    width: columns,
    ascii: state.settings.ascii,
  });
}

/** What is offered where nothing runs. */
function startLines(state: State): Line[] | undefined {
  const { model, settings, ui } = state;
  if (ui.screen !== "overview" || model.everUp) return undefined;
  if (model.status?.document.health !== "unreachable") return undefined;
  const how = settings.readOnly !== false
    ? "Start it there: deno task up"
    : "Press U to start it (deno task up), or start it elsewhere: this screen notices.";
  return [
    [],
    lineOf("  Nothing runs here.", "title"),
    [],
    lineOf(`  ${how}`),
    lineOf(`  Looked at: ${settings.target}`, "dim"),
  ];
}

/** The lines of title and tabs, of the body, and of message and keys; one alone in a small terminal. */
function frameLines(state: State): { lines: readonly Line[]; height: number }[] {
  const { columns, rows } = state.ui;
  if (sizeOf(columns, rows) === "line") {
    return [{ lines: [fitLine(summaryLine(state), columns)], height: 1 }];
  }
  const height = bodyHeight(state);
  const body = overlayLines(state, height) ?? startLines(state) ?? bodyLines(state);
  return [
    { lines: [titleLine(state), tabsLine(state)], height: 2 },
    { lines: body, height },
    { lines: [messageLine(state), keyLine(state)], height: 2 },
  ];
}

/** A frame of exactly as many lines as the terminal has. */
export function Frame({ state }: { state: State }): ReactNode {
  const { columns } = state.ui;
  const parts = frameLines(state);
  return (
    <Box
      flexDirection="column"
      width={columns}
      height={parts.reduce((sum, { height }) => sum + height, 0)}
    >
      {parts.map(({ lines, height }, index) => (
        <Lines
          key={index}
          lines={state.settings.ascii ? lines.map(asciiLine) : lines}
          width={columns}
          height={height}
        />
      ))}
    </Box>
  );
}
