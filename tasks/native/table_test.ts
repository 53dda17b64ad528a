import { assertEquals } from "@std/assert";
import type { SupervisedService, SupervisorState } from "./state.ts";
import { serviceTable } from "./table.ts";

const MIB = 1024 ** 2;

function service(more: Partial<SupervisedService>): SupervisedService {
  return {
    name: "kafka",
    state: "running",
    ready: true,
    reasons: [],
    pid: 10,
    identity: "x",
    fingerprint: "",
    address: "127.0.0.1:9092",
    log: "",
    started_at: "",
    restarts: 0,
    last_error: null,
    rss_bytes: 256 * MIB,
    cpu_percent: 1,
    ...more,
  };
}

Deno.test("serviceTable() shows address and memory of each service, and why one is not ready", () => {
  const state: SupervisorState = {
    schema_version: "1",
    phase: "running",
    error: null,
    exit_code: 0,
    updated_at: "",
    supervisor: { pid: 9, started_at: "", rss_bytes: 64 * MIB },
    steps: [],
    services: [
      service({}),
      service({ name: "generator", state: "stopped", ready: false, pid: null, rss_bytes: null }),
      service({
        name: "sink",
        state: "starting",
        ready: false,
        reasons: ["gap"],
        address: "127.0.0.1:7073",
      }),
    ],
  };
  assertEquals(serviceTable(state), [
    "SERVICE     STATE     ADDRESS         PID  MEMORY",
    "kafka       ready     127.0.0.1:9092  10   256 MiB",
    "generator   stopped   127.0.0.1:9092  -    -",
    "sink        starting  127.0.0.1:7073  10   256 MiB  gap",
    "supervisor  running                   9    64 MiB",
    "total                                      576 MiB",
  ]);
});
