/**
 * How fast the Kafka adapter writes and reads, alone: `deno run -A broker/throughput_bench.ts
 * --kafka 127.0.0.1:9092 [--records 1000000]`. Records of 400 bytes, 4 partitions, transactions of 5,000
 * records (one writer per partition), read back as committed. Prints records per second and this
 * process's CPU seconds.
 */
import process from "node:process";
import { createKafkaBroker } from "./kafka.ts";
import type { Broker } from "./port.ts";

const PARTITIONS = 4;
const RECORD_BYTES = 400;
const TRANSACTION_RECORDS = 5_000;

function argument(name: string, fallback: string): string {
  const at = Deno.args.indexOf(`--${name}`);
  return at < 0 ? fallback : Deno.args[at + 1] ?? fallback;
}

async function measure(what: string, records: number, work: () => Promise<void>): Promise<void> {
  const [started, cpu] = [performance.now(), process.cpuUsage()];
  await work();
  const seconds = (performance.now() - started) / 1000;
  const used = process.cpuUsage(cpu);
  console.log(
    `${what}: ${Math.round(records / seconds)} records/s, ${seconds.toFixed(2)} s, ` +
      `${((used.user + used.system) / 1e6).toFixed(2)} CPU s, ` +
      `${Math.round(Deno.memoryUsage().rss / 1048576)} MB resident`,
  );
}

async function writePartition(broker: Broker, topic: string, partition: number, records: number) {
  const writer = await broker.openTransactionalWriter(`${topic}-${partition}`);
  const arena = crypto.getRandomValues(new Uint8Array(RECORD_BYTES * 100));
  const key = new TextEncoder().encode("ACC1234567");
  for (let sent = 0; sent < records; sent += TRANSACTION_RECORDS) {
    const values = Array.from({ length: TRANSACTION_RECORDS }, (_, i) => {
      const at = (i % 100) * RECORD_BYTES;
      return arena.subarray(at, at + RECORD_BYTES);
    });
    const traces = values.map((_, i) =>
      new TextEncoder().encode(`${topic}/${partition}/${sent + i}`)
    );
    writer.begin();
    await writer.send([{
      topic,
      partition,
      batch: {
        keys: values.map(() => key),
        values,
        headers: [{ name: "schema_version", values: key.subarray(3, 4) }, {
          name: "trace",
          values: traces,
        }],
      },
    }]);
    await writer.commit();
  }
  await writer.close();
}

async function readPartition(broker: Broker, topic: string, partition: number): Promise<number> {
  const reader = await broker.openReader();
  const { stable } = (await broker.offsets(topic))[partition]!;
  let [offset, count] = [0, 0];
  while (offset < stable) {
    const fetched = await reader.fetch(topic, partition, { offset });
    count += fetched.records.count;
    offset = fetched.nextOffset;
  }
  await reader.close();
  return count;
}

const broker = createKafkaBroker({
  brokers: [argument("kafka", "127.0.0.1:9092")],
  clientId: "bench",
});
const topic = `bench-${crypto.randomUUID().slice(0, 8)}`;
const records = Number(argument("records", "1000000"));
const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition);
await broker.createTopics([{ name: topic, partitions: PARTITIONS }]);
await measure("write", records, async () => {
  await Promise.all(partitions.map((p) => writePartition(broker, topic, p, records / PARTITIONS)));
});
let read = 0;
await measure("read", records, async () => {
  const counts = await Promise.all(partitions.map((p) => readPartition(broker, topic, p)));
  read = counts.reduce((sum, count) => sum + count, 0);
});
if (read !== records) {
  throw new Error(`Cannot trust the figures: ${read} of ${records} records read`);
}
await broker.deleteTopics([topic]);
await broker.close();
