/** The rows of a list as a file. Pure. */
import type { Column, Row } from "../text/table.ts";

function csvCell(text: string): string {
  // A formula would be run by whoever opens the file in a spreadsheet.
  const safe = /^[=+@]/.test(text) || /^-\D/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** One JSON object, or one line of CSV, per row, of the columns of the list. */
export function exportRows(
  columns: readonly Column[],
  rows: readonly Row[],
  format: "ndjson" | "csv",
): string {
  const keys = columns.map(({ key }) => key);
  const names = keys.map((key) =>
    key === "age" && rows.some((row) => row.atMs !== undefined) ? "time" : key
  );
  // What is an age or a clock on the screen is a time in a file that is read later.
  const timed = (row: Row, key: string): boolean =>
    row.atMs !== undefined && (key === "age" || key === "time");
  const text = (row: Row, key: string): string =>
    timed(row, key) ? new Date(row.atMs!).toISOString() : row.cells[key]?.text ?? "";
  const lines = format === "ndjson"
    ? rows.map((row) =>
      JSON.stringify(Object.fromEntries(keys.map((key, index) => [names[index], text(row, key)])))
    )
    : [names.join(","), ...rows.map((row) => keys.map((key) => csvCell(text(row, key))).join(","))];
  return lines.map((line) => `${line}\n`).join("");
}
