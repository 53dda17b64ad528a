/** U5: what one transaction holds, as the batches of one send. Pure. */
import type { PartitionBatch } from "../broker/port.ts";
import { HEADER_SCHEMA_VERSION, HEADER_TRACE } from "../contracts/headers.ts";
import { SCHEMA_VERSION } from "../contracts/services.ts";
import type { TopicNames } from "../contracts/topics.ts";
import type { OutColumns, StateChange, StepResult } from "./step_types.ts";

const SCHEMA_VERSION_BYTES = new TextEncoder().encode(SCHEMA_VERSION);

function outputBatch(topic: string, partition: number, columns: OutColumns): PartitionBatch {
  return {
    topic,
    partition,
    batch: {
      keys: columns.keys,
      values: columns.values,
      headers: [
        { name: HEADER_SCHEMA_VERSION, values: SCHEMA_VERSION_BYTES },
        { name: HEADER_TRACE, values: columns.traces },
      ],
    },
  };
}

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

/**
 * Everything of one unit of work. The partition of each output is the raw partition, never a
 * partitioner's choice (docs/exactly-once.md, "one writer per partition").
 */
export function unitBatches(
  topics: TopicNames,
  partition: number,
  unit: { result: StepResult | undefined; changes: readonly StateChange[] },
): PartitionBatch[] {
  const { result, changes } = unit;
  const batches: PartitionBatch[] = [];
  if (result !== undefined) {
    for (
      const [topic, columns] of [
        [topics.transactions, result.transactions],
        [topics.alerts, result.alerts],
        [topics.deadLetter, result.deadLetters],
      ] as const
    ) {
      if (columns.values.length > 0) batches.push(outputBatch(topic, partition, columns));
    }
  }
  batches.push(changelogBatch(topics.state, partition, changes));
  return batches;
}
