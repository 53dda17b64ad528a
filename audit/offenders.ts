/** Names what the checks found: where it lies, of which raw record it is, and which transaction that is. */
import { parseTrace } from "../contracts/ids.ts";
import type { TopicNames } from "../contracts/topics.ts";
import { CHECKS } from "./checks.ts";
import { AUDITED_TABLES, type AuditedTable } from "./facts.ts";
import { type Offender, OFFENDERS_MAX } from "./report.ts";
import type { Scratch } from "./scratch.ts";
import { type TopicReader, valueOf } from "./topic_reader.ts";

/** Where offenders are looked up. */
export interface LookupContext {
  scratch: Scratch;
  reader: TopicReader;
  topics: TopicNames;
  namespace: string;
  /** transaction_id of a row, by its lineage; for rows that no record stands behind. */
  rowTransactionId(table: AuditedTable, partition: number, offset: number): Promise<
    string | undefined
  >;
}

interface FindingRow {
  source: string;
  p: number | null;
  o: number | null;
  pos: number | null;
  rule: string | null;
  detail: string;
}

/** The first offenders of a kind. */
export async function offendersOf(
  context: LookupContext,
  check: number,
  snapshot: string | null,
): Promise<Offender[]> {
  const rows = await context.scratch.rows<FindingRow>(
    `SELECT source, p, o, pos, rule, detail FROM finding WHERE check_id = ${check}
      AND snapshot IS NOT DISTINCT FROM ${snapshot === null ? "NULL" : `'${snapshot}'`}
      ORDER BY p, o, pos, rule LIMIT ${OFFENDERS_MAX}`,
  );
  const offenders: Offender[] = [];
  for (const row of rows) {
    const { source, p, o, pos, rule, detail } = row;
    offenders.push({
      at: placeOf(context, CHECKS[check]!.table, row),
      trace: o === null || p === null ? undefined : `${context.topics.raw}/${p}/${o}`,
      transactionId: await transactionIdOf(context, { source, p, o, pos }),
      rule: rule ?? undefined,
      detail,
    });
  }
  return offenders;
}

function placeOf(
  { topics, namespace }: LookupContext,
  table: AuditedTable | undefined,
  { source, p, o, pos }: FindingRow,
): string {
  if (table !== undefined) return `${namespace}.${table}`;
  if (source === "raw") return `${topics.raw}/${p}/${o}`;
  return `${topics[source as "transactions" | "deadLetter" | "alerts"]}/${p}/${pos}`;
}

const ROLES: Readonly<Record<string, "transactions" | "deadLetter" | "alerts">> = {
  transactions: "transactions",
  alerts: "alerts",
  deadLetter: "deadLetter",
  dead_letters: "deadLetter",
};

/** Looked up in the record itself, else in the raw record, else in the row. */
async function transactionIdOf(
  context: LookupContext,
  { source, p, o, pos }: Pick<FindingRow, "source" | "p" | "o" | "pos">,
): Promise<string | undefined> {
  const { topics } = context;
  if (p === null) return undefined;
  const role = ROLES[source];
  const own = role === undefined || pos === null
    ? undefined
    : await idAt(context, topics[role], p, pos);
  const raw = own ?? (o === null ? undefined : await idAt(context, topics.raw, p, o));
  if (raw !== undefined || o === null) return raw;
  const table = AUDITED_TABLES.find((name) => name === source);
  return table === undefined ? undefined : await context.rowTransactionId(table, p, o);
}

async function idAt(
  { reader, topics }: LookupContext,
  topic: string,
  partition: number,
  offset: number,
): Promise<string | undefined> {
  try {
    const found = await reader.first({ topic, partition, from: offset, to: offset + 1 });
    const bytes = found && valueOf(found.records, found.index);
    if (!bytes) return undefined;
    const value = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
    if (typeof value.transaction_id === "string") return value.transaction_id;
    // A dead letter: its source has it, if anything has.
    const source = value.source as { offset?: string } | undefined;
    const trace = source && parseTrace(`${topics.raw}/${partition}/${source.offset}`);
    return trace && topic !== topics.raw
      ? await idAt({ reader, topics } as LookupContext, topics.raw, partition, trace.offset)
      : undefined;
  } catch {
    // Expired meanwhile, or no JSON: an offender is named without it.
    return undefined;
  }
}
