/** `csv` (RFC 4180, `\n` line ends) and `tsv`, with a header. */
import type { FormatOptions, FormatWriter } from "./format.ts";
import { cellText } from "./text.ts";

function quoted(text: string, separator: string): string {
  const special = text.includes(separator) || /["\r\n]/.test(text);
  return special ? `"${text.replaceAll('"', '""')}"` : text;
}

/** TSV has no quotes: tabs and line ends are written as `\t` and `\n`. */
function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\t", "\\t").replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r");
}

/** Separated values; an empty answer still has its header. */
export function csvWriter({ columns }: FormatOptions, separator: "," | "\t"): FormatWriter {
  const field = (text: string): string =>
    separator === "," ? quoted(text, separator) : escaped(text);
  const line = (texts: readonly string[]): string => texts.map(field).join(separator) + "\n";
  let header = line(columns.map((column) => column.name));
  return {
    rows(rows) {
      const text = header + rows.map((row) => line(row.map(cellText))).join("");
      header = "";
      return text;
    },
    end: () => header,
  };
}
