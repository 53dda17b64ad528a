import { assertEquals } from "@std/assert";
import { createMemoryBroker, type MemoryBroker } from "../../broker/memory.ts";
import { followTopic } from "./feed_source.ts";
import { pause } from "./poll.ts";

const TOPIC = "alerts";
const encoder = new TextEncoder();

async function send(broker: MemoryBroker, ...values: number[]): Promise<void> {
  const writer = await broker.openWriter();
  const batch = {
    keys: values.map(() => null),
    values: values.map((value) => encoder.encode(JSON.stringify(value))),
  };
  await writer.send([{ topic: TOPIC, partition: 0, batch }]);
  await writer.close();
}

/** Follows the topic while `act` runs; `seen` resolves once so many values came. */
async function following(
  broker: MemoryBroker,
  act: (seen: (count: number) => Promise<unknown[]>) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const values: unknown[] = [];
  const running = followTopic({
    openBroker: () => broker,
    topic: TOPIC,
    signal: stop.signal,
    retryMs: 1,
    onRecords: (records) => values.push(...records.map(({ value }) => value)),
  });
  try {
    await act(async (count) => {
      while (values.length < count) await pause(5);
      return values;
    });
  } finally {
    stop.abort();
    await running;
  }
}

Deno.test("a broker that was away shows nothing twice, and nothing is left out", async () => {
  const broker = createMemoryBroker();
  await broker.createTopics([{ name: TOPIC, partitions: 1 }]);
  await send(broker, 1, 2);
  await following(broker, async (seen) => {
    await seen(2);
    const fault = broker.faults.add({ at: "fetch" });
    await send(broker, 3);
    assertEquals(await seen(3), [1, 2, 3]);
    assertEquals(fault.fired, true);
    await send(broker, 4);
    assertEquals(await seen(4), [1, 2, 3, 4]);
  });
});

Deno.test("a topic that was made anew is read from its own beginning", async () => {
  const broker = createMemoryBroker();
  await broker.createTopics([{ name: TOPIC, partitions: 1 }]);
  await send(broker, 1, 2);
  await following(broker, async (seen) => {
    await seen(2);
    await broker.deleteTopics([TOPIC]);
    await broker.createTopics([{ name: TOPIC, partitions: 1 }]);
    const fault = broker.faults.add({ at: "fetch" });
    await send(broker, 3, 4, 5);
    assertEquals(await seen(5), [1, 2, 3, 4, 5]);
    assertEquals(fault.fired, true);
  });
});
