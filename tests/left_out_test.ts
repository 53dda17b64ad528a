/** Plain `deno test` runs the pure suites with no permissions; it must not look like everything. */
import { assertEquals } from "@std/assert";

const LEFT_OUT = `
Left out here: *_itest.ts (disk, network, real Kafka and Iceberg catalog), tests/e2e, tests/crash.
deno task test runs all of them.
`;

Deno.test("plain deno test says what it leaves out", () => {
  console.log(LEFT_OUT);
  // The name pattern of the integration suites is not one that `deno test` collects by itself.
  const collected = /(^|\/)([^/]*[_.])?test\.(ts|tsx|mts|js|mjs|jsx)$/;
  const names = ["broker/kafka_itest.ts", "tests/e2e/up_e2e.ts", "tests/crash/sink_crash.ts"];
  assertEquals(names.filter((name) => collected.test(name)), []);
});
