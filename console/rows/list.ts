/** Filter, sort, cursor and window of a list. Pure. */
import type { ListUi } from "../store/ui.ts";
import { type Line, lineOf, span } from "../text/span.ts";
import { type Column, headerLine, type Row, rowLine } from "../text/table.ts";

/** Texts by row: rows that stay are filtered again and again. */
const searchTexts = new WeakMap<Row, string>();

/** What the filter looks at. */
function searchText(row: Row): string {
  const known = searchTexts.get(row);
  if (known !== undefined) return known;
  const shown = Object.values(row.cells).map(({ text }) => text).join(" ");
  const text = `${shown} ${row.hidden ?? ""}`.toLowerCase();
  searchTexts.set(row, text);
  return text;
}

/** Rows that a filter lets through: every word of it must be there; `!` in front turns it round. */
export function filterRows(rows: readonly Row[], filter: string): readonly Row[] {
  const inverse = filter.startsWith("!");
  const words = filter.slice(inverse ? 1 : 0).toLowerCase().split(/\s+/).filter((w) => w !== "");
  if (words.length === 0) return rows;
  return rows.filter((row) => {
    const text = searchText(row);
    return words.every((word) => text.includes(word)) !== inverse;
  });
}

/** Rows in the order of a column: numbers by size, text by code unit, equal ones as they were. */
export function sortRows(
  rows: readonly Row[],
  { key, descending }: { key: string; descending: boolean },
): readonly Row[] {
  const value = (row: Row): string | number => row.sort?.[key] ?? row.cells[key]?.text ?? "";
  const sign = descending ? -1 : 1;
  return [...rows].sort((a, b) => {
    const left = value(a);
    const right = value(b);
    return left === right ? 0 : left < right ? -sign : sign;
  });
}

/** Rows as the operator wants to see them. */
export function listedRows(rows: readonly Row[], list: ListUi): readonly Row[] {
  return sortRows(filterRows(rows, list.filter), list.sort);
}

/** Index of the cursor's row: the first one where there is none, or where it is gone. */
export function cursorIndex(rows: readonly Row[], list: ListUi): number {
  if (list.cursor === undefined) return 0;
  return Math.max(0, rows.findIndex(({ id }) => id === list.cursor));
}

/** First visible row: where it was, moved as little as shows the cursor. */
export function windowTop(
  { count, height, cursor, top }: { count: number; height: number; cursor: number; top: number },
): number {
  const near = Math.min(Math.max(top, cursor - height + 1), cursor);
  return Math.max(0, Math.min(near, count - height));
}

/** What there is to know to draw a list. */
export interface ListView {
  columns: readonly Column[];
  rows: readonly Row[];
  list: ListUi;
  /** Shown where there are no rows. */
  empty: string;
}

/** Header, visible rows, and blanks up to `height`. */
export function listLines(
  { columns, rows, list, empty }: ListView,
  { width, height, nowMs }: { width: number; height: number; nowMs: number },
): Line[] {
  const room = Math.max(1, height - 1);
  const cursor = cursorIndex(rows, list);
  const top = windowTop({ count: rows.length, height: room, cursor, top: list.top });
  const shown = rows.slice(top, top + room).map((row, index) =>
    rowLine(columns, row, { width, selected: top + index === cursor, nowMs })
  );
  const none = list.filter === "" ? empty : `nothing matches "${list.filter}"  (Esc clears it)`;
  return [
    headerLine(columns, width, list.sort),
    ...(rows.length === 0 ? [lineOf(`  ${none}`, "dim")] : shown),
  ];
}

/** `rapid: 12 of 480`, for the line above the keys. */
export function listSummary(list: ListUi, shown: number, all: number, dropped: number): Line {
  return [
    span(`${shown === all ? shown : `${shown} of ${all}`} rows`, "dim"),
    ...(list.filter === "" ? [] : [span(`  /${list.filter}`, "accent")]),
    ...(list.pausedAtSeq === undefined ? [] : [span("  PAUSED", "warn")]),
    ...(dropped === 0 ? [] : [span(`  ${dropped} older dropped`, "dim")]),
  ];
}
