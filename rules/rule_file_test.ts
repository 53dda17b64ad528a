import { assert, assertEquals } from "@std/assert";
import { RuleFile } from "./rule_file.ts";
import { rule } from "./testing.ts";

function issues(rules: unknown): string[] {
  const parsed = RuleFile.safeParse({ rules });
  return (parsed.error?.issues ?? []).map(({ path, message }) => `${path.join(".")}: ${message}`);
}

const velocity = (parameters: unknown) => [rule("v", "velocity", parameters)];
const hours = (parameters: unknown) => [rule("q", "quiet_hours", parameters)];

Deno.test("a rule file fills in defaults", () => {
  const parsed = RuleFile.parse({
    rules: [{
      rule_name: "v",
      rule_type: "velocity",
      severity: "low",
      parameters: { at_least: 3, window_seconds: 60 },
    }],
  });
  assertEquals<unknown>(parsed.rules, [{
    rule_name: "v",
    rule_type: "velocity",
    severity: "low",
    enabled: true,
    description: "",
    parameters: { measure: "count", at_least: 3, window_seconds: 60, per: "account", only: {} },
  }]);
});

Deno.test("a rule file names every field that is wrong", () => {
  const wrong: [unknown, string][] = [
    [[rule("t", "threshold", { amount: -1 })], "rules.0.parameters.amount"],
    [[rule("t", "threshold", { amount: 0.00001 })], "rules.0.parameters.amount"],
    [[rule("t", "threshold", { amount: 1e11 })], "rules.0.parameters.amount"],
    [[rule("t", "threshold", { amount: "10" })], "rules.0.parameters.amount"],
    [[rule("t", "threshold", { amount: NaN })], "rules.0.parameters.amount"],
    [[rule("t", "threshold", {})], "rules.0.parameters.amount"],
    [[rule("t", "threshold", { amount: 1, ammount: 2 })], "rules.0.parameters"],
    [
      [rule("t", "threshold", { amount: 1, per_currency: { XXX: 1 } })],
      "rules.0.parameters.per_currency.XXX",
    ],
    [
      [rule("t", "threshold", { amount: 1, per_category: { cars: 1 } })],
      "rules.0.parameters.per_category",
    ],
    [
      [rule("t", "seance", {})],
      "rules.0.rule_type: one of threshold, velocity, quiet_hours",
    ],
    [[rule("a b", "threshold", { amount: 1 })], "rules.0.rule_name"],
    [
      [{ ...rule("t", "threshold", { amount: 1 }) as object, severity: "hgih" }],
      "rules.0.severity",
    ],
    [
      [rule("t", "threshold", { amount: 1 }), rule("t", "threshold", { amount: 2 })],
      "rules.1.rule_name: a rule_name that no other rule has",
    ],
    [velocity({ at_least: 1, window_seconds: 60 }), "rules.0.parameters.at_least"],
    [velocity({ at_least: 2.5, window_seconds: 60 }), "rules.0.parameters.at_least"],
    [velocity({ at_least: 101, window_seconds: 60 }), "rules.0.parameters.at_least"],
    [velocity({ at_least: 5, window_seconds: 0 }), "rules.0.parameters.window_seconds"],
    [velocity({ at_least: 5, window_seconds: 60, only: { currencies: [] } }), "only.currencies"],
    [velocity({ measure: "sum", at_least: 5, window_seconds: 60 }), "only.currencies"],
    [
      velocity({
        measure: "sum",
        at_least: 0,
        window_seconds: 60,
        only: { currencies: ["USD", "EUR"] },
      }),
      "only.currencies",
    ],
    [hours({ start: "1:00", end: "05:00" }), "rules.0.parameters.start: a time of day"],
    [hours({ start: "24:00", end: "05:00" }), "rules.0.parameters.start: a time of day"],
    [hours({ start: "05:00", end: "05:00" }), "rules.0.parameters.end: another time than start"],
    [
      hours({ start: "01:00", end: "05:00", time_zone: "Mars/Base" }),
      "rules.0.parameters.time_zone",
    ],
    [hours({ start: "01:00", end: "05:00", days: ["mon", "mon"] }), "rules.0.parameters.days"],
    [Array.from({ length: 65 }, (_, i) => rule(`t${i}`, "threshold", { amount: 1 })), "rules: "],
  ];
  for (const [rules, expected] of wrong) {
    const found = issues(rules);
    assert(found.some((issue) => issue.includes(expected)), `${expected} in ${found.join("; ")}`);
  }
});
