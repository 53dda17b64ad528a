/** Title, tabs and message line. Pure. */
import { type State, TOAST_MS } from "../store/state.ts";
import { SCREENS } from "../store/ui.ts";
import { age, bytes, clock, milliseconds } from "../text/format.ts";
import { type Line, lineOf, lineWidth, type Span, span, spread, type Tone } from "../text/span.ts";
import { summaryOfList } from "./screen.ts";
import { symbolsOf } from "./status_marks.ts";

/** Fewer cells than this say nothing of a path. */
const TARGET_CELLS_MIN = 16;

/** Status older than this is not the present, ms. */
const STALE_MS = 6000;

function healthSpan(state: State): Span {
  const { model, nowMs } = state;
  const symbols = symbolsOf(state.settings.ascii);
  if (model.status === undefined) return span(`${symbols.off} attaching`, "dim");
  if (nowMs - model.status.atMs > STALE_MS) {
    return span(`${symbols.warn} no answer for ${age(model.status.atMs, nowMs)}`, "warn");
  }
  const { health } = model.status.document;
  if (health === "healthy") return span(`${symbols.ok} healthy`, "ok");
  return health === "degraded"
    ? span(`${symbols.warn} degraded`, "warn")
    : span(`${symbols.bad} not running`, "bad");
}

/** The first line: health, rules, memory, disk, place, time. */
export function titleLine(state: State): Line {
  const { model, nowMs, settings, ui } = state;
  const status = model.status?.document;
  const disks = status?.disk.map(({ used_percent }) => used_percent) ?? [];
  const disk = Math.max(0, ...disks);
  const diskTone: Tone = disk >= 90 ? "bad" : disk >= 80 ? "warn" : "dim";
  const left: Line = [
    span(" PIPELINE ", "badge"),
    span(" "),
    healthSpan(state),
    ...(settings.readOnly === false ? [] : [span("  "), span(" READ ONLY ", "badge")]),
    ...(status === undefined ? [] : [
      span(`  rules ${status.config.rules_version ?? "-"}`, "dim"),
      span(`  mem ${bytes(status.rss_total_bytes)}`, "dim"),
      ...(disks.length === 0 ? [] : [span(`  disk ${Math.round(disk)}%`, diskTone)]),
    ]),
  ];
  const time = span(`${clock(nowMs)} UTC `);
  const room = ui.columns - lineWidth(left) - lineWidth([time]) - 4;
  return spread(left, [span(endOf(settings.target, room), "dim"), time], ui.columns);
}

/** As much of the end of a path as there is room for: it must not push out the state, or the badge. */
function endOf(target: string, room: number): string {
  if (target.length <= room) return `${target}  `;
  return room < TARGET_CELLS_MIN ? "" : `…${target.slice(1 - room)}  `;
}

/** The tabs. */
export function tabsLine(state: State): Line {
  const { ui, model } = state;
  const notes: Partial<Record<typeof SCREENS[number], string>> = {
    alerts: model.alerts.total > 0 ? ` ${model.alerts.total}` : "",
    rules: (model.rules?.issues.length ?? 0) > 0 ? " !" : "",
    streams: model.deadLetters.total > 0 ? ` ${model.deadLetters.total} dead` : "",
  };
  const tabs = SCREENS.flatMap((name, index): Span[] => {
    const title = `${index + 1} ${name[0]!.toUpperCase()}${name.slice(1)}${notes[name] ?? ""}`;
    // Brackets as well as colour: a monochrome terminal shows where one is too.
    return name === ui.screen
      ? [span(`[${title}]`, "title"), span(" ")]
      : [span(` ${title} `, "dim"), span(" ")];
  });
  return spread(tabs, [], ui.columns);
}

/** The stage's answer to the newest change, for as long as a message stays. */
function settledEdit(state: State): Line | undefined {
  const edit = state.model.edits.at(-1);
  if (edit?.tookMs === undefined) return undefined;
  if (state.nowMs - edit.wroteAtMs - edit.tookMs > TOAST_MS) return undefined;
  const { ok, bad } = symbolsOf(state.settings.ascii);
  return edit.state === "confirmed"
    ? lineOf(
      `${ok} ${edit.what}: after ${milliseconds(edit.tookMs)} ${edit.answer}`,
      "ok",
    )
    : lineOf(`${bad} ${edit.what}: ${edit.answer}`, "bad");
}

/** The line above the keys: what is typed, what happened, or what the list holds. */
export function messageLine(state: State): Line {
  const { ui, settings } = state;
  if (ui.input !== undefined) {
    const prompts = { filter: "/", command: ":", rate: "rate per second: " };
    return [
      span(`${prompts[ui.input.kind]}${ui.input.text}`, "title"),
      span("▏".slice(0, settings.ascii ? 0 : 1) || "_", "accent"),
      span(ui.input.error === undefined ? "" : `  ${ui.input.error}`, "bad"),
    ];
  }
  if (ui.toast !== undefined) {
    const symbols = symbolsOf(settings.ascii);
    const { tone, text } = ui.toast;
    return [span(`${tone === "ok" ? symbols.ok : symbols[tone]} ${text}`, tone)];
  }
  const waiting = state.model.edits.findLast((edit) => edit.state === "waiting");
  if (waiting !== undefined) {
    return lineOf(`${waiting.what}: written, waiting for the ${waiting.stage} …`, "warn");
  }
  return settledEdit(state) ?? summaryOfList(state);
}
