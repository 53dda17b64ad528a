/** A format: from columns and rows to text, piece by piece. */
import type { AnswerColumn, Cell } from "../engine.ts";
import { csvWriter } from "./csv.ts";
import { jsonWriter, ndjsonWriter } from "./json.ts";
import { markdownWriter, tableWriter, verticalWriter } from "./table.ts";
import type { FormatName } from "./names.ts";

/** Turns rows into text; each function returns what to print next. */
export interface FormatWriter {
  rows(rows: Cell[][]): string;
  end(): string;
}

/** What a format may need to know. */
export interface FormatOptions {
  columns: readonly AnswerColumn[];
  /** Width of the terminal; absent: nothing is cut. */
  width?: number;
  /** Colours, for a terminal. @default {false} */
  color?: boolean;
}

/** Formats that are text. */
export type TextFormat = Exclude<FormatName, "parquet" | "arrow">;

const WRITERS: Readonly<Record<TextFormat, (options: FormatOptions) => FormatWriter>> = {
  table: tableWriter,
  vertical: verticalWriter,
  json: jsonWriter,
  ndjson: ndjsonWriter,
  csv: (options) => csvWriter(options, ","),
  tsv: (options) => csvWriter(options, "\t"),
  markdown: markdownWriter,
};

/** The writer of a format. */
export function formatWriter(format: TextFormat, options: FormatOptions): FormatWriter {
  return WRITERS[format](options);
}
