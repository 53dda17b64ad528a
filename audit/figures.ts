/** Figures of the printed tables, counted in the scratch tables. */
import { noCounts } from "./check.ts";
import type { Collected } from "./collect.ts";
import { AUDITED_TABLES, type AuditedTable } from "./facts.ts";
import type { ReadPartition } from "./read_partition.ts";
import type { ReadTable } from "./read_tables.ts";
import type { PartitionFigures, TableReport } from "./report.ts";
import type { Scratch } from "./scratch.ts";
import { type AuditView, TOPIC_OF } from "./view.ts";

/** One line per partition. */
export async function partitionFigures(
  scratch: Scratch,
  view: AuditView,
  found: {
    read: readonly ReadPartition[];
    collected: Collected;
    /** Raw records that tables gave up, by partition. */
    lost: ReadonlyMap<number, number>;
  },
): Promise<PartitionFigures[]> {
  const { read, collected: { counts }, lost } = found;
  const rows = await scratch.rows<{ tbl: number; p: number; n: string }>(
    `SELECT tbl, p, count(*) AS n FROM all_table_row
      WHERE p IS NOT NULL AND o IS NOT NULL AND of_alert = 0 GROUP BY ALL`,
  );
  const waiting = await scratch.rows<{ p: number; n: string }>(
    `SELECT p, count(*) AS n FROM all_output u JOIN cut c USING (p)
      WHERE u.o >= c.start AND u.o < c.position
      AND u.pos >= CASE u.topic WHEN 0 THEN c.transactions_next ELSE c.dead_letters_next END
      GROUP BY ALL`,
  );
  return view.partitions.map(({ partition, changelog }, index) => {
    const rowsOf = (tbl: number) =>
      Number(rows.find((row) => row.tbl === tbl && row.p === partition)?.n ?? 0);
    return {
      ...(counts.get(partition) ?? noCounts()),
      raw: read[index]!.judged + read[index]!.waiting,
      stored: rowsOf(0),
      deadLettered: rowsOf(1),
      alerts: rowsOf(2),
      unjudged: read[index]!.waiting,
      unstored: Number(waiting.find(({ p }) => p === partition)?.n ?? 0),
      lost: changelog.gapsOfThisLog.reduce(
        (sum, { from, to }) => sum + to - from,
        lost.get(partition) ?? 0,
      ),
    };
  });
}

/** The sum of all partitions. */
export function totalFigures(partitions: readonly PartitionFigures[]): PartitionFigures {
  const none: PartitionFigures = {
    ...noCounts(),
    raw: 0,
    stored: 0,
    deadLettered: 0,
    alerts: 0,
    unjudged: 0,
    unstored: 0,
    lost: 0,
  };
  const keys = Object.keys(none) as (keyof PartitionFigures)[];
  return Object.fromEntries(
    keys.map((key) => [key, partitions.reduce((sum, one) => sum + one[key], 0)]),
  ) as unknown as PartitionFigures;
}

/** One line per table. */
export async function tableReport(
  scratch: Scratch,
  namespace: string,
  table: ReadTable,
): Promise<TableReport> {
  const { name, files, foreign } = table;
  const audited = AUDITED_TABLES.find((one) => one === name);
  const metadata = table.view?.metadata;
  const figures = audited === undefined
    ? { rows: undefined, foreignRows: undefined, waiting: undefined }
    : { ...await rowCounts(scratch, audited), waiting: await waitingIn(scratch, audited) };
  return {
    name: `${namespace}.${name}`,
    exists: metadata !== undefined,
    ...figures,
    snapshots: metadata?.snapshots.length ?? 0,
    files: files?.addedBy.size ?? 0,
    missingFiles: files?.missing.length ?? 0,
    orphans: files?.orphans ?? { count: 0, bytes: 0, first: [] },
    foreign: foreign.map(({ snapshotId, operation, timestampMs, rows }) => ({
      snapshotId: String(snapshotId),
      operation,
      at: new Date(timestampMs).toISOString(),
      rows,
    })),
  };
}

async function rowCounts(
  scratch: Scratch,
  table: AuditedTable,
): Promise<{ rows: number; foreignRows: number }> {
  const [counted] = await scratch.rows<{ ours: string; others: string }>(
    `SELECT count(p) AS ours, count(*) - count(p) AS others FROM all_table_row
      WHERE tbl = ${AUDITED_TABLES.indexOf(table)}`,
  );
  return { rows: Number(counted!.ours), foreignRows: Number(counted!.others) };
}

async function waitingIn(scratch: Scratch, table: AuditedTable): Promise<number> {
  const records = table === "alerts"
    ? "all_alert u"
    : `(SELECT * FROM all_output WHERE topic = ${TOPIC_OF[table] === "transactions" ? 0 : 1}) u`;
  const [row] = await scratch.rows<{ n: string }>(
    `SELECT count(*) AS n FROM ${records} JOIN cut c USING (p)
      WHERE u.o < c.position AND u.pos >= c.${table}_next`,
  );
  return Number(row!.n);
}
