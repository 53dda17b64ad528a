/**
 * The step as a whole: whatever the batching, wherever it crashes, whenever rules change, the committed
 * outputs are those of one record after the other, and the verdicts those of the plain judge.
 */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { type CompiledRules, compileRules } from "../rules/compile.ts";
import { RuleFile } from "../rules/rule_file.ts";
import { PartitionJudge } from "./judge.ts";
import { compact } from "../rules/testing.ts";
import {
  createPartitionState,
  finishRestore,
  type PartitionState,
  restoreState,
  setRules,
} from "./state.ts";
import { openStep, step } from "./step.ts";
import type { StateChange, StepResult } from "./step_types.ts";
import {
  changesOf,
  columnsOf,
  CONTEXT,
  KAFKA_MS,
  type RawRecord,
  recordBatch,
  SETTINGS,
  testId,
  texts,
} from "./testing.ts";
import { transaction } from "./testing.ts";

const encoder = new TextEncoder();

function compiled(at_least: number, window_seconds: number, enabled: boolean): CompiledRules {
  const severity = "low";
  const rules = [
    {
      rule_name: "burst",
      rule_type: "velocity",
      severity,
      enabled,
      parameters: { at_least, window_seconds },
    },
    {
      rule_name: "flow",
      rule_type: "velocity",
      severity,
      parameters: {
        measure: "sum",
        at_least: 1000,
        window_seconds,
        only: { currencies: ["USD"] },
      },
    },
    {
      rule_name: "night",
      rule_type: "quiet_hours",
      severity,
      parameters: { start: "01:00", end: "05:00", time_zone: "Europe/Berlin" },
    },
    { rule_name: "high", rule_type: "threshold", severity, parameters: { amount: 300 } },
  ];
  return compileRules(RuleFile.parse({ rules }), SETTINGS);
}

const RULE_SETS = [
  compiled(3, 60, true),
  compiled(2, 60, true),
  compiled(3, 30, true),
  compiled(3, 60, false),
];

const valueArbitrary = fc.oneof(
  {
    weight: 30,
    arbitrary: fc.record({
      transaction_id: fc.integer({ min: 0, max: 150 }).map(testId),
      // Minutes before the Kafka timestamp, and a few in the night.
      timestamp: fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 3600, max: 3700 }))
        .map((steps) => new Date(KAFKA_MS - steps * 10_000).toISOString()),
      account_id: fc.constantFrom("A", "A", "B", "C", "D"),
      amount: fc.constantFrom(10, 300, 300.01, 700, -50.5),
      currency: fc.constantFrom("USD", "USD", "EUR"),
    }).map((changes) => JSON.stringify(transaction(changes))),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom("{", "[]", JSON.stringify(transaction({ amount: 0, status: "" }))),
  },
);

/** What is to come: records, and rule sets by the index of the record they are in force from. */
interface Input {
  records: RawRecord[];
  edits: Map<number, CompiledRules>;
}

const inputArbitrary: fc.Arbitrary<Input> = fc.record({
  values: fc.array(valueArbitrary, { minLength: 1, maxLength: 150, size: "max" }),
  edits: fc.array(fc.tuple(fc.nat(150), fc.constantFrom(...RULE_SETS)), { maxLength: 4 }),
}).map(({ values, edits }) => ({
  // Offsets have holes, as transactions leave them.
  records: values.map((value, i) => ({ offset: i * 3 + 5, key: "A", value })),
  edits: new Map([[0, RULE_SETS[0]!], ...edits]),
}));

/** Committed outputs in order, as texts. */
interface Committed {
  transactions: (string | null)[];
  alerts: (string | null)[];
  deadLetters: (string | null)[];
}

function collect(committed: Committed, result: StepResult): void {
  for (const name of ["transactions", "alerts", "deadLetters"] as const) {
    const { keys, values, traces } = columnsOf(result[name]);
    const column = [texts(keys), texts(values), texts(traces)];
    values.forEach((_, i) => committed[name].push(column.map((texts) => texts[i]).join("|")));
  }
}

const LIMITS = { dedupIdsMax: 40, accountsMax: 3 };

function empty(): Committed {
  return { transactions: [], alerts: [], deadLetters: [] };
}

function oneByOne({ records, edits }: Input): Committed {
  const state = createPartitionState(LIMITS);
  const committed = empty();
  records.forEach((record, i) => {
    const edit = edits.get(i);
    if (edit !== undefined) setRules(state, edit);
    collect(committed, step(state, recordBatch([record]), CONTEXT));
  });
  return committed;
}

