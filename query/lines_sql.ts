/**
 * Lines of text made by DuckDB itself, for answers of many rows: making a JavaScript value of each cell takes several
 * times longer than reading it. The text is that of the format's writer, which these must agree with.
 */
import { quoteText } from "./conditions.ts";

/** Formats whose rows are lines. */
export const LINE_FORMATS = ["ndjson", "csv", "tsv"] as const;

/** One of {@linkcode LINE_FORMATS}. */
export type LineFormat = typeof LINE_FORMATS[number];

/** Whether rows of a format are lines. */
export function isLineFormat(format: string): format is LineFormat {
  return (LINE_FORMATS as readonly string[]).includes(format);
}

/** A column by DuckDB's spelling of its type. */
export interface TypedColumn {
  name: string;
  type: string;
}

/** JSON numbers and booleans. */
const BARE = new Set(["BOOLEAN", "INTEGER"]);

/** What casts to a text without anything to escape. */
const PLAIN = /^(BIGINT|DATE|DECIMAL\(\d+, ?\d+\))$/;

/** The cell's text as the other formats have it; undefined for types that need more. */
function textSql(type: string, cell: string): string | undefined {
  if (type === "VARCHAR") return cell;
  if (BARE.has(type) || PLAIN.test(type)) return `CAST(${cell} AS VARCHAR)`;
  if (type !== "TIMESTAMPTZ") return undefined;
  return `replace(replace(CAST(${cell} AS VARCHAR), ' ', 'T'), '+00', 'Z')`;
}

function jsonSql(type: string, cell: string): string | undefined {
  const text = textSql(type, cell);
  if (text === undefined) return undefined;
  if (type === "VARCHAR") return `coalesce(CAST(to_json(${cell}) AS VARCHAR), 'null')`;
  return `coalesce(${BARE.has(type) ? text : `'"' || ${text} || '"'`}, 'null')`;
}

function csvSql(type: string, cell: string): string | undefined {
  const text = textSql(type, cell);
  if (type !== "VARCHAR") return text && `coalesce(${text}, '')`;
  const quoted = `'"' || replace(${cell}, '"', '""') || '"'`;
  return `CASE WHEN ${cell} IS NULL THEN '' ` +
    `WHEN regexp_matches(${cell}, '[",\\r\\n]') THEN ${quoted} ELSE ${cell} END`;
}

function tsvSql(type: string, cell: string): string | undefined {
  const text = textSql(type, cell);
  if (type !== "VARCHAR") return text && `coalesce(${text}, '')`;
  const escapes = [["'\\'", "'\\\\'"], ["chr(9)", "'\\t'"], ["chr(10)", "'\\n'"]]
    .concat([["chr(13)", "'\\r'"]]);
  return `coalesce(${
    escapes.reduce((inner, [from, to]) => `replace(${inner}, ${from}, ${to})`, cell)
  }, '')`;
}

/** A statement that gives each row of `sql` as one text; undefined where a column is of another type. */
export function linesSql(
  sql: string,
  columns: readonly TypedColumn[],
  format: LineFormat,
): string | undefined {
  const cellSql = { ndjson: jsonSql, csv: csvSql, tsv: tsvSql }[format];
  // By place: two columns may have one name.
  const cells = columns.map(({ type }, index) => cellSql(type, `c${index}`));
  if (cells.includes(undefined) || cells.length === 0) return undefined;
  const separator = { ndjson: ",", csv: ",", tsv: "\t" }[format];
  const parts = cells.flatMap((cell, index) => {
    const key = format === "ndjson" ? `${JSON.stringify(columns[index]!.name)}:` : "";
    const before = (index === 0 ? "" : separator) + key;
    return before === "" ? [cell!] : [quoteText(before), cell!];
  });
  const line = format === "ndjson" ? ["'{'", ...parts, "'}'"] : parts;
  const names = columns.map((_, index) => `c${index}`).join(", ");
  return `SELECT concat(${line.join(", ")}) FROM (${sql}) AS q(${names})`;
}
