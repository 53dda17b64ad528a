/** Names of the output formats. */
export const FORMATS = [
  "table",
  "vertical",
  "json",
  "ndjson",
  "csv",
  "tsv",
  "markdown",
  "parquet",
  "arrow",
] as const;

/** One of {@linkcode FORMATS}. */
export type FormatName = typeof FORMATS[number];
