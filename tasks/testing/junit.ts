/** Reads the reports of `deno test --junit-path`: the counts are the runner's own. */

/** One test (or step) of a report. */
export interface TestCase {
  /** Path of its file as the report names it. */
  file: string;
  name: string;
  outcome: "passed" | "failed" | "ignored";
}

/** All tests of one report. */
export function parseJunit(xml: string): TestCase[] {
  const cases: TestCase[] = [];
  for (const suite of xml.split(/<testsuite /).slice(1)) {
    const file = attribute(suite, "name").replace(/^\.\//, "");
    for (const test of suite.split(/<testcase /).slice(1)) {
      const body = test.slice(0, test.indexOf("</testcase>"));
      const outcome = /<(failure|error)[ >]/.test(body)
        ? "failed"
        : body.includes("<skipped")
        ? "ignored"
        : "passed";
      cases.push({ file, name: attribute(test, "name"), outcome });
    }
  }
  return cases;
}

function attribute(element: string, name: string): string {
  const value = new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(element)?.[1] ?? "";
  return value.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"')
    .replaceAll("&apos;", "'").replaceAll("&amp;", "&");
}
