import { assertEquals } from "@std/assert";
import { parseJunit } from "./junit.ts";

// As Deno 2.9.6 prints it, shortened.
const REPORT = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="4" failures="2" errors="0" time="0.070">
    <testsuite name="./a_test.ts" tests="3" disabled="1" errors="0" failures="1">
        <testcase name="ign &lt;x&gt; &amp; &quot;q&quot;" classname="./a_test.ts" time="0.000" line="1" col="6">
            <skipped/>
        </testcase>
        <testcase name="fails" classname="./a_test.ts" time="0.001" line="2" col="6">
            <failure message="Uncaught Error: boo">Error: &lt;skipped/&gt; boo</failure>
        </testcase>
        <testcase name="steps &gt; one" classname="./a_test.ts" time="0.000" line="3" col="43">
        </testcase>
    </testsuite>
    <testsuite name="./b/b_test.ts" tests="1" disabled="0" errors="0" failures="1">
        <testcase name="x" classname="./b/b_test.ts" time="0.000" line="1" col="6">
            <failure message="y">z</failure>
        </testcase>
    </testsuite>
</testsuites>`;

Deno.test("parseJunit() tells passed, failed and ignored tests of every file", () => {
  assertEquals(parseJunit(REPORT), [
    { file: "a_test.ts", name: 'ign <x> & "q"', outcome: "ignored" },
    { file: "a_test.ts", name: "fails", outcome: "failed" },
    { file: "a_test.ts", name: "steps > one", outcome: "passed" },
    { file: "b/b_test.ts", name: "x", outcome: "failed" },
  ]);
});
