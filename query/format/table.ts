/** `table`, `vertical` and `markdown`: for people. */
import type { Cell } from "../engine.ts";
import { cellText, cutText, displayWidth, safeText } from "./text.ts";
import type { FormatOptions, FormatWriter } from "./format.ts";

/** Rows that decide the widths of a table; later ones may overflow theirs when nothing is cut. */
const SAMPLE_ROWS = 1000;

/** No column is squeezed below this. */
const COLUMN_WIDTH_MIN = 6;

const GAP = "  ";

/** How a word stands out on a terminal. */
type Style = (text: string) => string;

const plain: Style = (text) => text;
const bold: Style = (text) => `\x1b[1m${text}\x1b[22m`;
const dim: Style = (text) => `\x1b[2m${text}\x1b[22m`;

/** Columns as texts, with null shown as such. */
function rowTexts(row: readonly Cell[]): string[] {
  return row.map((cell) => (cell === null ? "NULL" : safeText(cellText(cell))));
}

function pad(text: string, width: number): string {
  return " ".repeat(Math.max(0, width - displayWidth(text))) + text;
}

/** Takes width from the widest columns until the line fits; undefined when it cannot. */
export function fitWidths(natural: readonly number[], width: number): number[] | undefined {
  const widths = [...natural];
  const gaps = GAP.length * Math.max(0, widths.length - 1);
  let excess = widths.reduce((sum, w) => sum + w, gaps) - width;
  while (excess > 0) {
    const widest = Math.max(...widths);
    if (widest <= COLUMN_WIDTH_MIN) return undefined;
    const second = Math.max(COLUMN_WIDTH_MIN, ...widths.filter((w) => w < widest));
    const at = widths.flatMap((w, index) => (w === widest ? [index] : []));
    const step = Math.max(1, Math.min(widest - second, Math.floor(excess / at.length)));
    for (const index of at) {
      if (excess <= 0) break;
      const cut = Math.min(step, excess);
      widths[index]! -= cut;
      excess -= cut;
    }
  }
  return widths;
}

/**
 * Aligned columns. On a terminal cells are cut to its width, and where even that is too narrow the
 * answer is shown vertically; without a width nothing is ever cut.
 */
export function tableWriter({ columns, width, color = false }: FormatOptions): FormatWriter {
  let widths: number[] | undefined;
  let vertical: FormatWriter | undefined;
  const held: Cell[][] = [];
  const last = columns.length - 1;
  const line = (texts: readonly string[], styleAt: (at: number) => Style): string =>
    texts.map((text, at) => {
      const shown = width === undefined ? text : cutText(text, widths![at]!);
      const styled = color ? styleAt(at)(shown) : shown;
      const space = " ".repeat(Math.max(0, widths![at]! - displayWidth(shown)));
      if (columns[at]!.numeric) return space + styled;
      return at === last ? styled : styled + space;
    }).join(GAP).trimEnd() + "\n";
  const rowLine = (row: readonly Cell[]): string =>
    line(rowTexts(row), (at) => (row[at] === null ? dim : plain));

  function start(): string {
    const natural = columns.map((column, at) =>
      Math.max(
        displayWidth(safeText(column.name)),
        ...held.map((row) => displayWidth(rowTexts([row[at]!])[0]!)),
      )
    );
    widths = width === undefined ? natural : fitWidths(natural, width);
    if (widths === undefined) {
      vertical = verticalWriter({ columns, color });
      return vertical.rows(held.splice(0));
    }
    const header = line(columns.map((column) => safeText(column.name)), () => bold);
    const rule = widths.map((w) => "─".repeat(w)).join(GAP) + "\n";
    return header + rule + held.splice(0).map(rowLine).join("");
  }

  return {
    rows(rows) {
      if (vertical !== undefined) return vertical.rows(rows);
      if (widths !== undefined) return rows.map(rowLine).join("");
      held.push(...rows);
      return held.length < SAMPLE_ROWS ? "" : start();
    },
    end: () => (widths === undefined && vertical === undefined ? start() : ""),
  };
}

/** A block of `name  value` lines per row; nothing is cut. */
export function verticalWriter({ columns, color = false }: FormatOptions): FormatWriter {
  const width = Math.max(0, ...columns.map((column) => displayWidth(safeText(column.name))));
  const style = (one: Style, text: string): string => (color ? one(text) : text);
  let number = 0;
  const block = (row: readonly Cell[]): string => {
    number++;
    const lines = rowTexts(row).map((text, at) =>
      `${style(bold, pad(safeText(columns[at]!.name), width))}  ${
        style(row[at] === null ? dim : plain, text)
      }`
    );
    return `── ${number} ${"─".repeat(Math.max(0, width - String(number).length))}\n${
      lines.join("\n")
    }\n`;
  };
  return { rows: (rows) => rows.map(block).join(""), end: () => "" };
}

/** A GitHub table. */
export function markdownWriter({ columns }: FormatOptions): FormatWriter {
  const line = (texts: readonly string[]): string =>
    `| ${texts.map((text) => text.replaceAll("|", "\\|")).join(" | ")} |\n`;
  let header = line(columns.map((column) => safeText(column.name))) +
    line(columns.map((column) => (column.numeric ? "---:" : "---")));
  return {
    rows(rows) {
      const text = header + rows.map((row) => line(row.map((c) => safeText(cellText(c))))).join("");
      header = "";
      return text;
    },
    end: () => header,
  };
}
