/**
 * Whether the processor's outputs are what a feed's ground truth asks for: each input once, in
 * `transactions` or `dead-letter`, and exactly the alerts of the naive judge under the rule sets that the
 * changelog says were in force. Reads any broker.
 */
import { assert, assertEquals } from "@std/assert";
import type { Broker } from "../../broker/port.ts";
import type { TopicNames } from "../../contracts/topics.ts";
import { NaiveJudge } from "../../rules/naive.ts";
import type { RuleDefinition } from "../../rules/rule_type.ts";
import { type LoopRecords } from "../../processor/changelog.ts";
import { readLoopRecords } from "../../processor/take_partition.ts";
import type { ProcessorContext } from "../../processor/context.ts";
import type { FedRecord } from "./real_feed.ts";

/** What the judge reads with. */
export type JudgeContext = Pick<
  ProcessorContext<never, never>,
  "broker" | "topics" | "settings" | "clock" | "group"
>;

/** A committed output. */
interface Output {
  trace: string;
  value: Record<string, unknown>;
}

async function readOutputs(broker: Broker, topic: string, partition: number): Promise<Output[]> {
  const reader = await broker.openReader();
  const decoder = new TextDecoder();
  const outputs: Output[] = [];
  const { start, stable } = (await broker.offsets(topic)).find((one) =>
    one.partition === partition
  )!;
  for (let at = start; at < stable;) {
    const { records, nextOffset } = await reader.fetch(topic, partition, { offset: at });
    for (let i = 0; i < records.count; i++) {
      const bytes = records.bytes.subarray(records.valueStart[i]!, records.valueEnd[i]!);
      outputs.push({
        trace: decoder.decode(records.header(i, "trace")),
        value: JSON.parse(decoder.decode(bytes)),
      });
    }
    at = nextOffset;
  }
  await reader.close();
  return outputs;
}

/** `<trace> <rule> <rules_version>` of every alert that there must be. */
function expectedAlerts(
  truth: readonly FedRecord[],
  loop: LoopRecords,
  options: { raw: string; partition: number; accountsMax: number },
): string[] {
  const { raw, partition, accountsMax } = options;
  const boundaries = [...loop.boundaries.values()].sort((a, b) => a.offset - b.offset);
  const judge = new NaiveJudge({ accountsMax });
  const alerts: string[] = [];
  let next = 0;
  let version = "";
  truth.forEach(({ transaction }, offset) => {
    for (; next < boundaries.length && boundaries[next]!.offset <= offset; next++) {
      version = boundaries[next]!.rulesVersion;
      const { document } = loop.ruleSets.get(version)!;
      judge.setRules((JSON.parse(document) as { rules: RuleDefinition[] }).rules);
    }
    if (transaction === undefined) return;
    for (const rule of judge.judge({ ...transaction, offset })) {
      alerts.push(`${raw}/${partition}/${offset} ${rule} ${version}`);
    }
  });
  return alerts;
}

function assertOnce(topics: TopicNames, partition: number, truth: readonly FedRecord[], seen: {
  transactions: Output[];
  deadLetters: Output[];
}): void {
  const trace = (offset: number) => `${topics.raw}/${partition}/${offset}`;
  const all = truth.map((record, offset) => ({ ...record, offset }));
  assertEquals(
    seen.transactions.map(({ trace, value }) => `${trace} ${value.transaction_id}`),
    all.filter(({ refusedAs }) => refusedAs === undefined)
      .map(({ offset, transactionId }) => `${trace(offset)} ${transactionId}`),
    `partition ${partition}: transactions, each once and in order`,
  );
  assertEquals(
    seen.deadLetters.map(({ trace, value }) => `${trace} ${value.error_type}`),
    all.filter(({ refusedAs }) => refusedAs !== undefined)
      .map(({ offset, refusedAs }) => `${trace(offset)} ${refusedAs}`),
    `partition ${partition}: dead letters, each once and in order`,
  );
}

/** Figures of a judgement, for tests that want to know that something happened at all. */
export interface Judgement {
  transactions: number;
  deadLetters: number;
  alerts: number;
  /** Distinct rule sets that raised alerts. */
  versions: Set<string>;
}

/** Asserts that outputs are right for every partition. */
export async function assertRight(
  context: JudgeContext,
  truth: readonly (readonly FedRecord[])[],
): Promise<Judgement> {
  const { broker, topics, settings } = context;
  const { signal } = new AbortController();
  const total: Judgement = { transactions: 0, deadLetters: 0, alerts: 0, versions: new Set() };
  for (const [partition, records] of truth.entries()) {
    const raw = (await broker.offsets(topics.raw)).find((one) => one.partition === partition)!;
    assertEquals(raw.end, records.length, "the feed itself is exact: offsets are its indexes");
    const [transactions, deadLetters, alerts] = await Promise.all(
      [topics.transactions, topics.deadLetter, topics.alerts].map((topic) =>
        readOutputs(broker, topic, partition)
      ),
    );
    assertOnce(topics, partition, records, {
      transactions: transactions!,
      deadLetters: deadLetters!,
    });
    const reader = await broker.openReader();
    const loop = await readLoopRecords(context, { reader, partition, signal });
    await reader.close();
    const place = { raw: topics.raw, partition, accountsMax: settings.accountsMax };
    assertEquals(
      alerts!.map(({ trace, value }) => `${trace} ${value.rule_name} ${value.rules_version}`),
      expectedAlerts(records, loop, place),
      `partition ${partition}: alerts`,
    );
    assertFlags(transactions!, alerts!);
    assertEquals(new Set(alerts!.map(({ value }) => value.alert_id)).size, alerts!.length);
    total.transactions += transactions!.length;
    total.deadLetters += deadLetters!.length;
    total.alerts += alerts!.length;
    for (const { value } of alerts!) total.versions.add(String(value.rules_version));
  }
  return total;
}

/** A transaction is flagged exactly when an alert names it. */
function assertFlags(transactions: Output[], alerts: Output[]): void {
  const alerted = new Set(alerts.map(({ trace }) => trace));
  const wrong = transactions.filter(({ trace, value }) => value.is_flagged !== alerted.has(trace));
  assert(wrong.length === 0, `is_flagged is wrong for ${wrong[0]?.trace}`);
}
