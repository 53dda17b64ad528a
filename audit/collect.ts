/** Runs the checks over the filled scratch tables, slice by slice, and counts what they find. */
import { type FindingGroup, noCounts } from "./check.ts";
import { CHECKS } from "./checks.ts";
import { AUDITED_TABLES } from "./facts.ts";
import { type LookupContext, offendersOf } from "./offenders.ts";
import type { Finding } from "./report.ts";
import type { Scratch } from "./scratch.ts";
import { cutSlice, type Slice } from "./slices.ts";

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

/** Runs every check on slices, on a connection of its own, into `finding`. */
export async function runChecks(scratch: Scratch, slices: readonly Slice[]): Promise<void> {
  for (const slice of slices) {
    await cutSlice(scratch, slice);
    for (const [id, { sql }] of CHECKS.entries()) {
      await scratch.run(
        `INSERT INTO finding SELECT ${id}, source, p, o, pos, rule, detail, NULL FROM (${sql})`,
      );
    }
  }
}

/** Counts the findings and names the first of each kind. */
export async function collect(context: LookupContext): Promise<Collected> {
  const { scratch } = context;
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
