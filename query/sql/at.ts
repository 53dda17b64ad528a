/** `table AT (TIMESTAMP | VERSION => literal)`: the clause as a snapshot, and the text without it. Pure. */
import { MisuseError } from "../../contracts/errors.ts";
import { quoteName } from "../conditions.ts";
import type { SnapshotSelector } from "../question.ts";
import { parseTime } from "../times.ts";
import { literalText } from "./literals.ts";
import { charOffset, type Token, tokens } from "./tokens.ts";
import type { TableReference } from "./tree.ts";

/**
 * Which snapshot a clause asks for: VERSION takes a snapshot id, or the name of a tag or branch.
 *
 * @throws {MisuseError} for an expression that is no literal, and a time that is none.
 */
export function atSelector(at: NonNullable<TableReference["at"]>): SnapshotSelector {
  const literal = literalText(at.expression);
  if (literal === undefined) {
    throw new MisuseError(
      `Cannot use AT (${at.unit} => …): expected a literal, like TIMESTAMP '2026-03-01 10:00:00'`,
    );
  }
  const { text } = literal;
  if (at.unit === "VERSION") {
    return /^\d{1,19}$/.test(text) ? { kind: "id", id: BigInt(text) } : { kind: "ref", name: text };
  }
  const time = parseTime(text);
  if (time === undefined) {
    throw new MisuseError(
      `Cannot use AT (${at.unit} => '${text}'): expected a time like 2026-03-01 10:00:00`,
    );
  }
  return { kind: "timestamp", ms: Math.floor(time.us / 1000) };
}

/** A table reference of the statement and the view that takes its place. */
export interface Replacement {
  reference: TableReference;
  /** As SQL. */
  view: string;
}

/**
 * Puts views in place of references with an AT clause, which DuckDB does not take on views. All other text
 * stays as it is, so that results and errors are those of what was written.
 */
export function replaceAt(sql: string, replacements: readonly Replacement[]): string {
  const ordered = [...replacements].sort((a, b) => b.reference.location - a.reference.location);
  let text = sql;
  for (const { reference, view } of ordered) {
    const place = findReference(text, charOffset(text, reference.location));
    const alias = reference.named ? ` AS ${quoteName(reference.table)}` : "";
    text = text.slice(0, place.start) + view + text.slice(place.nameEnd, place.atStart) +
      alias + text.slice(place.end);
  }
  return text;
}

/** Where a reference, its name and its AT clause begin and end. The parser has seen that they are there. */
function findReference(
  sql: string,
  start: number,
): { start: number; nameEnd: number; atStart: number; end: number } {
  const words = tokens(sql, start);
  const next = (): Token => {
    const { value } = words.next();
    if (value === undefined) throw new Error(`Cannot find the end of AT in "${sql.slice(start)}"`);
    return value;
  };
  let word = next();
  let nameEnd = word.end;
  for (word = next(); word.text === "."; word = next()) nameEnd = next().end;
  // What stands between the name and AT is an alias, which may itself be called "at".
  let previous = "";
  for (;;) {
    const after = next();
    const isAt = word.kind === "name" && word.text.toUpperCase() === "AT" && after.text === "(";
    if (isAt && previous.toUpperCase() !== "AS") break;
    previous = word.text;
    word = after;
  }
  const atStart = word.start;
  for (let depth = 1; depth > 0;) {
    word = next();
    if (word.kind === "mark" && word.text === "(") depth++;
    if (word.kind === "mark" && word.text === ")") depth--;
  }
  return { start, nameEnd, atStart, end: word.end };
}
