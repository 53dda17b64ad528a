/** A small world for the audit's suites, made by hand: raw records, what came of them, the changelog. */
import type { Broker } from "../broker/port.ts";
import { createMemoryBroker, type MemoryBroker } from "../broker/memory.ts";
import { HEADER_TRACE } from "../contracts/headers.ts";
import { alertId, deadLetterId } from "../contracts/ids.ts";
import { TOPIC_NAMES_DEFAULT, topicSpecs } from "../contracts/topics.ts";
import { MemoryCatalog } from "../iceberg/catalog/memory.ts";
import { MemoryStorage } from "../iceberg/storage/memory.ts";
import { ruleSetText } from "../rules/version.ts";
import { audit, type AuditOptions } from "./run.ts";
import type { AuditReport } from "./report.ts";
import { TEST_RULES, TEST_SETTINGS, TEST_VERSIONS } from "./testing_rules.ts";
import { TEST_TRANSACTION } from "./testing_transaction.ts";

const TOPICS = TOPIC_NAMES_DEFAULT;
const encoder = new TextEncoder();

/** When the transactions of the scenario begin. */
export const TEST_TIME_MS = Date.UTC(2026, 0, 10, 12);

/** Raw record `index` with an amount, `seconds` after the begin. */
export function testTransaction(index: number, amount: number, seconds: number) {
  return {
    ...TEST_TRANSACTION,
    transaction_id: `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`,
    timestamp: new Date(TEST_TIME_MS + seconds * 1000).toISOString(),
    amount,
  };
}

/** A record of an output: its fields, and the raw offset that its trace names. */
export interface TestRecord {
  offset: number;
  value: Record<string, unknown>;
  /** In place of the right one. */
  trace?: string;
}

/** Everything that is in the topics of one partition; tests change it before it is written. */
export interface TestScenario {
  raw: string[];
  transactions: TestRecord[];
  deadLetters: TestRecord[];
  alerts: TestRecord[];
  /** Key and value of the changelog. */
  changelog: Map<string, Record<string, unknown>>;
}

/**
 * Six raw records of one account, and by hand what the contract and the rules make of them:
 *
 *     0  amount 5, at 0 s      fine
 *     1  amount 500, at 10 s   high (above 100)
 *     2  amount 5, at 20 s     rapid (the third within 60 s)
 *     3  no JSON               dead letter
 *     4  the id of 0 again     dead letter
 *     5  amount 5, at 500 s    high, critical (above 1 by the second rule set)
 */
