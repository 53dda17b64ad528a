import { assert, assertEquals } from "@std/assert";
import { z } from "zod";
import { type ConfigIssue, printConfigIssue } from "../contracts/errors.ts";
import { GeneratorConfig } from "../contracts/generator_config.ts";
import { parseConfigText } from "./config_parse.ts";

const Rules = z.strictObject({
  rules: z.array(z.strictObject({
    name: z.string(),
    severity: z.enum(["low", "high"]),
    parameters: z.record(z.string(), z.number()),
  })),
});

function issuesOf(text: string, schema: z.ZodType): string[] {
  const parsed = parseConfigText(text, "f.yaml", schema);
  return parsed.ok ? [] : parsed.issues.map(printConfigIssue);
}

Deno.test("parseConfigText() fills in defaults", () => {
  const parsed = parseConfigText("# slow\nrate_per_second: 5\n", "f.yaml", GeneratorConfig);
  assert(parsed.ok);
  assertEquals([parsed.value.rate_per_second, parsed.value.accounts], [5, 1000]);
});

Deno.test("parseConfigText() reports every issue with line, field, value and expectation", () => {
  const text = [
    "# generator",
    "rate_per_second: fast",
    "paused: 1",
    "anomaly_share: 2",
    "sede: 3",
  ].join("\n");
  assertEquals(issuesOf(text, GeneratorConfig).toSorted(), [
    'f.yaml:2: rate_per_second: expected number or "max", got "fast"',
    "f.yaml:3: paused: expected boolean, got 1",
    "f.yaml:4: anomaly_share: expected number to be <=0.5, got 2",
    "f.yaml:5: sede: expected no field of this name, got 3",
  ]);
});

Deno.test("parseConfigText() finds the line deep inside, and of what is missing its parent's", () => {
  const text = `rules:
  - name: a
    severity: low
    parameters: { amount: 1 }
  - name: b
    severity: hgih
    parameters:
      amount: lots
  - name: c
    severity: low
`;
  assertEquals(issuesOf(text, Rules), [
    'f.yaml:6: rules[1].severity: expected one of "low"|"high", got "hgih"',
    'f.yaml:8: rules[1].parameters.amount: expected number, got "lots"',
    "f.yaml:9: rules[2].parameters: expected record, got nothing",
  ]);
});

Deno.test("parseConfigText() refuses what YAML itself refuses", () => {
  const cases: [string, string, number][] = [
    ["seed: 1\nseed: 2\n", "unique", 2],
    ["seed: [1\n", "", 2],
    ["seed: 1\n  paused: true\n", "", 2],
    ["a: 1\n---\nb: 2\n", "multiple documents", 2],
    ["seed: *nowhere\n", "nowhere", 1],
  ];
  for (const [text, words, line] of cases) {
    const parsed = parseConfigText(text, "f.yaml", GeneratorConfig);
    assert(!parsed.ok, text);
    const issue = parsed.issues[0] as ConfigIssue;
    assert(issue.expected.includes("valid YAML") && issue.expected.includes(words), issue.expected);
    assert(issue.line! <= line, `line ${issue.line} of ${JSON.stringify(text)}`);
  }
});

Deno.test("an empty file is not the defaults: an editor may have just truncated it", () => {
  for (const text of ["", "\n# nothing\n", "null\n"]) {
    assertEquals(issuesOf(text, GeneratorConfig), [
      "f.yaml:1: $: expected a mapping; write {} for all defaults, got an empty file",
    ]);
  }
  assertEquals(issuesOf("{}\n", GeneratorConfig), []);
});

Deno.test("a long value is shortened", () => {
  const [issue] = issuesOf(`paused: ${"x".repeat(5000)}\n`, GeneratorConfig);
  assert(issue!.length < 250);
});
