/** The Kafka adapter while its broker is killed (SIGKILL) and started again, and on a cleaned log. */
import { assert, assertEquals } from "@std/assert";
import { ensureJars } from "../tasks/native/jars.ts";
import { startKafka } from "../tests/support/services.ts";
import { bytesOf, eventually, readAll, settled, share, valueText } from "./conformance_support.ts";
import { createKafkaBroker } from "./kafka.ts";
import type { Broker, TransactionalWriter } from "./port.ts";

type Kafka = Awaited<ReturnType<typeof startKafka>>;

let dir: string;
let kafka: Kafka;

Deno.test.beforeAll(async () => {
  dir = await Deno.makeTempDir({ prefix: "kafka_restart_" });
  kafka = await startKafka(await ensureJars(), { dir });
});

Deno.test.afterAll(async () => {
  await kafka.kill();
  await Deno.remove(dir, { recursive: true });
});

async function killAndStart(): Promise<void> {
  const { port, controllerPort } = kafka;
  await kafka.kill();
  kafka = await startKafka(await ensureJars(), { dir, port, controllerPort });
}

/** A topic, and a broker that is more patient than a restart takes. */
async function withTopic(run: (broker: Broker, topic: string) => Promise<void>): Promise<void> {
  const broker = createKafkaBroker({
    brokers: [kafka.address],
    clientId: "restart",
    deadlineMs: 60_000,
  });
  const topic = `restart-${crypto.randomUUID().slice(0, 8)}`;
  try {
    await broker.createTopics([{ name: topic, partitions: 1 }]);
    await run(broker, topic);
  } finally {
    await broker.close();
  }
}

/** Reads committed values until `last` has come. */
async function follow(broker: Broker, topic: string, last: string): Promise<string[]> {
  const reader = await broker.openReader();
  const values: string[] = [];
  for (let offset = 0; values.at(-1) !== last;) {
    const fetched = await reader.fetch(topic, 0, { offset, waitMsMax: 100 });
    for (let i = 0; i < fetched.records.count; i++) values.push(valueText(fetched.records, i)!);
    offset = fetched.nextOffset;
  }
  await reader.close();
  return values;
}

Deno.test("kafka broker, killed: writer and reader outlast it, no record twice, none lost", async () => {
  await withTopic(async (broker, topic) => {
    const values = Array.from({ length: 400 }, (_, i) => `${i}`);
    const reading = follow(broker, topic, values.at(-1)!);
    const writer = await broker.openWriter();
    let restarting: Promise<void> | undefined;
    for (const value of values) {
      if (value === "150") restarting = killAndStart();
      await writer.send([share(topic, 0, value)]);
    }
    await restarting;
    await writer.close();
    assertEquals(await reading, values);
  });
});

/** Opens a writer, however long it takes, and says how many records are committed. */
async function reopen(broker: Broker, topic: string) {
  const writer = await broker.openTransactionalWriter(`${topic}-tx`);
  await settled(broker, topic);
  return { writer, done: (await readAll(broker, topic)).values.length };
}

Deno.test("kafka broker, killed: transactions redone after errors leave each record once", async () => {
  await withTopic(async (broker, topic) => {
    const values = Array.from({ length: 300 }, (_, i) => `${i}`);
    const reading = follow(broker, topic, values.at(-1)!);
    let restarting: Promise<void> | undefined;
    let writer: TransactionalWriter | undefined;
    let [done, errors] = [0, 0];
    while (done < values.length) {
      if (done === 100) restarting ??= killAndStart();
      try {
        if (writer === undefined) ({ writer, done } = await reopen(broker, topic));
        if (done === values.length) break;
        writer.begin();
        await writer.send([share(topic, 0, values[done]!)]);
        await writer.commit();
        done++;
      } catch {
        errors++;
        await writer?.close();
        writer = undefined;
      }
    }
    await restarting;
    await writer?.close();
    assertEquals(await reading, values);
    assert(errors < 20, `${errors} errors`);
  });
});

Deno.test("kafka broker: a log that Kafka cleaned is read over its holes to the end", async () => {
  await withTopic(async (broker) => {
    const topic = `cleaned-${crypto.randomUUID().slice(0, 8)}`;
    const settings = {
      "cleanup.policy": "compact",
      "segment.ms": "200",
      "min.cleanable.dirty.ratio": "0.01",
      "max.compaction.lag.ms": "200",
      "delete.retention.ms": "0",
    };
    await broker.createTopics([{ name: topic, partitions: 1, settings }]);
    const writer = await broker.openTransactionalWriter(`${topic}-tx`);
    const newest = new Map<string, string>();
    for (let i = 0; i < 40; i++) {
      const [key, value] = [`k${i % 7}`, `v${i}`];
      const batch = { keys: [bytesOf(key)], values: [bytesOf(value)] };
      writer.begin();
      await writer.send([{ topic, partition: 0, batch }]);
      await (i % 5 === 4 ? writer.abort() : writer.commit());
      if (i % 5 !== 4) newest.set(key, value);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    const before = (await readAll(broker, topic)).values.length;
    assertEquals(before, 32);
    // The cleaner's turn comes every 15 s (log.cleaner.backoff.ms); a new record rolls the segment.
    await new Promise((resolve) => setTimeout(resolve, 300));
    writer.begin();
    await writer.send([{
      topic,
      partition: 0,
      batch: { keys: [bytesOf("last")], values: [bytesOf("last")] },
    }]);
    await writer.commit();
    newest.set("last", "last");
    await settled(broker, topic);
    await eventually(async () => (await readAll(broker, topic)).values.length < before, 60_000);
    const { values, nextOffset } = await readAll(broker, topic);
    assertEquals(new Set(values).size, values.length);
    for (const value of newest.values()) assert(values.includes(value), `${value} is gone`);
    assertEquals(nextOffset, (await broker.offsets(topic))[0]!.end);
    // From every offset, holes included, a reader comes to the end.
    for (let offset = 0; offset < nextOffset; offset++) {
      assertEquals((await readAll(broker, topic, { offset })).nextOffset, nextOffset);
    }
    await writer.close();
  });
});
