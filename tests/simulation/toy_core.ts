/**
 * A core small enough to recompute in a line: it counts records per account, and the rule "every
 * n-th record of an account" alerts. Lost, doubled or reordered state changes verdicts, so it shows.
 * A raw value is `<account>:<anything>`; one that starts with `!` is refused.
 */
import type { RecordFrames } from "../../broker/record_frames.ts";
import { createStepOutputs } from "../../processor/step_outputs.ts";
import type {
  OpenStep,
  ProcessorCore,
  ReadyRuleSet,
  StepResult,
} from "../../processor/step_types.ts";
import { TimeRuns } from "../../processor/time_runs.ts";

/** Records per account. */
export type ToyState = Map<string, number>;

/** The rule: alert on every n-th record of an account. */
export interface ToyRules {
  every: number;
}

/** Version of a toy rule set. */
export function toyVersion(every: number): string {
  return `every-${every}`;
}

/** A toy rule set, ready. */
export function toyRules(every: number): ReadyRuleSet<ToyRules> {
  const rulesVersion = toyVersion(every);
  return {
    version: rulesVersion,
    record: { rulesVersion, document: JSON.stringify({ every }) },
    compiled: { every },
  };
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function put(to: RecordFrames, key: string, value: string, trace: string): void {
  to.add(encoder.encode(key), encoder.encode(value), encoder.encode(trace));
}

/** A core whose state knows its rules through `setRules`; `failAt` throws once at that raw value. */
export function createToyCore(
  options: { failAt?: (value: string) => boolean } = {},
): ProcessorCore<ToyState, ToyRules> {
  const every = new WeakMap<ToyState, number>();
  function openStep(state: ToyState, place: string): OpenStep {
    const result: StepResult = {
      ...createStepOutputs(),
      recordTimes: new TimeRuns(),
      alertTimes: new TimeRuns(),
      counts: {
        records: 0,
        accepted: 0,
        alerts: 0,
        deadLettered: 0,
        keyMismatch: 0,
        errorsByType: new Map(),
        failuresByField: new Map(),
      },
      alertInfos: [],
      deadLetterInfos: [],
    };
    const touched = new Set<string>();
    function judge(value: string, trace: string): void {
      if (options.failAt?.(value)) throw new Error(`the core fails on ${value}`);
      result.counts.records++;
      if (value.startsWith("!")) {
        put(result.deadLetters, "none", value, trace);
        result.counts.deadLettered++;
        return;
      }
      const account = value.slice(0, value.indexOf(":"));
      const count = (state.get(account) ?? 0) + 1;
      state.set(account, count);
      touched.add(account);
      put(result.transactions, account, value, trace);
      result.counts.accepted++;
      const n = every.get(state)!;
      if (count % n !== 0) return;
      put(result.alerts, account, `${toyVersion(n)} at ${count}`, trace);
      result.counts.alerts++;
    }
    return {
      judge({ count, bytes, offsets, valueStart, valueEnd }) {
        for (let i = 0; i < count; i++) {
          const value = decoder.decode(bytes.subarray(valueStart[i]!, valueEnd[i]!));
          judge(value, `${place}/${offsets[i]}`);
        }
      },
      get outputBytes() {
        return result.transactions.bytesHeld + result.alerts.bytesHeld;
      },
      finish() {
        for (const account of touched) {
          const count = encoder.encode(String(state.get(account)));
          result.changes.add(encoder.encode(`a/${account}`), count);
        }
        return result;
      },
    };
  }
  return {
    createPartitionState: () => new Map(),
    restoreState(state, key, value) {
      const account = decoder.decode(key).slice(2);
      if (value === null) state.delete(account);
      else state.set(account, Number(decoder.decode(value)));
    },
    finishRestore: () => {},
    setRules(state, rules) {
      every.set(state, rules.every);
      return [];
    },
    openStep: (state, { rawTopic, partition }) => openStep(state, `${rawTopic}/${partition}`),
    compileStored: ({ document }) => toyRules((JSON.parse(document) as ToyRules).every),
  };
}
