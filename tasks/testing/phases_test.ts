import { assertEquals } from "@std/assert";
import { suitesByPhase } from "./phases.ts";

Deno.test("suitesByPhase() sorts files into phases and leaves the others alone", () => {
  const paths = [
    "sink/spool_itest.ts",
    "rules/engine_test.ts",
    "console/screen_test.tsx",
    "rules/engine.ts",
    "tests/e2e/up_e2e.ts",
    "tests/crash/sink_crash.ts",
    "tests/support/services.ts",
    "broker/kafka_itest.ts",
  ];
  assertEquals(suitesByPhase(paths), {
    unit: ["console/screen_test.tsx", "rules/engine_test.ts"],
    integration: ["broker/kafka_itest.ts", "sink/spool_itest.ts"],
    e2e: ["tests/e2e/up_e2e.ts"],
    crash: ["tests/crash/sink_crash.ts"],
  });
  assertEquals(suitesByPhase(paths, ["sink"]), {
    unit: [],
    integration: ["sink/spool_itest.ts"],
    e2e: [],
    crash: ["tests/crash/sink_crash.ts"],
  });
});
