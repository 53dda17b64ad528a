/** The text formats by name: from columns and rows to text, piece by piece. */
import { csvWriter } from "./csv.ts";
import type { FormatOptions, FormatWriter } from "./format.ts";
import { jsonWriter, ndjsonWriter } from "./json.ts";
import { markdownWriter, tableWriter, verticalWriter } from "./table.ts";
import type { FormatName } from "./names.ts";

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
