/** U5: what one transaction holds, as the batches of one send. Pure. */
import type { PartitionBatch, Share } from "../broker/port.ts";
import { HEADER_SCHEMA_VERSION } from "../contracts/headers.ts";
import { SCHEMA_VERSION } from "../contracts/services.ts";
import type { TopicNames } from "../contracts/topics.ts";
import type { StateChange, StepResult } from "./step_types.ts";

const SCHEMA_VERSION_BYTES = new TextEncoder().encode(SCHEMA_VERSION);

/** Changes of the changelog as a batch. */
export function changelogBatch(
  topic: string,
  partition: number,
  changes: readonly StateChange[],
): PartitionBatch {
  return {
    topic,
    partition,
    batch: {
      keys: changes.map((change) => change.key),
      values: changes.map((change) => change.value),
      headers: [{ name: HEADER_SCHEMA_VERSION, values: SCHEMA_VERSION_BYTES }],
    },
  };
}

/** What one unit brings to its transaction. */
interface UnitContent {
  result: StepResult | undefined;
  /** Made before the batch was judged, which may touch their keys again. */
  ruleChanges: readonly StateChange[];
  /** The position, and what goes with it. */
  marks: readonly StateChange[];
}

/**
 * Everything of one unit of work. The partition of each output is the raw partition, never a
 * partitioner's choice (docs/exactly-once.md, "one writer per partition").
 */
export function unitBatches(topics: TopicNames, partition: number, unit: UnitContent): Share[] {
  const { result, ruleChanges, marks } = unit;
  if (result === undefined) {
    return [changelogBatch(topics.state, partition, [...ruleChanges, ...marks])];
  }
  const batches: Share[] = [];
  for (
    const [topic, batch] of [
      [topics.transactions, result.transactions],
      [topics.alerts, result.alerts],
      [topics.deadLetter, result.deadLetters],
    ] as const
  ) {
    if (batch.count > 0) batches.push({ topic, partition, batch });
  }
  if (ruleChanges.length > 0) batches.push(changelogBatch(topics.state, partition, ruleChanges));
  for (const { key, value } of marks) result.changes.add(key, value);
  batches.push({ topic: topics.state, partition, batch: result.changes });
  return batches;
}
