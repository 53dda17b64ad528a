import { assertEquals } from "@std/assert";
import { countReport } from "./run_phase.ts";

const report = (tests: string) =>
  `<testsuites><testsuite name="./a_test.ts" tests="1">${tests}</testsuite></testsuites>`;
const PASSED = `<testcase name="one" classname="./a_test.ts"></testcase>`;
const FAILED = `<testcase name="two"><failure message="x">y</failure></testcase>`;
const IGNORED = `<testcase name="three"><skipped/></testcase>`;

Deno.test("countReport() takes the runner's own counts", () => {
  assertEquals(countReport(report(PASSED + FAILED + IGNORED), ["a_test.ts"], false), {
    passed: 1,
    failed: 1,
    ignored: 1,
    failures: ["a_test.ts: two"],
  });
});

Deno.test("countReport() counts a file that is not in the report, and a failure outside the tests", () => {
  assertEquals(countReport(report(PASSED), ["a_test.ts", "b_test.ts"], false).failures, [
    "b_test.ts: did not load or holds no test",
  ]);
  assertEquals(countReport(report(PASSED), ["a_test.ts"], false).failed, 1);
  assertEquals(countReport(report(PASSED), ["a_test.ts"], true).failed, 0);
});
