import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { OWNERS_KEY, RuleEngine } from "./engine.ts";
import { NaiveJudge, type NaiveTransaction } from "./naive.ts";
import type { StateChange } from "./state_change.ts";
import {
  checkedRules,
  checkTable,
  compact,
  drained,
  EngineRun,
  rule,
  SINGLE_CELL,
} from "./testing.ts";

const shipped = [
  rule("high-value", "threshold", { amount: 10000 }),
  rule("rapid-activity", "velocity", { at_least: 5, window_seconds: 60 }),
  rule("unusual-hour", "quiet_hours", { start: "01:00", end: "05:00" }),
];

Deno.test("rules are independent: several may fire on one transaction", () => {
  checkTable(
    shipped,
    `
    account  time      type      amount    alert
    A1       12:00:00  purchase  20        -
    A1       12:00:01  purchase  10000     -
    A1       12:00:02  purchase  10000.01  high-value
    A2       02:00:00  purchase  12000     high-value+unusual-hour
    A2       02:00:01  refund    -12000    unusual-hour
    A2       02:00:02  purchase  5         unusual-hour
    A2       02:00:03  purchase  5         unusual-hour
    A2       02:00:04  purchase  99999     high-value+rapid-activity+unusual-hour
    A1       12:00:03  refund    -12000    -
    A1       12:00:04  refund    -1        rapid-activity
  `,
  );
});

Deno.test("a rule edit keeps the state that means the same", () => {
  const v = (parameters: Record<string, unknown>, more: Record<string, unknown> = {}) => [
    { ...rule("v", "velocity", parameters) as object, ...more },
  ];
  checkTable(
    {
      five: v({ at_least: 5, window_seconds: 60 }),
      "five, off": v({ at_least: 5, window_seconds: 60 }, { enabled: false }),
      "five, critical": v({ at_least: 5, window_seconds: 60 }, { severity: "critical" }),
      three: v({ at_least: 3, window_seconds: 60 }),
      four: v({ at_least: 4, window_seconds: 60 }),
      "five in 30": v({ at_least: 5, window_seconds: 30 }),
      "five online": v({ at_least: 5, window_seconds: 60, only: { categories: ["online"] } }),
      none: [],
    },
    `
    time      category  alert
    -- five
    12:00:00  online    -
    12:00:01  online    -
    -- five, off
    12:00:02  online    -
    12:00:03  online    -
    12:00:04  online    -
    -- five, critical
    12:00:05  online    v
    -- three
    12:01:02  online    v
    12:01:59  online    -
    -- four
    12:02:00  online    -
    12:02:01  online    -
    12:02:02  online    -
    12:02:03  online    v
    -- five in 30
    12:02:04  online    -
    12:02:05  online    -
    12:02:06  online    -
    12:02:07  online    -
    12:02:08  online    v
    -- five online
    12:02:09  online    -
    -- five in 30
    12:02:10  online    -
    12:02:11  online    -
    -- none
    12:02:12  online    -
    -- five in 30
    12:02:13  online    -
    12:02:14  online    -
    12:02:15  online    -
    12:02:16  online    -
    12:02:17  online    v
  `,
  );
});

Deno.test("a rule edit leaves the other rules' state alone", () => {
  const a = (at_least: number) => rule("a", "velocity", { at_least, window_seconds: 60 });
  const b = rule("b", "velocity", { at_least: 3, window_seconds: 60 });
  checkTable(
    { one: [a(3), b], other: [b, a(4)] },
    `
    time      alert
    -- one
    12:00:00  -
    12:00:01  -
    -- other
    12:00:02  b
    12:00:03  b
    12:00:04  b
    12:00:05  b+a
  `,
  );
});

const transactionArbitrary = fc.record({
  // A few minutes around two far moments, fine enough that ties and exact distances occur.
  timestampUs: fc.tuple(fc.constantFrom(0, 365 * 86_400), fc.integer({ min: 0, max: 80 }))
    .map(([base, steps]) => (1_700_000_000 + base + steps * 5) * 1_000_000),
  accountId: fc.constantFrom("A", "A", "A", "A", "A", "B", "C", "D"),
  amountUnits: fc.constantFrom(-300_0000n, 1_0000n, 99_9999n, 100_0000n, 400_0000n),
  currency: fc.constantFrom("USD", "EUR"),
  category: fc.constantFrom("online", "retail"),
});

const parametersArbitrary = fc.oneof(
  fc.record({
    at_least: fc.integer({ min: 2, max: 5 }),
    window_seconds: fc.constantFrom(10, 10, 60),
    only: fc.constantFrom({}, {}, { categories: ["online"] }),
  }),
  fc.record({
    measure: fc.constant("sum"),
    at_least: fc.constantFrom(100, 199.9998, 500),
    window_seconds: fc.constantFrom(10, 60),
    only: fc.constant({ currencies: ["USD"] }),
  }),
);

const rulesArbitrary = fc.array(
  fc.record({
    name: fc.constantFrom("v1", "v2"),
    enabled: fc.boolean(),
    parameters: parametersArbitrary,
  }),
  { minLength: 1, maxLength: 3, size: "max" },
).map((rules) =>
  [...new Map(rules.map((one) => [one.name, one])).values()].map((
    { name, enabled, parameters },
  ) => ({
    ...rule(name, "velocity", parameters) as object,
    enabled,
  }))
);

