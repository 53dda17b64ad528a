/**
 * The Kafka adapter when answers get lost: what was served must not be done twice, what is unknown must
 * be said to be unknown. A proxy before a real Kafka loses them.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { API, type KafkaProxy, startKafkaProxy } from "../tests/support/kafka_proxy.ts";
import { startServices, type TestServices } from "../tests/support/services.ts";
import { eventually, readAll, settled, share } from "./conformance_support.ts";
import { createKafkaBroker, type KafkaOptions } from "./kafka.ts";
import { type Broker, FencedError, UnreachableError } from "./port.ts";

let services: TestServices;

Deno.test.beforeAll(async () => {
  services = await startServices({ catalog: false });
});

Deno.test.afterAll(() => services.stop());

interface Context {
  /** Through the proxy. */
  broker: Broker;
  /** Past it. */
  direct: Broker;
  proxy: KafkaProxy;
  topic: string;
}

function faultTest(
  name: string,
  options: Partial<KafkaOptions>,
  run: (context: Context) => Promise<void>,
): void {
  Deno.test(`kafka broker, lost answers: ${name}`, async () => {
    const proxy = startKafkaProxy(services.kafka);
    const { host, port } = proxy;
    const common = { clientId: "faults", ...options };
    const direct = createKafkaBroker({ ...common, brokers: [services.kafka] });
    const broker = createKafkaBroker({
      ...common,
      brokers: [`${host}:${port}`],
      route: () => ({ host, port }),
    });
    const topic = `faults-${crypto.randomUUID().slice(0, 8)}`;
    try {
      await direct.createTopics([{ name: topic, partitions: 1 }]);
      await run({ broker, direct, proxy, topic });
    } finally {
      await broker.close();
      await direct.close();
      await proxy.close();
    }
  });
}

faultTest("an append whose answer is lost is not done twice", {}, async (context) => {
  const { broker, direct, proxy, topic } = context;
  const writer = await broker.openWriter();
  await writer.send([share(topic, 0, "0")]);
  proxy.loseAnswers(API.produce, 3);
  const places = await writer.send([share(topic, 0, "1", "2")]);
  assertEquals(places, [{ topic, partition: 0, baseOffset: 1, count: 2 }]);
  assertEquals(proxy.left(API.produce), 0);
  await writer.send([share(topic, 0, "3")]);
  await writer.close();
  assertEquals((await readAll(direct, topic)).values, ["0", "1", "2", "3"]);
});

faultTest("many batches under way keep their order and number", {}, async (context) => {
  const { broker, direct, proxy, topic } = context;
  const writer = await broker.openWriter();
  const pad = "p".repeat(100_000);
  const values = Array.from({ length: 60 }, (_, i) => `${i}-${pad}`); // 7 batches
  proxy.loseAnswers(API.produce, 2);
  await writer.send([share(topic, 0, ...values)]);
  await writer.close();
  assertEquals(proxy.left(API.produce), 0);
  assertEquals((await readAll(direct, topic)).values, values);
});

faultTest(
  "a send that ended as unreachable is sent again and not doubled",
  { deadlineMs: 600 },
  async ({ broker, direct, proxy, topic }) => {
    const writer = await broker.openWriter();
    await writer.send([share(topic, 0, "0")]);
    proxy.loseAnswers(API.produce, 1000);
    const again = share(topic, 0, "1");
    await assertRejects(() => writer.send([again]), UnreachableError);
    // It is there already, which the writer cannot know.
    assertEquals((await readAll(direct, topic)).values, ["0", "1"]);
    proxy.loseAnswers(API.produce, 0);
    proxy.down = true;
    await assertRejects(() => writer.send([again]), UnreachableError);
    proxy.down = false;
    assertEquals(await writer.send([again]), [{ topic, partition: 0, baseOffset: 1, count: 1 }]);
    await writer.send([share(topic, 0, "2")]);
    await writer.close();
    assertEquals((await readAll(direct, topic)).values, ["0", "1", "2"]);
  },
);

