/** Kafka's own Java client as judge: it reads what we write, and we read what it writes. */
import { assertEquals } from "@std/assert";
import { type JavaJudge, startJavaJudge } from "../tests/support/java_judge.ts";
import { startServices, type TestServices } from "../tests/support/services.ts";
import { bytesOf, readAll, settled, share } from "./conformance_support.ts";
import { createKafkaBroker } from "./kafka.ts";
import { partitionOf } from "./murmur2.ts";
import type { Broker } from "./port.ts";
import { RecordFrames } from "./record_frames.ts";

let services: TestServices;
let judge: JavaJudge;
let broker: Broker;

Deno.test.beforeAll(async () => {
  services = await startServices({ catalog: false });
  judge = await startJavaJudge(services.kafka);
});

Deno.test.afterAll(() => services.stop());

function javaTest(name: string, run: (topic: string) => Promise<void>): void {
  Deno.test(`java client: ${name}`, async () => {
    broker = createKafkaBroker({ brokers: [services.kafka], clientId: "judged" });
    try {
      await run(`judged-${crypto.randomUUID().slice(0, 8)}`);
    } finally {
      await broker.close();
    }
  });
}

javaTest("it reads keys, headers, values and tombstones that we wrote", async (topic) => {
  await broker.createTopics([{ name: topic, partitions: 1 }]);
  const writer = await broker.openWriter();
  await writer.send([{
    topic,
    partition: 0,
    batch: {
      keys: [bytesOf("ключ"), null, bytesOf("c")],
      values: [bytesOf("öne"), bytesOf("two"), null],
      headers: [
        { name: "schema_version", values: bytesOf("1") },
        { name: "trace", values: ["t/0/0", "t/0/1", "t/0/2"].map(bytesOf) },
      ],
    },
  }]);
  await writer.close();
  assertEquals(await judge.consume(topic, 0), [
    "Offset:0|schema_version:1,trace:t/0/0|ключ|öne",
    "Offset:1|schema_version:1,trace:t/0/1|null|two",
    "Offset:2|schema_version:1,trace:t/0/2|c|null",
  ]);
});

javaTest("it reads the batches that we pack", async (topic) => {
  await broker.createTopics([{ name: topic, partitions: 1 }]);
  const frames = new RecordFrames(
    { shared: [{ name: "schema_version", value: bytesOf("1") }], own: "trace" },
    { bytesMax: 20_000, compression: "zstd" },
  );
  const expected: string[] = [];
  for (let i = 0; i < 500; i++) {
    const value = `${i} ${"öfter ".repeat(i % 30)}.`;
    frames.add(bytesOf(`k${i}`), bytesOf(value), bytesOf(`t/0/${i}`));
    expected.push(`Offset:${i}|schema_version:1,trace:t/0/${i}|k${i}|${value}`);
  }
  const writer = await broker.openTransactionalWriter(`${topic}-packer`);
  writer.begin();
  await writer.send([{ topic, partition: 0, batch: frames }]);
  await writer.commit();
  await writer.close();
  await settled(broker, topic);
  assertEquals(await judge.consume(topic, 0), expected);
});

javaTest("it sees the same as we do where two writers abort on one partition", async (topic) => {
  await broker.createTopics([{ name: topic, partitions: 1 }]);
  const [first, second] = [
    await broker.openTransactionalWriter(`${topic}-1`),
    await broker.openTransactionalWriter(`${topic}-2`),
  ];
  for (let round = 0; round < 6; round++) {
    first.begin();
    second.begin();
    await first.send([share(topic, 0, `1a${round}`)]);
    await second.send([share(topic, 0, `2a${round}`, `2b${round}`)]);
    await first.send([share(topic, 0, `1b${round}`)]);
    await (round % 3 === 2 ? second.commit() : second.abort());
    second.begin();
    await second.send([share(topic, 0, `2c${round}`)]);
    await (round % 2 === 1 ? first.commit() : first.abort());
    await (round % 2 === 0 ? second.commit() : second.abort());
  }
  await first.close();
  await second.close();
  await settled(broker, topic);
  const ours = await readAll(broker, topic);
  const theirs = await judge.consume(topic, 0);
  assertEquals(
    theirs,
    ours.values.map((value, i) => `Offset:${ours.offsets[i]}|NO_HEADERS|k${value}|${value}`),
  );
  // Four rounds of each kind: what must be there at all.
  assertEquals(ours.values, [
    ...["2c0", "1a1", "1b1", "2a2", "2b2", "2c2", "1a3", "1b3", "2c4"],
    ...["1a5", "2a5", "2b5", "1b5"],
  ]);
});

javaTest(
  "we read every codec it writes, in the partitions its partitioner chose",
  async (topic) => {
    await broker.createTopics([{ name: topic, partitions: 4 }]);
    const expected: string[][] = [[], [], [], []];
    for (const codec of ["none", "gzip", "snappy", "lz4", "zstd"]) {
      const pairs = Array.from({ length: 200 }, (_, i) => [
        `ACC${i}`,
        `${codec}-${i}-${"repeated ".repeat(i)}`.trimEnd(),
      ]);
      await judge.produce(topic, pairs.map(([key, value]) => `${key}=${value}`), codec);
      for (const [key, value] of pairs) expected[partitionOf(bytesOf(key!), 4)]!.push(value!);
    }
    for (let partition = 0; partition < 4; partition++) {
      const { values } = await readAll(broker, topic, { partition });
      assertEquals(values, expected[partition]);
    }
  },
);
