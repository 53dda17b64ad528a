import { assertEquals, assertStringIncludes } from "@std/assert";
import { createMetrics } from "../runtime/metrics.ts";
import { createStageStatus } from "../runtime/stage_status.ts";
import { AUDIT_LINES_MAX, AuditLog } from "./audit_log.ts";
import type { CommittedUnit } from "./context.ts";
import { FieldFailures, MINUTES_KEPT } from "./field_failures.ts";
import { createFigures } from "./figures.ts";
import { createStepOutputs } from "./step_outputs.ts";
import type { StepResult } from "./step_types.ts";
import { TimeRuns } from "./time_runs.ts";
import type { LogFields, Logger } from "../runtime/log.ts";

function runs(...times: number[]): TimeRuns {
  const runs = new TimeRuns();
  for (const time of times) runs.add(time);
  return runs;
}

/** A unit of records at offsets 10, 12, 13 with broker times 1000, 1000, 1400; the last two alert. */
function unit(alerts = 2): CommittedUnit {
  const result: StepResult = {
    ...createStepOutputs(),
    recordTimes: runs(1000, 1000, 1400),
    alertTimes: runs(1000, 1400),
    counts: {
      records: 3,
      accepted: 2,
      alerts,
      deadLettered: 1,
      keyMismatch: 1,
      errorsByType: new Map([["schema", 1]]),
      failuresByField: new Map([["amount", 1]]),
    },
    alertInfos: Array.from({ length: Math.min(alerts, 100) }, (_, i) => ({
      ruleName: "r",
      severity: "low",
      transactionId: `${i}`,
      accountId: "ACC1",
      trace: `raw/0/${i}`,
    })),
    deadLetterInfos: [{ errorType: "schema", fields: ["amount"], trace: "raw/0/10" }],
  };
  return { partition: 0, position: 14, result, commitMs: 5, nowMs: 1500 };
}

Deno.test("figures: counts, latencies and failures come from committed units alone", () => {
  const metrics = createMetrics();
  const now = () => 1500;
  const stage = createStageStatus({
    name: "processor",
    sessionId: "s",
    pid: 1,
    versions: {},
    now,
    processStats: () => ({ rss_bytes: 1, cpu_seconds: 1 }),
  });
  const figures = createFigures({ stage, metrics, now });
  figures.committed(unit());
  figures.failed("FencedError", new Error("taken"));
  const status = stage.status({ ready: true, reasons: [] });
  assertEquals(
    [status.totals.processed, status.totals.alerts, status.totals.dead_lettered],
    [2, 2, 1],
  );
  assertEquals(status.errors, { schema: 1, FencedError: 1 });
  assertEquals(status.last_error, "taken");
  assertEquals(figures.failuresByMinute(), { "1970-01-01T00:00:00.000Z": { amount: 1 } });
  const text = metrics.print();
  for (
    const line of [
      "processor_records_total 3",
      "processor_transactions_total 2",
      "key_mismatch_total 1",
      'processor_dead_letters_total{error_type="schema"} 1',
      // 500, 500 and 100 ms; alerts at offsets 12 (500 ms) and 13 (100 ms).
      'processor_latency_seconds_sum{leg="generated_to_processed"} 1.1',
      'processor_latency_seconds_sum{leg="generated_to_alert"} 0.6',
    ]
  ) assertStringIncludes(text, `${line}\n`);
});

Deno.test("TimeRuns calls once per run of equal times", () => {
  const seen: number[][] = [];
  runs(5, 5, 7, 5).forEach((time, count) => seen.push([time, count]));
  assertEquals(seen, [[5, 2], [7, 1], [5, 1]]);
});

Deno.test("FieldFailures keeps an hour of minutes", () => {
  const failures = new FieldFailures();
  failures.add("amount", 2, 0);
  failures.add("amount", 1, 59_999);
  failures.add("$", 1, 60_000);
  assertEquals(failures.minutes(60_000), {
    "1970-01-01T00:00:00.000Z": { amount: 3 },
    "1970-01-01T00:01:00.000Z": { $: 1 },
  });
  assertEquals(Object.keys(failures.minutes(MINUTES_KEPT * 60_000)), ["1970-01-01T00:01:00.000Z"]);
});

Deno.test("AuditLog writes the first of each second and says how many it left out", () => {
  const lines: [string, LogFields | undefined][] = [];
  const info = (event: string, fields?: LogFields) => lines.push([event, fields]);
  const log: Logger = { debug: info, info, warn: info, error: info, child: () => log };
  const audit = new AuditLog({ log, mask: (id) => `masked-${id.length}` });
  audit.committed({ ...unit(500), appliedRules: "v1" });
  const count = (event: string) => lines.filter(([name]) => name === event).length;
  assertEquals([count("config_applied"), count("dead_letter"), count("commit")], [1, 1, 1]);
  assertEquals(count("alert_raised"), AUDIT_LINES_MAX);
  assertEquals(lines.find(([event]) => event === "alert_raised")?.[1]?.account, "masked-4");
  assertEquals(JSON.stringify(lines).includes("ACC1"), false);
  audit.committed({ ...unit(0), nowMs: 2500 });
  assertEquals(lines.find(([event]) => event === "audit_left_out")?.[1], {
    alert_raised: 500 - AUDIT_LINES_MAX,
  });
});