faultTest("within a transaction lost answers are made good", {}, async (context) => {
  const { broker, direct, proxy, topic } = context;
  const writer = await broker.openTransactionalWriter(`${topic}-tx`);
  writer.begin();
  proxy.loseAnswers(API.addPartitionsToTxn);
  proxy.loseAnswers(API.produce);
  await writer.send([share(topic, 0, "a", "b")]);
  await writer.commit();
  assertEquals([proxy.left(API.addPartitionsToTxn), proxy.left(API.produce)], [0, 0]);
  await writer.close();
  await settled(direct, topic);
  assertEquals((await readAll(direct, topic)).values, ["a", "b"]);
});

faultTest("an end whose answer is lost is unknown, and never sent twice", {}, async (context) => {
  const { broker, direct, proxy, topic } = context;
  const writer = await broker.openTransactionalWriter(`${topic}-tx`);
  writer.begin();
  await writer.send([share(topic, 0, "decided")]);
  proxy.loseAnswers(API.endTxn);
  await assertRejects(() => writer.commit(), UnreachableError);
  await assertRejects(() => writer.abort(), Error, "dead");
  const successor = await broker.openTransactionalWriter(`${topic}-tx`);
  await settled(direct, topic);
  assertEquals((await readAll(direct, topic)).values, ["decided"]);
  await writer.close();
  await successor.close();
});

faultTest("a fetch goes on where its connection was cut", {}, async (context) => {
  const { broker, direct, proxy, topic } = context;
  const writer = await direct.openWriter();
  const reader = await broker.openReader();
  await writer.send([share(topic, 0, "0")]);
  assertEquals((await reader.fetch(topic, 0, { offset: 0 })).records.count, 1);
  proxy.loseAnswers(API.fetch, 2);
  await writer.send([share(topic, 0, "1")]);
  const fetched = await reader.fetch(topic, 0, { offset: 1 });
  assertEquals([fetched.records.count, fetched.records.offsets[0], fetched.nextOffset], [1, 1, 2]);
  assertEquals(proxy.left(API.fetch), 0);
  await reader.close();
  await writer.close();
});

faultTest(
  "a frozen broker is unreachable, not waited for without end",
  { requestMsMax: 300, deadlineMs: 1_000 },
  async ({ broker, proxy, topic }) => {
    const writer = await broker.openTransactionalWriter(`${topic}-tx`);
    const reader = await broker.openReader();
    writer.begin();
    await writer.send([share(topic, 0, "a")]);
    proxy.frozen = true;
    await assertRejects(() => writer.commit(), UnreachableError);
    await assertRejects(() => reader.fetch(topic, 0, { offset: 0 }), UnreachableError);
    await assertRejects(() => broker.offsets(topic), UnreachableError);
    proxy.frozen = false;
    await eventually(() => broker.offsets(topic).then(() => true, () => false));
    await reader.close();
    await writer.close();
  },
);

Deno.test("kafka broker: nobody there is UnreachableError, with the reason", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  const broker = createKafkaBroker({
    brokers: [`127.0.0.1:${port}`],
    clientId: "nobody",
    deadlineMs: 300,
  });
  const error = await assertRejects(() => broker.clusterId(), UnreachableError);
  assert(error.cause instanceof Error);
  await assertRejects(() => broker.openTransactionalWriter("id"), UnreachableError);
  await broker.close();
});

Deno.test("kafka broker: a transaction open beyond its timeout is aborted and its writer fenced", async () => {
  const broker = createKafkaBroker({ brokers: [services.kafka], clientId: "timeout" });
  const topic = `timeout-${crypto.randomUUID().slice(0, 8)}`;
  await broker.createTopics([{ name: topic, partitions: 1 }]);
  const writer = await broker.openTransactionalWriter(`${topic}-tx`, {
    transactionTimeoutMs: 1_000,
  });
  writer.begin();
  await writer.send([share(topic, 0, "slow")]);
  // The coordinator looks every ten seconds (transaction.abort.timed.out.transaction.cleanup.interval.ms).
  await settled(broker, topic);
  await assertRejects(() => writer.commit(), FencedError);
  assertEquals((await readAll(broker, topic)).values, []);
  await writer.close();
  await broker.close();
});
