/** What the conformance cases share: the shape of a case, and short ways to write and read text. */
import type { Broker, Isolation, OutBatch, PartitionBatch, RecordBatch } from "./port.ts";

/** One rule every adapter keeps. */
export interface ConformanceCase {
  /** The rule, in plain words. */
  name: string;
  run(context: ConformanceContext): Promise<void>;
}

/** What a case gets: a broker, and names nobody else uses on it. */
export interface ConformanceContext {
  broker: Broker;
  /** A name that starts with `prefix`, for topics, groups and transactional ids. */
  unique(prefix: string): string;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** UTF-8 bytes. */
export function bytesOf(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Records with these values and the same text, prefixed by `k`, as key. */
export function texts(...values: string[]): OutBatch {
  return { keys: values.map((value) => bytesOf(`k${value}`)), values: values.map(bytesOf) };
}

/** A share of a send with these values. */
export function share(topic: string, partition: number, ...values: string[]): PartitionBatch {
  return { topic, partition, batch: texts(...values) };
}

/** The text of a fetched record's value; null for a tombstone. */
export function valueText(records: RecordBatch, index: number): string | null {
  const start = records.valueStart[index]!;
  return start < 0 ? null : decoder.decode(records.bytes.subarray(start, records.valueEnd[index]!));
}

/** The text of a fetched record's key; null where it has none. */
export function keyText(records: RecordBatch, index: number): string | null {
  const start = records.keyStart[index]!;
  return start < 0 ? null : decoder.decode(records.bytes.subarray(start, records.keyEnd[index]!));
}

/** A new topic of that many partitions. */
export async function newTopic(
  { broker, unique }: ConformanceContext,
  partitions = 1,
  settings: Record<string, string> = {},
): Promise<string> {
  const name = unique("topic");
  await broker.createTopics([{ name, partitions, settings }]);
  return name;
}

/** All values of a partition, in order, from `offset` to what is stable (or the end) just now. */
export async function readAll(
  broker: Broker,
  topic: string,
  options: { partition?: number; offset?: number; isolation?: Isolation; bytesMax?: number } = {},
): Promise<{ values: (string | null)[]; offsets: number[]; nextOffset: number }> {
  const { partition = 0, isolation = "committed", bytesMax = 1 << 20 } = options;
  const reader = await broker.openReader({ isolation });
  const known = (await broker.offsets(topic)).find((each) => each.partition === partition)!;
  const limit = isolation === "committed" ? known.stable : known.end;
  const values: (string | null)[] = [];
  const offsets: number[] = [];
  let offset = options.offset ?? known.start;
  while (offset < limit) {
    const fetched = await reader.fetch(topic, partition, { offset, bytesMax, waitMsMax: 200 });
    for (let i = 0; i < fetched.records.count; i++) {
      values.push(valueText(fetched.records, i));
      offsets.push(fetched.records.offsets[i]!);
    }
    offset = fetched.nextOffset;
  }
  await reader.close();
  return { values, offsets, nextOffset: offset };
}

/** Waits for the markers of transactions that were ended: a commit is decided before it is seen. */
export async function settled(broker: Broker, ...topics: string[]): Promise<void> {
  for (const topic of topics) {
    await eventually(async () =>
      (await broker.offsets(topic)).every(({ stable, end }) => stable === end)
    );
  }
}

/** Waits until `check` holds; throws after `msMax`. */
export async function eventually(
  check: () => boolean | Promise<boolean>,
  msMax = 15_000,
): Promise<void> {
  const deadline = performance.now() + msMax;
  while (!(await check())) {
    if (performance.now() > deadline) throw new Error(`Still not so after ${msMax} ms: ${check}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
