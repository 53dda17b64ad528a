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
import { fitLine, type Line, lineOf, lineWidth, type Span, span } from "../text/span.ts";
import { Lines } from "./lines.tsx";

/** The keys of the moment, as many as fit; `?` and `q` always. */
export function keyLine(state: State): Line {
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

/** A frame of exactly as many lines as the terminal has. */
export function Frame({ state }: { state: State }): ReactNode {
  const { columns, rows } = state.ui;
  if (sizeOf(columns, rows) === "line") {
    return <Lines lines={[fitLine(summaryLine(state), columns)]} width={columns} height={1} />;
  }
  const height = bodyHeight(state);
  const body = overlayLines(state, height) ?? startLines(state) ?? bodyLines(state);
  return (
    <Box flexDirection="column" width={columns} height={rows}>
      <Lines lines={[titleLine(state), tabsLine(state)]} width={columns} height={2} />
      <Lines lines={body} width={columns} height={height} />
      <Lines lines={[messageLine(state), keyLine(state)]} width={columns} height={2} />
    </Box>
  );
}
