import { assertEquals, assertMatch, assertNotEquals, assertThrows } from "@std/assert";
import { createHash } from "node:crypto";
import { canonicalJson } from "./canonical_json.ts";
import { compileRules, parseRuleSetDocument } from "./compile.ts";
import { RuleFile } from "./rule_file.ts";
import { rule } from "./testing.ts";

const settings = {
  dedup_ids_max: 500_000,
  accounts_max: 50_000,
  record_bytes_max: 262_144,
  time_zone_data: "2026b",
};

// RFC 8785 section 3.2.2 and 3.2.3: the document and its canonical form.
Deno.test("canonicalJson prints the example of RFC 8785", () => {
  const value = JSON.parse(
    String.raw`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],` +
      String.raw`"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",` +
      `"literals":[null,true,false]}`,
  );
  assertEquals(
    canonicalJson(value),
    String.raw`{"literals":[null,true,false],` +
      `"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],` +
      String.raw`"string":"€$\u000f\nA'B\"\\\\\"/"}`,
  );
});

Deno.test("canonicalJson sorts members by UTF-16 code units (RFC 8785 section 3.2.3)", () => {
  const members = {
    "\u20ac": 1,
    "\r": 2,
    "\ufb33": 3,
    "1": 4,
    "\ud83d\ude00": 5,
    "\u0080": 6,
    "ö": 7,
  };
  assertEquals(
    canonicalJson(members),
    `{"\\r":2,"1":4,"\u0080":6,"ö":7,"\u20ac":1,"\ud83d\ude00":5,"\ufb33":3}`,
  );
  assertThrows(() => canonicalJson({ a: NaN }), TypeError, "NaN");
});

function compiled(changes: { rules?: unknown[]; settings?: Partial<typeof settings> } = {}) {
  const rules = changes.rules ?? [rule("high-value", "threshold", { amount: 10000 })];
  return compileRules(RuleFile.parse({ rules }), { ...settings, ...changes.settings });
}

Deno.test("rules_version is the start of the SHA-256 of the stored document", () => {
  const { version, document } = compiled();
  assertMatch(version, /^[0-9a-f]{12}$/);
  assertEquals(version, createHash("sha256").update(document).digest("hex").slice(0, 12));
});

Deno.test("rules_version changes with all that can change a verdict, and with nothing else", () => {
  const { version } = compiled();
  const spelled = { amount: 1e4, absolute: false, per_category: {}, per_currency: {} };
  assertEquals(compiled({ rules: [rule("high-value", "threshold", spelled)] }).version, version);
  const others = [
    compiled({ rules: [rule("high-value", "threshold", { amount: 10000.01 })] }),
    compiled({ rules: [rule("high", "threshold", { amount: 10000 })] }),
    compiled({ rules: [] }),
    compiled({ settings: { dedup_ids_max: 1024 } }),
    compiled({ settings: { accounts_max: 1 } }),
    compiled({ settings: { record_bytes_max: 1024 } }),
    compiled({ settings: { time_zone_data: "2027a" } }),
  ];
  for (const other of others) assertNotEquals(other.version, version);
  assertEquals(new Set(others.map((other) => other.version)).size, others.length);
});

Deno.test("a rule set comes back from its document", () => {
  const before = compiled();
  const after = parseRuleSetDocument(before.document);
  assertEquals(after, before);
  const moved = parseRuleSetDocument(before.document, { ...settings, accounts_max: 7 });
  assertEquals(moved.rules, before.rules);
  assertEquals(moved.version, compiled({ settings: { accounts_max: 7 } }).version);
  assertThrows(
    () => parseRuleSetDocument(before.document.replace(`"threshold"`, `"seance"`)),
    Error,
    "Cannot put the stored rule set in force",
  );
});
