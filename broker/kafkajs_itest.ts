/** What the README tells users of kafkajs: with its codec they read the batches that we pack. */
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { assertEquals } from "@std/assert";
import kafkajs from "kafkajs";
import { startServices } from "../tests/support/services.ts";
import { bytesOf } from "./conformance_support.ts";
import { createKafkaBroker } from "./kafka.ts";
import { RecordFrames } from "./record_frames.ts";

const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = kafkajs;

Deno.test("kafkajs reads packed batches once it has a codec of node:zlib", async () => {
  CompressionCodecs[CompressionTypes.ZSTD] = () => ({
    compress: ({ buffer }: { buffer: Uint8Array }) => Promise.resolve(zstdCompressSync(buffer)),
    decompress: (buffer: Uint8Array) => Promise.resolve(zstdDecompressSync(buffer)),
  });
  const services = await startServices({ catalog: false });
  const broker = createKafkaBroker({ brokers: [services.kafka], clientId: "packer" });
  const topic = `packed-${crypto.randomUUID()}`;
  await broker.createTopics([{ name: topic, partitions: 1 }]);
  const frames = new RecordFrames({ shared: [] }, { bytesMax: 10_000, compression: "zstd" });
  const expected = Array.from({ length: 300 }, (_, i) => `${i} ${"word ".repeat(i % 40)}`);
  for (const value of expected) frames.add(null, bytesOf(value));
  const writer = await broker.openTransactionalWriter(`${topic}-writer`);
  writer.begin();
  await writer.send([{ topic, partition: 0, batch: frames }]);
  await writer.commit();
  await writer.close();
  const client = new Kafka({ brokers: [services.kafka], logLevel: logLevel.NOTHING });
  const consumer = client.consumer({ groupId: topic });
  try {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    const found: string[] = [];
    await new Promise<void>((resolve, reject) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
      consumer.run({
        eachMessage: ({ message }) => {
          found.push(message.value!.toString());
          if (found.length === expected.length) resolve();
          return Promise.resolve();
        },
      }).catch(reject);
    });
    assertEquals(found, expected);
  } finally {
    await consumer.disconnect();
    await broker.close();
    await services.stop();
  }
});
