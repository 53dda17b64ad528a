/** What an audit found, and how it is printed. Pure. */
import type { FindingGroup } from "./check.ts";

/** Most offenders that are named of each kind. */
export const OFFENDERS_MAX = 10;

/** One thing that is wrong, named. */
export interface Offender {
  /** Where it lies: `alerts/2/1017`, `finance.transactions`, … */
  at: string;
  /** `<raw topic>/<partition>/<offset>`; undefined where no raw record is meant. */
  trace: string | undefined;
  transactionId: string | undefined;
  rule: string | undefined;
  detail: string;
}

/** All of one kind. */
export interface Finding {
  kind: string;
  /** True where it does not count against the verdict: it cannot be verified. */
  excused: boolean;
  count: number;
  /** The first {@linkcode OFFENDERS_MAX}. */
  offenders: Offender[];
}

/** Figures of a partition, or of all. */
export interface PartitionFigures extends Record<FindingGroup, number> {
  /** Raw records that were looked at. */
  raw: number;
  /** Rows in `transactions` with our lineage. */
  stored: number;
  /** Rows in `dead_letters` of raw records. */
  deadLettered: number;
  /** Rows in `alerts`. */
  alerts: number;
  /** Raw records at or beyond the position: not judged yet. */
  unjudged: number;
  /** Judged, but beyond the offsets that the tables have read. */
  unstored: number;
  /** Raw offsets in accepted gaps of the processor, and raw records that accepted gaps of tables explain. */
  lost: number;
}

/** Where a partition was cut. Offsets are of the raw topic. */
export interface PartitionCut {
  partition: number;
  start: number;
  position: number;
  end: number;
  /** The log begins behind its first record: state from before is unknown. */
  truncated: boolean;
}

/** One table. */
export interface TableReport {
  name: string;
  exists: boolean;
  /** Rows of ours, by their lineage; undefined where a table's rows are not compared, but only its files. */
  rows: number | undefined;
  /** Rows of other writers, which have no lineage; undefined as `rows`. */
  foreignRows: number | undefined;
  /** Records of its topic that it has not read yet; undefined as `rows`. */
  waiting: number | undefined;
  snapshots: number;
  files: number;
  missingFiles: number;
  orphans: { count: number; bytes: number; first: string[] };
  foreign: { snapshotId: string; operation: string; at: string; rows: number | undefined }[];
}

/** A gap that an operator accepted. */
export interface GapReport {
  partition: number;
  kind: string;
  from: number;
  to: number;
  reason: string;
  acceptedAt: string;
}

/** A gap that an operator accepted for a table: offsets of its topic. */
export interface TableGapReport {
  table: string;
  topic: string;
  partition: number;
  stored: number;
  next: number;
  reason: string;
  acceptedAt: string;
}

/** The whole audit. */
export interface AuditReport {
  clean: boolean;
  rawTopic: string;
  since: string | undefined;
  full: boolean;
  cuts: PartitionCut[];
  partitions: PartitionFigures[];
  total: PartitionFigures;
  tables: TableReport[];
  findings: Finding[];
  gaps: GapReport[];
  tableGaps: TableGapReport[];
  /** Records of outputs that came of an earlier raw topic of the same name, and were left out. */
  earlier: { partition: number; records: number }[];
  durationMs: number;
}

const COLUMNS: readonly [keyof PartitionFigures, string][] = [
  ["raw", "RAW"],
  ["stored", "STORED"],
  ["deadLettered", "DEAD"],
  ["unjudged", "UNJUDGED"],
  ["unstored", "UNSTORED"],
  ["missing", "MISSING"],
  ["doubled", "DOUBLED"],
  ["stray", "STRAY"],
  ["misjudged", "MISJUDGED"],
  ["flags", "IS_FLAGGED"],
  ["tables", "TABLES"],
  ["unverifiable", "UNVERIF."],
  ["lost", "LOST"],
];

/** Groups of digits, so that a million can be told from ten. */
export function printCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

function grid(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)
    ).join("  ").trimEnd()
  );
}

function figuresText(report: AuditReport): string[] {
  const line = (name: string, figures: PartitionFigures) => [
    name,
    ...COLUMNS.map(([key]) => printCount(figures[key])),
  ];
  return grid([
    ["PARTITION", ...COLUMNS.map(([, title]) => title)],
    ...report.partitions.map((figures, partition) => line(String(partition), figures)),
    line("total", report.total),
  ]);
}

function tablesText(tables: readonly TableReport[]): string[] {
  const rows = tables.map((table) => [
    table.name,
    ...(table.exists
      ? [
        ...[table.rows, table.waiting, table.foreignRows]
          .map((count) => count === undefined ? "-" : printCount(count)),
        printCount(table.snapshots),
        printCount(table.files),
        printCount(table.missingFiles),
        printCount(table.orphans.count),
      ]
      : ["none yet", "", "", "", "", "", ""]),
  ]);
  const heads = ["ROWS", "WAITING", "OF OTHERS", "SNAPSHOTS", "FILES", "MISSING", "ORPHANS"];
  return grid([["TABLE", ...heads], ...rows]);
}

function offenderText({ at, trace, transactionId, rule, detail }: Offender): string {
  const parts = [
    at,
    ...(trace === undefined || at === trace ? [] : [`of ${trace}`]),
    ...(transactionId === undefined ? [] : [`transaction ${transactionId}`]),
    ...(rule === undefined ? [] : [`rule ${rule}`]),
  ];
  return `  ${parts.join(", ")}: ${detail}`;
}

function findingText(finding: Finding): string[] {
  const { kind, count, offenders } = finding;
  const more = count - offenders.length;
  return [
    `${kind}: ${printCount(count)}`,
    ...offenders.map(offenderText),
    ...(more > 0 ? [`  and ${printCount(more)} more`] : []),
  ];
}

