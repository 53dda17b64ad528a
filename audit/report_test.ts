/** The report as people and programs see it. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { noCounts } from "./check.ts";
import {
  type AuditReport,
  type PartitionFigures,
  printCount,
  printReport,
  reportJson,
  verdictText,
} from "./report.ts";

const FIGURES: PartitionFigures = {
  ...noCounts(),
  raw: 1_234_567,
  stored: 1_234_000,
  deadLettered: 567,
  alerts: 12,
  unjudged: 0,
  unstored: 0,
  lost: 0,
};

function report(changes: Partial<AuditReport> = {}): AuditReport {
  return {
    clean: true,
    rawTopic: "raw-transactions",
    since: undefined,
    full: false,
    cuts: [{ partition: 0, start: 0, position: 9, end: 10, truncated: false }],
    partitions: [FIGURES],
    total: FIGURES,
    tables: [],
    findings: [],
    gaps: [],
    tableGaps: [],
    earlier: [],
    durationMs: 1250,
    ...changes,
  };
}

Deno.test("counts have groups of digits", () => {
  assertEquals([0, 999, 1000, 1234567].map(printCount), ["0", "999", "1,000", "1,234,567"]);
});

Deno.test("the verdict is one line", () => {
  assertEquals(verdictText(report()), "CLEAN: 1,234,567 raw records accounted for (1.3 s)");
  const gap = {
    partition: 0,
    kind: "expired",
    from: 3,
    to: 5,
    reason: "gone",
    acceptedAt: "2026-01-10T12:00:00Z",
  };
  const total = { ...FIGURES, unverifiable: 4, lost: 2 };
  assertEquals(
    verdictText(report({ total, gaps: [gap] })),
    "CLEAN: 1,234,567 raw records accounted for; 4 verdicts unverifiable, " +
      "2 raw records lost in 1 accepted gaps (1.3 s)",
  );
  const findings = [
    { kind: "missing", excused: false, count: 1200, offenders: [] },
    { kind: "unverifiable", excused: true, count: 4, offenders: [] },
  ];
  assertEquals(verdictText(report({ clean: false, findings })), "NOT CLEAN: 1,200 missing (1.3 s)");
});

Deno.test("offenders are named with place, trace, transaction and rule", () => {
  const offender = {
    at: "alerts/0/7",
    trace: "raw-transactions/0/5",
    transactionId: "id",
    rule: "high",
    detail: "why",
  };
  const findings = [{ kind: "alert differs", excused: false, count: 12, offenders: [offender] }];
  const text = printReport(report({ clean: false, findings }));
  assertStringIncludes(
    text,
    "alert differs: 12\n" +
      "  alerts/0/7, of raw-transactions/0/5, transaction id, rule high: why\n  and 11 more",
  );
  assert(text.startsWith("PARTITION        RAW "), text);
});

Deno.test("a table that is not there, and one whose rows are not compared, show no figures", () => {
  const table = {
    name: "finance.alerts",
    exists: false,
    rows: 0,
    foreignRows: 0,
    waiting: 0,
    snapshots: 0,
    files: 0,
    missingFiles: 0,
    orphans: { count: 0, bytes: 0, first: [] },
    foreign: [],
  };
  const sessions = { ...table, name: "finance.pipeline_sessions", exists: true, files: 3 };
  const unknown = { rows: undefined, foreignRows: undefined, waiting: undefined };
  const lines = printReport(report({ tables: [table, { ...sessions, ...unknown }] })).split("\n");
  assert(lines.some((line) => /^finance.alerts\s+none yet$/.test(line)));
  assert(
    lines.some((line) => /^finance.pipeline_sessions\s+-\s+-\s+-\s+0\s+3\s+0\s+0$/.test(line)),
  );
});

Deno.test("gaps of both kinds are listed as lost", () => {
  const text = printReport(report({
    gaps: [{
      partition: 0,
      kind: "expired",
      from: 3,
      to: 5,
      reason: "gone",
      acceptedAt: "2026-01-10T12:00:00Z",
    }],
    tableGaps: [{
      table: "finance.alerts",
      topic: "alerts",
      partition: 2,
      stored: 10,
      next: 20,
      reason: "records 10 to 19 are gone",
      acceptedAt: "2026-01-10T13:00:00Z",
    }],
  }));
  assertStringIncludes(
    text,
    "lost, accepted 2026-01-10T12:00:00Z: raw-transactions/0, raw offsets 3 to 4 (expired): gone\n" +
      "lost, accepted 2026-01-10T13:00:00Z: finance.alerts, alerts/2, it had read up to 10 and " +
      "went on at 20: records 10 to 19 are gone",
  );
});

Deno.test("offsets are strings in JSON, and what is not there is null", () => {
  const json = reportJson(report()) as {
    since: unknown;
    partitions: { cut: unknown; raw: unknown }[];
  };
  assertEquals(json.since, null);
  assertEquals(json.partitions[0]!.cut, { start: "0", position: "9", end: "10", truncated: false });
  assertEquals(json.partitions[0]!.raw, 1_234_567);
});
