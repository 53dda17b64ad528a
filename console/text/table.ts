/** Tables of fixed columns, one line a row. Pure. */
import { cellWidth, fitText } from "./cells.ts";
import { age } from "./format.ts";
import type { Line, Span } from "./span.ts";

/** A column of a table. */
export interface Column {
  /** Key in a row's cells and in its sort values. */
  key: string;
  title: string;
  /** Width in cells; a flexible column takes what is left, shared by `flex`. */
  width?: number;
  flex?: number;
  align?: "left" | "right";
  /** Left out below this width of the whole table. */
  from?: number;
}

/** A row: its identity, what it shows, and what it sorts and filters by. */
export interface Row {
  id: string;
  cells: Readonly<Record<string, Span>>;
  /** When it happened, ms: the `age` column counts from it, an export has it as a time. */
  atMs?: number;
  /** Where a cell's text does not sort right. */
  sort?: Readonly<Record<string, number | string>>;
  /** Found by the filter though not shown. */
  hidden?: string;
}

/** Columns that fit into `width`, with the widths that they get. */
export function layoutColumns(
  columns: readonly Column[],
  width: number,
): { column: Column; width: number }[] {
  const shown = columns.filter((column) => (column.from ?? 0) <= width);
  const fixed = shown.reduce((sum, column) => sum + (column.width ?? 0), 0);
  const left = Math.max(0, width - fixed - (shown.length - 1) - 2);
  const parts = shown.reduce((sum, column) => sum + (column.flex ?? 0), 0);
  let given = 0;
  const last = shown.findLast((column) => column.flex !== undefined);
  return shown.map((column) => {
    if (column.flex === undefined) return { column, width: column.width ?? 8 };
    const share = column === last ? left - given : Math.floor((left * column.flex) / parts);
    given += share;
    return { column, width: Math.max(4, share) };
  });
}

/** The header of a table, with the mark of the sorted column. */
export function headerLine(
  columns: readonly Column[],
  width: number,
  sort: { key: string; descending: boolean },
): Line {
  const cells = layoutColumns(columns, width).map(({ column, width: cell }) => {
    const mark = column.key === sort.key ? (sort.descending ? "↓" : "↑") : "";
    return fitText(column.title + mark, cell, column.align);
  });
  return [{ text: `  ${cells.join(" ")}`, tone: "dim" }];
}

/** One row. The cursor is a mark before it and not its colour alone. */
export function rowLine(
  columns: readonly Column[],
  row: Row,
  { width, selected, nowMs }: { width: number; selected: boolean; nowMs: number },
): Line {
  const ageCell: Span = { text: row.atMs === undefined ? "" : age(row.atMs, nowMs), tone: "dim" };
  const spans: Span[] = [{ text: selected ? "> " : "  ", tone: selected ? "selected" : "plain" }];
  layoutColumns(columns, width).forEach(({ column, width: cell }, index) => {
    const { text, tone } = row.cells[column.key] ??
      (column.key === "age" ? ageCell : { text: "", tone: "plain" });
    const gap = index === 0 ? "" : " ";
    spans.push({
      text: gap + fitText(text, cell, column.align),
      tone: selected ? "selected" : tone,
    });
  });
  return spans;
}

/** Labels and values side by side, labels padded to the longest. */
export function pairs(rows: readonly (readonly [string, Span])[]): Line[] {
  const width = Math.max(0, ...rows.map(([label]) => cellWidth(label)));
  return rows.map(([label, value]) => [
    { text: `${fitText(label, width)}  `, tone: "dim" as const },
    value,
  ]);
}