function notes(report: AuditReport): string[] {
  return [
    ...report.gaps.map(({ partition, kind, from, to, reason, acceptedAt }) => {
      const what = to > from ? `raw offsets ${from} to ${to - 1}` : "offsets that nobody can name";
      return `lost, accepted ${acceptedAt}: ${report.rawTopic}/${partition}, ${what} (${kind}): ${reason}`;
    }),
    ...report.tableGaps.map(({ table, topic, partition, stored, next, reason, acceptedAt }) =>
      `lost, accepted ${acceptedAt}: ${table}, ${topic}/${partition}, it had read up to ${stored} and went on at ${next}: ${reason}`
    ),
    ...report.earlier.map(({ partition, records }) =>
      `earlier log: ${
        printCount(records)
      } records of partition ${partition} came of a "${report.rawTopic}" that was deleted; left out, as are their rows`
    ),
    ...report.tables.flatMap(tableNotes),
  ];
}

function tableNotes({ name, foreign, orphans }: TableReport): string[] {
  const changes = foreign.map(({ snapshotId, operation, at, rows }) => {
    const what = rows === undefined
      ? "its files have expired, so its rows cannot be told"
      : `${printCount(rows)} rows of ours`;
    return `changed by others (snapshot ${snapshotId}): ${name}, ${operation} at ${at}, ${what}`;
  });
  if (orphans.count === 0) return changes;
  const size = `${printCount(orphans.count)} files (${printCount(orphans.bytes)} bytes)`;
  return [
    ...changes,
    `orphans: ${name}, ${size} that no snapshot refers to; first: ${orphans.first[0]}`,
  ];
}

/** The verdict in one line. */
export function verdictText(report: AuditReport): string {
  const { raw, unverifiable, lost } = report.total;
  const gaps = report.gaps.length + report.tableGaps.length;
  const seconds = (report.durationMs / 1000).toFixed(1);
  const limits = [
    ...(unverifiable > 0 ? [`${printCount(unverifiable)} verdicts unverifiable`] : []),
    ...(gaps > 0 ? [`${printCount(lost)} raw records lost in ${gaps} accepted gaps`] : []),
  ];
  const but = limits.length === 0 ? "" : `; ${limits.join(", ")}`;
  if (report.clean) {
    return `CLEAN: ${printCount(raw)} raw records accounted for${but} (${seconds} s)`;
  }
  const wrong = report.findings.filter(({ excused }) => !excused)
    .map(({ kind, count }) => `${printCount(count)} ${kind}`);
  return `NOT CLEAN: ${wrong.join(", ")}${but} (${seconds} s)`;
}

/** The report for people. */
export function printReport(report: AuditReport): string {
  const remarks = notes(report);
  return [
    ...figuresText(report),
    "",
    ...tablesText(report.tables),
    ...report.findings.flatMap((finding) => ["", ...findingText(finding)]),
    ...(remarks.length === 0 ? [] : ["", ...remarks]),
    "",
    verdictText(report),
  ].join("\n");
}

/** The report for programs: offsets and ids are strings, names as everywhere in the pipeline. */
export function reportJson(report: AuditReport): Record<string, unknown> {
  return {
    schema_version: "1",
    verdict: report.clean ? "clean" : "not_clean",
    raw_topic: report.rawTopic,
    since: report.since ?? null,
    full: report.full,
    partitions: report.partitions.map((one, partition) => {
      const { start, position, end, truncated } = report.cuts[partition]!;
      const cut = { start: String(start), position: String(position), end: String(end), truncated };
      return { partition, cut, ...figuresJson(one) };
    }),
    total: figuresJson(report.total),
    tables: report.tables.map(tableJson),
    findings: report.findings.map(findingJson),
    gaps: report.gaps.map(({ partition, kind, from, to, reason, acceptedAt }) => ({
      partition,
      kind,
      from: String(from),
      to: String(to),
      reason,
      accepted_at: acceptedAt,
    })),
    table_gaps: report.tableGaps.map((gap) => ({
      table: gap.table,
      topic: gap.topic,
      partition: gap.partition,
      stored: String(gap.stored),
      next: String(gap.next),
      reason: gap.reason,
      accepted_at: gap.acceptedAt,
    })),
    earlier_log: report.earlier,
    duration_ms: Math.round(report.durationMs),
  };
}

function figuresJson(one: PartitionFigures) {
  return {
    raw: one.raw,
    stored: one.stored,
    dead_lettered: one.deadLettered,
    alerts: one.alerts,
    unjudged: one.unjudged,
    unstored: one.unstored,
    missing: one.missing,
    doubled: one.doubled,
    stray: one.stray,
    misjudged: one.misjudged,
    is_flagged_wrong: one.flags,
    tables: one.tables,
    unverifiable: one.unverifiable,
    lost: one.lost,
  };
}

function tableJson(table: TableReport) {
  return {
    name: table.name,
    exists: table.exists,
    rows: table.rows ?? null,
    rows_of_others: table.foreignRows ?? null,
    waiting: table.waiting ?? null,
    snapshots: table.snapshots,
    files: table.files,
    missing_files: table.missingFiles,
    orphans: table.orphans,
    changed_by_others: table.foreign.map(({ snapshotId, operation, at, rows }) => ({
      snapshot_id: snapshotId,
      operation,
      at,
      rows: rows ?? null,
    })),
  };
}

function findingJson({ kind, excused, count, offenders }: Finding) {
  return {
    kind,
    excused,
    count,
    offenders: offenders.map(({ at, trace, transactionId, rule, detail }) => ({
      at,
      trace: trace ?? null,
      transaction_id: transactionId ?? null,
      rule: rule ?? null,
      detail,
    })),
  };
}
