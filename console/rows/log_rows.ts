/** Log lines as rows and in full. Pure. */
import type { LogItem } from "../store/model.ts";
import type { Ui } from "../store/ui.ts";
import { wrapText } from "../text/cells.ts";
import { clock } from "../text/format.ts";
import { type Line, lineOf, span, type Tone } from "../text/span.ts";
import { type Column, pairs, type Row } from "../text/table.ts";

/** Columns of the logs screen. */
export const LOG_COLUMNS: readonly Column[] = [
  { key: "time", title: "time", width: 8 },
  { key: "level", title: "level", width: 5 },
  { key: "component", title: "component", width: 18 },
  { key: "event", title: "event", width: 18 },
  { key: "fields", title: "fields", flex: 1 },
];

const LEVELS: Readonly<Record<Ui["level"], number>> = { debug: 0, info: 1, warn: 2, error: 3 };
const TONES: Readonly<Record<string, Tone>> = { debug: "dim", warn: "warn", error: "bad" };

/** True where a line is at least as severe. */
export function atLeast(item: LogItem, level: Ui["level"]): boolean {
  return (LEVELS[item.level as Ui["level"]] ?? 1) >= LEVELS[level];
}

function fieldText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value) ?? "";
}

/** Rows by item: they never change, and thousands of them are drawn again and again. */
const knownRows = new WeakMap<LogItem, Row>();

/** Rows of the logs screen. */
export function logRows(items: readonly LogItem[]): Row[] {
  return items.map((item) => {
    const known = knownRows.get(item) ?? logRow(item);
    knownRows.set(item, known);
    return known;
  });
}

function logRow({ id, seq, atMs, level, component, event, fields }: LogItem): Row {
  const text = Object.entries(fields).map(([name, value]) =>
    name === "message" ? fieldText(value) : `${name}=${fieldText(value)}`
  ).join(" ");
  const tone = TONES[level] ?? "plain";
  return {
    id,
    atMs,
    cells: {
      time: span(clock(atMs), "dim"),
      level: span(level, tone === "plain" ? "dim" : tone),
      component: span(component),
      event: span(event, tone),
      fields: span(text, "dim"),
    },
    sort: { time: atMs * 1000 + (seq % 1000) },
    hidden: `level=${level} component=${component} event=${event}`,
  };
}

/** A log line in full. */
export function logDetail(item: LogItem, width: number): Line[] {
  return [
    [
      span(item.level, TONES[item.level] ?? "plain"),
      span(`  ${item.component}  ${item.event}`, "title"),
      span(`  ${new Date(item.atMs).toISOString()}`, "dim"),
    ],
    [],
    ...Object.entries(item.fields).flatMap(([name, value]): Line[] => {
      const text = typeof value === "string" ? value : JSON.stringify(value, null, 2) ?? "";
      const lines = text.split("\n").flatMap((part) => wrapText(part, Math.max(10, width - 4)));
      return lines.length === 1
        ? pairs([[name, span(lines[0]!)]])
        : [lineOf(name, "dim"), ...lines.map((one) => lineOf(`    ${one}`))];
    }),
  ];
}