/** A processor that commits some units and loses others, restoring from what it committed. */
class CrashingRun {
  readonly committed = empty();
  readonly #changelog = new Map<string, Uint8Array>();
  #rules: CompiledRules | undefined;
  #position = 0;

  constructor(readonly input: Input) {}

  #restore(): PartitionState {
    const state = createPartitionState(LIMITS);
    for (const [key, value] of this.#changelog) restoreState(state, encoder.encode(key), value);
    finishRestore(state);
    if (this.#rules !== undefined) setRules(state, this.#rules);
    return state;
  }

  /** A unit of records up to `end`, in fetches of `fetchSize`, which have their own memory for a time only. */
  #judge(state: PartitionState, end: number, fetchSize: number): StepResult {
    const open = openStep(state, CONTEXT);
    for (let from = this.#position; from < end; from += fetchSize) {
      const batch = recordBatch(this.input.records.slice(from, Math.min(from + fetchSize, end)));
      open.judge(batch);
      batch.bytes.fill(0);
    }
    return open.finish();
  }

  run(sizes: readonly number[], crashes: readonly boolean[], fetchSize: number): Committed {
    const { records, edits } = this.input;
    let state = this.#restore();
    let rules = this.#rules;
    for (let unit = 0; this.#position < records.length; unit++) {
      const changes: StateChange[] = [];
      const edit = edits.get(this.#position);
      if (edit !== undefined && edit !== rules) {
        rules = edit;
        changes.push(...setRules(state, edit));
      }
      const end = this.#endOf(sizes[unit % sizes.length]!);
      const result = this.#judge(state, end, fetchSize);
      changes.push(...changesOf(result.changes));
      // Past the plan nothing crashes any more, so that the run ends.
      if (unit < crashes.length && crashes[unit]) {
        state = this.#restore();
        rules = this.#rules;
        continue;
      }
      collect(this.committed, result);
      compact(this.#changelog, changes);
      this.#rules = rules;
      this.#position = end;
    }
    return this.committed;
  }

  /** A batch ends at the latest where the next rule set is in force. */
  #endOf(size: number): number {
    const end = Math.min(this.#position + size, this.input.records.length);
    const edits = [...this.input.edits.keys()].filter((at) => at > this.#position);
    return Math.min(end, ...edits);
  }
}

Deno.test("any units, of any fetches, any crash: the same outputs, to the byte", () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 20 });
  const crashes = fc.array(fc.boolean(), { maxLength: 60, size: "max" });
  fc.assert(
    fc.property(
      inputArbitrary,
      sizes,
      crashes,
      fc.integer({ min: 1, max: 60 }),
      (input, ...run) => {
        assertEquals(new CrashingRun(input).run(...run), oneByOne(input));
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("the step's verdicts are the plain judge's", () => {
  fc.assert(
    fc.property(inputArbitrary, (input) => {
      const { records, edits } = input;
      const judge = new PartitionJudge({ ...LIMITS, recordBytesMax: SETTINGS.record_bytes_max });
      const { transactions, alerts, deadLetters } = oneByOne(input);
      const expected: [string[], string[], string[]] = [[], [], []];
      records.forEach(({ offset, value }, i) => {
        const edit = edits.get(i);
        if (edit !== undefined) judge.setRules(edit.rules);
        const bytes = encoder.encode(value as string);
        const raw = { bytes, start: 0, end: bytes.length, timestampMs: KAFKA_MS };
        const verdict = judge.judge(raw, offset);
        if (verdict.accepted) {
          expected[0].push(`${offset} ${verdict.transactionId} ${verdict.fired.length > 0}`);
          for (const name of verdict.fired) expected[1].push(`${offset} ${name}`);
        } else expected[2].push(`${offset} ${verdict.errorType} ${verdict.fields}`);
      });
      const read = (entries: (string | null)[]) =>
        entries.map((entry) => {
          const [, value, trace] = /^.*?\|(.*)\|(.*)$/.exec(entry!)!;
          return { value: JSON.parse(value!), offset: trace!.split("/").at(-1) };
        });
      assertEquals(
        [
          read(transactions).map(({ value, offset }) =>
            `${offset} ${value.transaction_id} ${value.is_flagged}`
          ),
          read(alerts).map(({ value, offset }) => `${offset} ${value.rule_name}`),
          read(deadLetters).map(({ value, offset }) =>
            `${offset} ${value.error_type} ${
              value.errors.map(({ field }: { field: string }) => field)
            }`
          ),
        ],
        expected,
      );
    }),
    { numRuns: 40 },
  );
});
