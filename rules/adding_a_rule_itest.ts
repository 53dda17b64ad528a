/** The example of docs/adding-a-rule.md is a rule type that works as the text says. */
import { assert, assertEquals } from "@std/assert";
import { CellStore } from "./cells.ts";
import { emptyFacts, setFacts } from "./values/facts.ts";
import type { RuleType } from "./rule_type.ts";

Deno.test("the example of docs/adding-a-rule.md compiles and fires", async () => {
  const guide = await Deno.readTextFile(new URL("../docs/adding-a-rule.md", import.meta.url));
  const code = /```ts\n(\/\*\* `new_country`[^]*?)```/.exec(guide)?.[1];
  assert(code !== undefined, "the guide has an example");
  const file = new URL(`./types/example_${crypto.randomUUID()}.ts`, import.meta.url);
  await Deno.writeTextFile(file, code);
  let type: RuleType<{ after: number }>;
  try {
    ({ newCountry: type } = await import(file.href));
  } finally {
    await Deno.remove(file);
  }
  const parameters = type.parameters.parse({ after: 2 });
  assertEquals(type.parameters.safeParse({ after: 0 }).success, false);
  const logic = type.compile(parameters, parameters);
  const cells = new CellStore({
    cellWords: logic.cellWords,
    accountsMax: 10,
    prefix: "a/1/",
  });
  const facts = emptyFacts();
  const fires = (account_id: string, location_country: string) => {
    setFacts(facts, {
      account_id,
      location_country,
      currency: "EUR",
      merchant_category: "travel",
      transaction_type: "purchase",
      status: "completed",
    });
    facts.offset++;
    return logic.judge(facts, cells);
  };
  const visits = ["DE", "FR", "DE", "IT", "IT", "DE", "US"].map((country) => fires("A1", country));
  assertEquals(visits, [false, false, false, true, false, false, true]);
  assertEquals(fires("A2", "JP"), false);
  assertEquals(logic.explain(facts, { accountId: "A2", transactionIdOf: () => undefined }), {
    description: "Account A2 acted in JP for the first time",
    evidence: { country: "JP", after: 2 },
  });
});

Deno.test("the shipped rule file is valid, and holds the three shipped rules", async () => {
  const { parse } = await import("@std/yaml");
  const { RuleFile } = await import("./rule_file.ts");
  const text = await Deno.readTextFile(new URL("../config/alerting-rules.yaml", import.meta.url));
  const { rules } = RuleFile.parse(parse(text));
  assertEquals(
    rules.map(({ rule_name, rule_type, severity, enabled }) => [
      rule_name,
      rule_type,
      severity,
      enabled,
    ]),
    [
      ["high-value", "threshold", "high", true],
      ["rapid-activity", "velocity", "medium", true],
      ["unusual-hour", "quiet_hours", "low", true],
    ],
  );
});
