/** The sink on a real Kafka and a real REST catalog; PyIceberg, which shares no code with us, counts. */
import { assertEquals } from "@std/assert";
import { createKafkaBroker } from "../broker/kafka.ts";
import { restCatalog } from "../iceberg/catalog/rest.ts";
import { systemEnvironment } from "../iceberg/commit/environment.ts";
import { localStorage } from "../iceberg/storage/local.ts";
import { runPython } from "../tests/support/python.ts";
import { startServices } from "../tests/support/services.ts";
import { produce, startTestSink, transactionValue } from "./testing.ts";

const READ = `
import sys, json
from pyiceberg.catalog.rest import RestCatalog
table = RestCatalog("judge", uri=sys.argv[1]).load_table(sys.argv[2])
rows = table.scan().to_arrow()
print(json.dumps({
  "rows": rows.num_rows,
  "traces": len(set(zip(rows["source_partition"].to_pylist(), rows["source_offset"].to_pylist()))),
  "amount": str(sum(rows["amount"].to_pylist())),
  "days": len(set(rows["partition_date"].to_pylist())),
  "one_day": table.scan(row_filter="timestamp >= '2026-11-22T00:00:00+00:00'").to_arrow().num_rows,
}))
`;

Deno.test("rows of a real topic are in a table that PyIceberg reads", async () => {
  const services = await startServices();
  const suffix = crypto.randomUUID().slice(0, 8);
  const topic = `transactions-${suffix}`;
  const broker = createKafkaBroker({ brokers: [services.kafka], clientId: "sink-test" });
  try {
    await broker.createTopics([{ name: topic, partitions: 2 }]);
    const catalog = restCatalog({ uri: services.catalog });
    const sink = await startTestSink({
      broker,
      catalog,
      environment: systemEnvironment(localStorage({ roots: [services.warehouse] })),
      topic,
      namespace: `finance_${suffix}`,
    });
    // 100,000 s of event time: two days.
    const all = Array.from({ length: 1000 }, (_, index) => transactionValue(index * 100));
    for (const partition of [0, 1]) {
      const half = all.slice(partition * 500, partition * 500 + 500);
      await produce(
        broker,
        { topic, partition, rawOffset: 7 },
        half.map((value) => ({ value })),
      );
    }
    await sink.finish();
    assertEquals(sink.errors, []);
    const seen = JSON.parse(
      await runPython(READ, [services.catalog, `finance_${suffix}.transactions`]),
    );
    assertEquals(seen, { rows: 1000, traces: 1000, amount: "450250.0000", days: 2, one_day: 136 });
  } finally {
    await broker.close();
    await services.stop();
  }
});