function restored(changelog: ReadonlyMap<string, Uint8Array>, accountsMax: number): RuleEngine {
  const engine = new RuleEngine({ accountsMax });
  for (const [key, value] of changelog) engine.restore(key, value);
  engine.finishRestore();
  return engine;
}

Deno.test("the engine equals the judge, for any order, batching, rule edits and restores", () => {
  const eventArbitrary = fc.oneof(
    { weight: 30, arbitrary: transactionArbitrary.map((tx) => ({ kind: "tx" as const, tx })) },
    { weight: 1, arbitrary: rulesArbitrary.map((rules) => ({ kind: "rules" as const, rules })) },
    { weight: 2, arbitrary: fc.constant({ kind: "commit" as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: "crash" as const }) },
  );
  const accountsArbitrary = fc.constantFrom(2, 3, 100);
  fc.assert(
    fc.property(
      rulesArbitrary,
      fc.array(eventArbitrary, { minLength: 20, maxLength: 250, size: "max" }),
      accountsArbitrary,
      (rules, events, accountsMax) => {
        const naive = new NaiveJudge({ accountsMax });
        let run = new EngineRun({ accountsMax });
        let inForce = checkedRules(rules);
        const changelog = new Map<string, Uint8Array>();
        const pending: StateChange[] = run.engine.setRules(inForce);
        naive.setRules(inForce);
        const commit = () => {
          pending.push(...drained(run.engine));
          compact(changelog, pending);
          pending.length = 0;
        };
        let offset = 0;
        for (const event of events) {
          if (event.kind === "tx") {
            const tx: NaiveTransaction = {
              offset: offset++,
              country: "US",
              transactionType: "purchase",
              status: "completed",
              ...event.tx,
            };
            assertEquals(run.judge(tx).fired, naive.judge(tx));
          } else if (event.kind === "rules") {
            inForce = checkedRules(event.rules);
            pending.push(...run.engine.setRules(inForce));
            naive.setRules(inForce);
          } else if (event.kind === "commit") {
            commit();
          } else {
            commit(); // what a crash undoes is replayed by the loop; here state must survive as it is
            const engine = restored(changelog, accountsMax);
            assertEquals(engine.setRules(inForce), []);
            run = new EngineRun({ engine, sequence: offset });
          }
        }
      },
    ),
    { numRuns: 300 },
  );
});

const TX: NaiveTransaction = {
  offset: 0,
  timestampUs: 1_700_000_000_000_000,
  accountId: "A",
  amountUnits: 1n,
  currency: "USD",
  country: "US",
  category: "online",
  transactionType: "purchase",
  status: "completed",
};

Deno.test("state of dropped rules is tombstoned, and never comes back", () => {
  const v = (seconds: number) =>
    checkedRules([rule("v", "velocity", { at_least: 3, window_seconds: seconds })]);
  const run = new EngineRun();
  const changelog = new Map<string, Uint8Array>();
  const commit = (changes: StateChange[]) => {
    compact(changelog, [...changes, ...drained(run.engine)]);
  };
  const changes = run.engine.setRules(v(60));
  run.judge(TX);
  commit(changes);
  assertEquals([...changelog.keys()], [OWNERS_KEY, "a/1/A/0"]);
  // The edit is recorded, its tombstones are lost: as if the process had died right then.
  compact(changelog, run.engine.setRules(v(30)));
  const engine = restored(changelog, 1000);
  compact(changelog, [...engine.setRules(v(30)), ...drained(engine)]);
  assertEquals([...changelog.keys()], [OWNERS_KEY]);
});

Deno.test("a generation begun with records of single cells keeps them: none can be left behind", () => {
  const rules = checkedRules([rule("v", "velocity", { at_least: 2, window_seconds: 60 })]);
  const first = new RuleEngine({ accountsMax: 1 });
  const changelog = new Map<string, Uint8Array>();
  compact(changelog, first.setRules(rules));
  for (const slot of [11, 12]) changelog.set(`a/1/OLD/${slot}`, SINGLE_CELL);
  const run = new EngineRun({ engine: restored(changelog, 1) });
  run.engine.setRules(rules);
  run.judge(TX); // its account takes the only place
  compact(changelog, drained(run.engine));
  assertEquals([...changelog.keys()], [OWNERS_KEY, "a/1/A/0"]);
  assertEquals(changelog.get("a/1/A/0")![1], SINGLE_CELL[1], "words of a cell");
  const again = new EngineRun({ engine: restored(changelog, 1), sequence: 1 });
  again.engine.setRules(rules);
  assertEquals(again.judge({ ...TX, offset: 1 }).fired, ["v"]);
});

Deno.test("restoring what a newer program wrote is refused", () => {
  const engine = new RuleEngine({ accountsMax: 10 });
  const encode = (text: string) => new TextEncoder().encode(text);
  assertThrows(
    () => engine.restore(OWNERS_KEY, encode(`{"schema_version":"2","rules":[]}`)),
    Error,
    `schema version "2"`,
  );
  assertThrows(() => engine.restore("a/1/A/0", new Uint8Array([9, 1])), Error, `version "9"`);
  assertThrows(() => engine.restore("a/x", encode("")), Error, "not a key of this program");
});
