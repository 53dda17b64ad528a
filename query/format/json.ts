/** `json`: one array; `ndjson`: one object a line. Decimals and 64-bit numbers are strings. */
import type { FormatOptions, FormatWriter } from "./format.ts";
import type { AnswerColumn, Cell } from "../engine.ts";

function objectText(columns: readonly AnswerColumn[], row: readonly Cell[]): string {
  // Built by hand so that two columns of one name both stay, and __proto__ is a name like any other.
  const fields = columns.map(({ name }, index) =>
    `${JSON.stringify(name)}:${JSON.stringify(row[index])}`
  );
  return `{${fields.join(",")}}`;
}

/** One object a line. */
export function ndjsonWriter({ columns }: FormatOptions): FormatWriter {
  return {
    rows: (rows) => rows.map((row) => objectText(columns, row) + "\n").join(""),
    end: () => "",
  };
}

/** One array, an element a line. */
export function jsonWriter({ columns }: FormatOptions): FormatWriter {
  let separator = "[\n";
  return {
    rows: (rows) =>
      rows.map((row) => {
        const text = separator + objectText(columns, row);
        separator = ",\n";
        return text;
      }).join(""),
    end: () => (separator === "[\n" ? "[]\n" : "\n]\n"),
  };
}
