/** What a check is: a question in SQL over a slice of the scratch tables (facts.ts) whose rows are what is wrong. Pure. */
import { DEAD_LETTER_TYPES } from "../contracts/dead_letter.ts";
import type { AuditedTable } from "./facts.ts";
import { quoteText } from "./sql_text.ts";

/** Columns of the printed table that findings are counted in. */
export const FINDING_GROUPS = [
  "missing",
  "doubled",
  "stray",
  "misjudged",
  "flags",
  "tables",
  "unverifiable",
] as const;

/** One of {@linkcode FINDING_GROUPS}. */
export type FindingGroup = typeof FINDING_GROUPS[number];

/** Nothing in any group. */
export function noCounts(): Record<FindingGroup, number> {
  return Object.fromEntries(FINDING_GROUPS.map((group) => [group, 0])) as Record<
    FindingGroup,
    number
  >;
}

/** A check. */
export interface Check {
  /** Names the kind of offence. */
  name: string;
  group: FindingGroup;
  /**
   * Selects source, p, o, pos, rule, detail. Nearly always there is nothing to find, so that the joins over everything
   * come first and texts are made for what is left.
   */
  sql: string;
  /** The table whose rows are looked at: other writers may have changed them. */
  table?: AuditedTable;
}

/** A rules_version for people, of its number in the scratch tables. */
export function versionText(column: string): string {
  return `CASE WHEN ${column} < 0 THEN 'none'
    ELSE lpad(printf('%x', ${column}::BIGINT), 12, '0') END`;
}

const KINDS = ["a transaction", ...DEAD_LETTER_TYPES.map((type) => `a dead letter (${type})`)]
  .map(quoteText).join(", ");

/** What a kind says. */
export function kindText(column: string): string {
  return `coalesce([${KINDS}][${column} + 1], 'none of the kinds')`;
}
