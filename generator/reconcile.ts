/**
 * Settles what a dead producer session left in doubt: the records of a unit that are in the log already
 * are taken out of it, by reading the tail of each partition back.
 *
 * Needed only when the session itself is gone (its producer id expired, its sequence broke); while it
 * lives, a repeated send is told apart by sequence numbers (see Writer.send). What cannot be excluded is
 * a request of the dead session that reaches the log after the tail was read: it would have to stay in
 * a closed connection for longer than SETTLE_MS.
 */
import type { Broker, PartitionBatch, RecordBatch } from "../broker/port.ts";
import type { SendUnit } from "./outbox.ts";

/** How long after the session's end the tail is read. */
export const SETTLE_MS = 1000;

/** Values as map keys: latin1 keeps every byte apart. */
const latin1 = new TextDecoder("latin1");

function valueKey(records: RecordBatch, index: number): string {
  return latin1.decode(
    records.bytes.subarray(records.valueStart[index]!, records.valueEnd[index]!),
  );
}

async function readTail(
  broker: Broker,
  place: { topic: string; partition: number; from: number },
): Promise<Map<string, number>> {
  const { topic, partition } = place;
  const known = (await broker.offsets(topic)).find((each) => each.partition === partition);
  const seen = new Map<string, number>();
  if (known === undefined) return seen;
  const reader = await broker.openReader({ isolation: "uncommitted" });
  try {
    // A topic that was made anew ends below where we were: then all of it is the tail.
    let offset = place.from > known.end ? known.start : Math.max(place.from, known.start);
    while (offset < known.end) {
      const fetched = await reader.fetch(topic, partition, { offset });
      for (let i = 0; i < fetched.records.count; i++) {
        const key = valueKey(fetched.records, i);
        seen.set(key, (seen.get(key) ?? 0) + 1);
      }
      offset = fetched.nextOffset;
    }
  } finally {
    await reader.close();
  }
  return seen;
}

function without(share: PartitionBatch, seen: Map<string, number>): PartitionBatch {
  const { keys, values, headers = [] } = share.batch;
  const missing = values.map((value, index) => ({ value, index })).filter(({ value }) => {
    const key = latin1.decode(value!);
    const times = seen.get(key) ?? 0;
    if (times > 0) seen.set(key, times - 1);
    return times === 0;
  }).map(({ index }) => index);
  return {
    ...share,
    batch: {
      ...share.batch,
      keys: missing.map((index) => keys[index]!),
      values: missing.map((index) => values[index]!),
      headers: headers.map(({ name, values }) => ({
        name,
        values: values instanceof Uint8Array ? values : missing.map((index) => values[index]!),
      })),
    },
  };
}

/** The part of `unit` that is not in the log from `from` (offsets by partition) on. */
export async function reconcile(
  broker: Broker,
  unit: SendUnit,
  from: ReadonlyMap<number, number>,
): Promise<SendUnit> {
  const shares: PartitionBatch[] = [];
  for (const share of unit.shares) {
    const { topic, partition } = share;
    const seen = await readTail(broker, { topic, partition, from: from.get(partition) ?? 0 });
    const rest = without(share, seen);
    if (rest.batch.values.length > 0) shares.push(rest);
  }
  return { shares, count: shares.reduce((sum, share) => sum + share.batch.values.length, 0) };
}
