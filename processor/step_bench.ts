/**
 * Measures the pure step alone: `deno run -A processor/step_bench.ts [records]`. The input is
 * like the processor bench's: one partition of four, 10,000 accounts in all, a day of event time in
 * order, 0.1 % malformed, about 18 % alerting.
 */
import { cpuUsage } from "node:process";
import type { RecordBatch } from "../broker/port.ts";
import { compileRules } from "../rules/compile.ts";
import { RuleFile } from "../rules/rule_file.ts";
import { createPartitionState, setRules } from "./state.ts";
import { step } from "./step.ts";
import { CONTEXT, KAFKA_MS, recordBatch, SETTINGS, SHIPPED_RULES, transaction } from "./testing.ts";

const BATCH_RECORDS = 10_000;
const ACCOUNTS = 2500;

/** mulberry32: the same numbers in every run. */
function randomFrom(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const random = randomFrom(1);
const hex = (digits: number) =>
  Math.floor(random() * 16 ** digits).toString(16).padStart(digits, "0");

function batchOf(first: number, records: number, total: number) {
  return recordBatch(
    Array.from({ length: records }, (_, i) => {
      const offset = first + i;
      const account = `ACC${1_000_000 + Math.floor(random() * ACCOUNTS)}`;
      const time = KAFKA_MS - 86_400_000 + Math.floor(86_400_000 * offset / total);
      const value = JSON.stringify(transaction({
        transaction_id: `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(12)}`,
        timestamp: new Date(time).toISOString(),
        account_id: account,
        amount: random() < 0.015 ? 12_345.67 : Math.ceil(random() * 50_000) / 100,
        status: random() < 0.001 ? "?" : "completed",
      }));
      return { offset, key: account, value };
    }),
  );
}

const total = Number(Deno.args[0] ?? 400_000);
const state = createPartitionState({ dedupIdsMax: 500_000, accountsMax: 50_000 });
setRules(
  state,
  compileRules(RuleFile.parse({ rules: SHIPPED_RULES }), {
    ...SETTINGS,
    dedup_ids_max: 500_000,
    accounts_max: 50_000,
  }),
);
// Made beforehand: the garbage of making them would be collected on the step's time.
const batches: RecordBatch[] = [];
for (let first = 0; first < total; first += BATCH_RECORDS) {
  batches.push(batchOf(first, Math.min(BATCH_RECORDS, total - first), total));
}

const WARM_UP = Math.floor(batches.length / 4);
let records = 0, ms = 0, cpuUs = 0, alerts = 0, deadLettered = 0, bytesState = 0;
batches.forEach((batch, index) => {
  const cpuBefore = cpuUsage();
  const began = performance.now();
  const { counts, changes } = step(state, batch, CONTEXT);
  const { user, system } = cpuUsage(cpuBefore);
  if (index < WARM_UP) return;
  ms += performance.now() - began;
  cpuUs += user + system;
  records += counts.records;
  alerts += counts.alerts;
  deadLettered += counts.deadLettered;
  for (const chunk of changes.plan()) bytesState += chunk.bytes;
});
const perSecond = (us: number) => Math.round(records / us * 1_000_000);
console.log(
  `${records} records after ${WARM_UP * BATCH_RECORDS} to warm up: ` +
    `${perSecond(ms * 1000)} records/s by the clock, ${perSecond(cpuUs)} per CPU second ` +
    `(collector and compiler included); ${alerts} alerts, ${deadLettered} dead letters; ` +
    `${(bytesState / records).toFixed(1)} B of state a record; ` +
    `rss ${(Deno.memoryUsage().rss / 2 ** 20).toFixed(0)} MiB`,
);