export function testScenario(): TestScenario {
  const made = [5, 500, 5, undefined, undefined, 5].map((amount, index) =>
    amount === undefined
      ? undefined
      : testTransaction(index, amount, [0, 10, 20, 0, 0, 500][index]!)
  );
  const raw = made.map((value, index) =>
    index === 3 ? "{no" : JSON.stringify(index === 4 ? testTransaction(0, 7, 30) : value)
  );
  const transaction = (offset: number, flagged: boolean): TestRecord => ({
    offset,
    value: {
      ...made[offset],
      processing_timestamp: "2026-01-10T13:00:00.000000Z",
      partition_date: "2026-01-10",
      is_flagged: flagged,
      rules_version: TEST_VERSIONS[offset < 5 ? 0 : 1],
    },
  });
  const alert = (offset: number, rule: string, severity: string): TestRecord => ({
    offset,
    value: {
      alert_id: alertId(rule, made[offset]!.transaction_id),
      transaction_id: made[offset]!.transaction_id,
      rule_name: rule,
      severity,
      alert_timestamp: "2026-01-10T13:00:00.000000Z",
      description: "by hand",
      rules_version: TEST_VERSIONS[offset < 5 ? 0 : 1],
      evidence: {},
      transaction: made[offset],
    },
  });
  const deadLetter = (offset: number, error_type: string): TestRecord => ({
    offset,
    value: {
      dead_letter_id: deadLetterId(`${TOPICS.raw}/0/${offset}`),
      failed_at: "2026-01-10T13:00:00.000000Z",
      error_type,
      errors: [{ field: "$", expected: "x", actual: "y" }],
      source: { topic: TOPICS.raw, partition: 0, offset: String(offset), timestamp: "" },
      original: raw[offset],
      original_encoding: "utf8",
      truncated: false,
      original_bytes: raw[offset]!.length,
      schema_version: "1",
    },
  });
  return {
    raw,
    transactions: [
      transaction(0, false),
      transaction(1, true),
      transaction(2, true),
      transaction(5, true),
    ],
    deadLetters: [deadLetter(3, "not_json"), deadLetter(4, "duplicate")],
    alerts: [alert(1, "high", "high"), alert(2, "rapid", "medium"), alert(5, "high", "critical")],
    changelog: new Map<string, Record<string, unknown>>([
      ["b/0000000000000000", { offset: "0", rules_version: TEST_VERSIONS[0] }],
      ["b/0000000000000005", { offset: "5", rules_version: TEST_VERSIONS[1] }],
      [`r/${TEST_VERSIONS[0]}`, {
        rule_set: JSON.parse(ruleSetText(TEST_RULES[0]!, TEST_SETTINGS)),
      }],
      [`r/${TEST_VERSIONS[1]}`, {
        rule_set: JSON.parse(ruleSetText(TEST_RULES[1]!, TEST_SETTINGS)),
      }],
      ["p", { next: "6" }],
    ]),
  };
}

/** Writes a scenario into a broker of its own, and audits it; there are no tables. */
export async function auditScenario(
  scenario: TestScenario,
  options: {
    /** After everything is written. */
    change?: (broker: MemoryBroker) => void;
    audit?: Partial<AuditOptions>;
  } = {},
): Promise<AuditReport> {
  const broker = createMemoryBroker({ clock: () => TEST_TIME_MS + 3_600_000 });
  await broker.createTopics(topicSpecs(TOPICS, 1));
  await writeScenario(broker, scenario);
  options.change?.(broker);
  const folder = await Deno.makeTempDir({ prefix: "audit_test_" });
  try {
    return await audit({
      broker,
      catalog: new MemoryCatalog({ nowMs: () => TEST_TIME_MS }),
      storage: new MemoryStorage(),
      topics: TOPICS,
      folder,
      ...options.audit,
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function writeScenario(broker: Broker, scenario: TestScenario): Promise<void> {
  const { raw, transactions, deadLetters, alerts, changelog } = scenario;
  const writer = await broker.openWriter();
  const append = (topic: string, records: { key?: string; value: string; trace?: string }[]) =>
    writer.send([{
      topic,
      partition: 0,
      batch: {
        keys: records.map(({ key }) => key === undefined ? null : encoder.encode(key)),
        values: records.map(({ value }) => encoder.encode(value)),
        headers: [{
          name: HEADER_TRACE,
          values: records.map(({ trace }) => encoder.encode(trace ?? "")),
        }],
      },
    }]);
  const output = (records: TestRecord[]) =>
    records.map(({ offset, value, trace }) => ({
      value: JSON.stringify(value),
      trace: trace ?? `${TOPICS.raw}/0/${offset}`,
    }));
  await append(TOPICS.raw, raw.map((value) => ({ value })));
  await append(TOPICS.transactions, output(transactions));
  await append(TOPICS.deadLetter, output(deadLetters));
  await append(TOPICS.alerts, output(alerts));
  const cluster_id = await broker.clusterId();
  const topic_id = (await broker.topics([TOPICS.raw])).get(TOPICS.raw)!.id;
  await append(
    TOPICS.state,
    [...changelog].map(([key, value]) => ({
      key,
      value: JSON.stringify({ schema_version: "1", cluster_id, topic_id, ...value }),
    })),
  );
  await writer.close();
}
