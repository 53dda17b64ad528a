import { assertEquals } from "@std/assert";
import type { ServiceName } from "../contracts/services.ts";
import { PipelineStatus, type ServiceStatus, type StageStatus } from "../contracts/status.ts";
import { pipelineStatus, silentService } from "./pipeline_status.ts";

const NAMES: ServiceName[] = ["kafka", "catalog", "generator", "processor", "sink"];

function running(name: ServiceName): ServiceStatus {
  return { ...silentService(name, ""), state: "running", ready: true, reasons: [], rss_bytes: 100 };
}

function stage(name: StageStatus["name"], change: Partial<StageStatus>): StageStatus {
  const zero = { generated: 0, published: 0, processed: 0, stored: 0, alerts: 0, dead_lettered: 0 };
  return {
    schema_version: "1",
    name,
    session_id: "s",
    pid: 1,
    started_at: "2026-03-01T10:00:00Z",
    uptime_s: 1,
    ready: true,
    reasons: [],
    totals: zero,
    rates: zero,
    latency_ms: {},
    partitions: [],
    errors: {},
    last_error: null,
    rss_bytes: 100,
    cpu_seconds: 0,
    versions: {},
    config: { rules_version: null, applied_at: null, errors: [] },
    details: {},
    ...change,
  };
}

const PARTS = { stages: [], lag: [], disk: [], deadLetterDepth: null };

Deno.test("pipelineStatus() is healthy only when all five do their work", () => {
  const all = NAMES.map(running);
  assertEquals(pipelineStatus({ ...PARTS, services: all }).health, "healthy");
  const waiting = all.map((s) => (s.name === "sink" ? { ...s, ready: false } : s));
  assertEquals(pipelineStatus({ ...PARTS, services: waiting }).health, "degraded");
  const full = [{ path: "/data", used_percent: 95 }];
  assertEquals(pipelineStatus({ ...PARTS, services: all, disk: full }).health, "degraded");
  const silent = NAMES.map((name) => silentService(name, "nothing answers"));
  assertEquals(pipelineStatus({ ...PARTS, services: silent }).health, "unreachable");
  const one = [running("kafka"), ...silent.slice(1)];
  assertEquals(pipelineStatus({ ...PARTS, services: one }).health, "degraded");
});

Deno.test("pipelineStatus() is degraded by an error in a settings file, and shows it", () => {
  const issue = { file: "config/generator.yaml", field: "seed", value: "x", expected: "a number" };
  const generator = stage("generator", {
    config: { rules_version: null, applied_at: null, errors: [issue] },
  });
  const status = pipelineStatus({ ...PARTS, services: NAMES.map(running), stages: [generator] });
  assertEquals(status.health, "degraded");
  assertEquals(status.config.errors, [issue]);
});

Deno.test("pipelineStatus() takes each figure from the stage that knows it, and sums errors and memory", () => {
  const totals = {
    generated: 7,
    published: 7,
    processed: 7,
    stored: 7,
    alerts: 7,
    dead_lettered: 7,
  };
  const status = pipelineStatus({
    ...PARTS,
    services: NAMES.map(running),
    otherRssBytes: 50,
    deadLetterDepth: 3,
    stages: [
      stage("generator", { totals: { ...totals, generated: 10 }, errors: { A: 1 } }),
      stage("processor", {
        totals: { ...totals, processed: 9, alerts: 2 },
        errors: { A: 2, B: 1 },
        latency_ms: { generated_to_alert: { p50: 1, p95: 2, p99: 3 } },
      }),
      stage("sink", { totals: { ...totals, stored: 8 } }),
    ],
  });
  assertEquals(status.totals, {
    generated: 10,
    published: 7,
    processed: 9,
    alerts: 2,
    dead_lettered: 7,
    stored: 8,
  });
  assertEquals(status.errors, { A: 3, B: 1 });
  assertEquals(status.rss_total_bytes, 550);
  assertEquals(status.latency_ms.generated_to_alert, { p50: 1, p95: 2, p99: 3 });
  assertEquals(status.latency_ms.generated_to_stored, { p50: null, p95: null, p99: null });
  PipelineStatus.parse(status);
});
