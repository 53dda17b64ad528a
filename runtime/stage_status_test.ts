import { assertEquals } from "@std/assert";
import { ConfigError, MisuseError, ServiceUnreachableError } from "../contracts/errors.ts";
import { SessionFigures } from "../contracts/session.ts";
import { StageStatus } from "../contracts/status.ts";
import { usedPercent } from "./disk.ts";
import { sessionBatch, untilSessionDue } from "./session.ts";
import { exitCodeOf } from "./shutdown.ts";
import { createStageStatus, ERROR_TYPES_MAX } from "./stage_status.ts";

const START = Date.UTC(2026, 0, 1, 12);

function figures() {
  const clock = { ms: START };
  const stage = createStageStatus({
    name: "processor",
    sessionId: "0b0f7f5e-0000-4000-8000-000000000001",
    pid: 7,
    versions: { deno: "2.9.6" },
    now: () => clock.ms,
    processStats: () => ({ rss_bytes: 1000, cpu_seconds: 0.5 }),
  });
  return { clock, stage };
}

Deno.test("status() is a StageStatus with totals, rates, latencies and errors", () => {
  const { clock, stage } = figures();
  stage.add("processed", 100);
  stage.latency("generated_to_processed", 100, 100);
  stage.error("schema", "Cannot read it");
  clock.ms += 10_000;
  stage.add("processed", 100);
  const status = StageStatus.parse(
    stage.status({ ready: true, reasons: [], rulesVersion: "0123456789ab", details: { a: 1 } }),
  );
  assertEquals(status.totals.processed, 200);
  assertEquals(status.rates.processed, 20);
  assertEquals(status.errors, { schema: 1 });
  assertEquals([status.last_error, status.uptime_s, status.rss_bytes], [
    "Cannot read it",
    10,
    1000,
  ]);
  const p50 = status.latency_ms.generated_to_processed!.p50!;
  assertEquals(p50 >= 100 && p50 <= 104.1, true);
  assertEquals(status.config.rules_version, "0123456789ab");
});

Deno.test("config errors are shown until a good file is in force", () => {
  const { stage } = figures();
  const issue = { file: "f.yaml", line: 3, field: "a", value: "1", expected: "2" };
  stage.configBroken([issue]);
  assertEquals(stage.status({ ready: true, reasons: [] }).config.errors, [issue]);
  stage.configApplied();
  const { config } = stage.status({ ready: true, reasons: [] });
  assertEquals([config.errors, config.applied_at], [[], "2026-01-01T12:00:00.000Z"]);
});

Deno.test("session() is cumulative: latencies of the whole run, mean rate", () => {
  const { clock, stage } = figures();
  stage.add("processed", 50);
  stage.latency("generated_to_processed", 10);
  clock.ms += 200_000;
  stage.latency("generated_to_processed", 10);
  const session = SessionFigures.parse(
    stage.session({ leg: "generated_to_processed", final: true }),
  );
  assertEquals([session.processed, session.rate_per_second, session.final], [50, 0.25, true]);
  assertEquals(session.latency_ms.p50! >= 10, true);
  const batch = sessionBatch(session);
  assertEquals(new TextDecoder().decode(batch.keys[0]!), session.session_id);
  assertEquals(JSON.parse(new TextDecoder().decode(batch.values[0]!)), session);
});

Deno.test("figures are due each minute, and at the hour's change", () => {
  assertEquals(untilSessionDue(START), 60_000);
  assertEquals(untilSessionDue(START + 3_600_000 - 1500), 1500);
});

Deno.test("error types are bounded", () => {
  const { stage } = figures();
  for (let i = 0; i < ERROR_TYPES_MAX + 3; i++) stage.error(`type-${i}`);
  assertEquals(stage.errors.get("other"), 3);
});

Deno.test("exit codes: settings and command line 2, services 3, the rest 1", () => {
  class UnreachableError extends Error {
    override readonly name = "UnreachableError";
  }
  assertEquals(exitCodeOf(new ConfigError([])), 2);
  assertEquals(exitCodeOf(new MisuseError("x")), 2);
  assertEquals(exitCodeOf(new ServiceUnreachableError("kafka", "x")), 3);
  assertEquals(exitCodeOf(new UnreachableError("x")), 3);
  assertEquals(exitCodeOf(new TypeError("x")), 1);
});

Deno.test("usedPercent() counts as df does: what root keeps for itself is not usable", () => {
  // df: 900 used of 1000 blocks, 50 of the 100 free ones reserved: 900 / 950.
  assertEquals(usedPercent({ bsize: 4096, blocks: 1000, bfree: 100, bavail: 50 }), 94.7);
  assertEquals(usedPercent({ bsize: 4096, blocks: 0, bfree: 0, bavail: 0 }), 0);
});
