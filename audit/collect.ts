/** Runs the checks over the filled scratch tables and names the first offenders of each kind. */
import { parseTrace } from "../contracts/ids.ts";
import type { TopicNames } from "../contracts/topics.ts";
import { CHECKS, FINDING_GROUPS, type FindingGroup } from "./checks.ts";
import { AUDITED_TABLES, type AuditedTable } from "./facts.ts";
import { type Finding, type Offender, OFFENDERS_MAX } from "./report.ts";
import type { Scratch } from "./scratch.ts";
import { cutSlice, type Slice } from "./slices.ts";
import { type TopicReader, valueOf } from "./topic_reader.ts";

/** Where offenders are looked up. */
export interface CollectContext {
  scratch: Scratch;
  reader: TopicReader;
  topics: TopicNames;
  namespace: string;
  /** All of the data, cut up. */
  slices: readonly Slice[];
  /** transaction_id of a row, by its lineage; for rows that no record stands behind. */
  rowTransactionId(table: AuditedTable, partition: number, offset: number): Promise<
    string | undefined
  >;
}

/** Findings, and how many of each group in each partition. */
export interface Collected {
  findings: Finding[];
  counts: Map<number, Record<FindingGroup, number>>;
}

interface CountRow {
  check_id: number;
  snapshot: string | null;
  p: number | null;
  n: string;
}

interface FindingRow {
  source: string;
  p: number | null;
  o: number | null;
  pos: number | null;
  rule: string | null;
  detail: string;
}

/** Nothing in any group. */
export function noCounts(): Record<FindingGroup, number> {
  return Object.fromEntries(FINDING_GROUPS.map((group) => [group, 0])) as Record<
    FindingGroup,
    number
  >;
}

/** Runs every check on every slice. `onSlice` is told how many are done. */
export async function collect(
  context: CollectContext,
  onSlice: (done: number, of: number) => void,
): Promise<Collected> {
  const { scratch } = context;
  for (const [done, slice] of context.slices.entries()) {
    onSlice(done, context.slices.length);
    await cutSlice(scratch, slice);
    for (const [id, { sql }] of CHECKS.entries()) {
      await scratch.run(
        `INSERT INTO finding SELECT ${id}, source, p, o, pos, rule, detail, NULL FROM (${sql})`,
      );
    }
  }
  await scratch.run(
    `DELETE FROM finding WHERE EXISTS (SELECT 1 FROM gap g
      WHERE g.p = finding.p AND finding.o >= g.from_o AND finding.o < g.to_o)`,
  );
  await explainByForeign(scratch);
  const rows = await scratch.rows<CountRow>(
    `SELECT check_id, snapshot, p, count(*) AS n FROM finding GROUP BY ALL ORDER BY ALL`,
  );
  const counts = new Map<number, Record<FindingGroup, number>>();
  const kinds = new Map<string, { check: number; snapshot: string | null; count: number }>();
  for (const { check_id, snapshot, p, n } of rows) {
    const of = counts.get(p ?? -1) ?? noCounts();
    of[CHECKS[check_id]!.group] += Number(n);
    counts.set(p ?? -1, of);
    const key = `${check_id}/${snapshot}`;
    const kind = kinds.get(key) ?? { check: check_id, snapshot, count: 0 };
    kind.count += Number(n);
    kinds.set(key, kind);
  }
  const findings: Finding[] = [];
  for (const { check, snapshot, count } of kinds.values()) {
    const { name, group } = CHECKS[check]!;
    findings.push({
      kind: snapshot === null ? name : `changed by others (snapshot ${snapshot}): ${name}`,
      excused: group === "unverifiable",
      count,
      offenders: await offendersOf(context, check, snapshot),
    });
  }
  return { findings, counts };
}

/** What snapshots of others did to rows is said to be theirs. */
async function explainByForeign(scratch: Scratch): Promise<void> {
  for (const [id, { table }] of CHECKS.entries()) {
    if (table === undefined) continue;
    await scratch.run(
      `UPDATE finding SET snapshot = f.snapshot FROM (SELECT p, o, min(snapshot) AS snapshot
        FROM foreign_change WHERE tbl = ${AUDITED_TABLES.indexOf(table)} GROUP BY p, o) f
      WHERE finding.check_id = ${id} AND finding.p = f.p AND finding.o = f.o`,
    );
  }
}

async function offendersOf(
  context: CollectContext,
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
  { topics, namespace }: CollectContext,
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
  context: CollectContext,
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
  { reader, topics }: CollectContext,
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
      ? await idAt({ reader, topics } as CollectContext, topics.raw, partition, trace.offset)
      : undefined;
  } catch {
    // Expired meanwhile, or no JSON: an offender is named without it.
    return undefined;
  }
}
