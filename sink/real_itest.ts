/** The sink on a real Kafka and a real REST catalog; PyIceberg, which shares no code with us, counts. */
import { assertEquals } from "@std/assert";
import { createKafkaBroker } from "../broker/kafka.ts";
import { restCatalog } from "../iceberg/catalog/rest.ts";
import { systemEnvironment } from "../iceberg/commit/environment.ts";
import { localStorage } from "../iceberg/storage/local.ts";
import { runPython } from "../tests/support/python.ts";
import { startServices } from "../tests/support/services.ts";
import { compactTable } from "./compact.ts";
import { COMPACT_ALL } from "./compaction_plan.ts";
import { openDuckDb } from "./duckdb.ts";
import { TableHandle } from "./table_handle.ts";
import { produce, startTestSink, transactionValue, until } from "./testing.ts";

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

const FILES = `
import sys, json
import pyarrow.parquet as parquet
from pyiceberg.catalog.rest import RestCatalog
table = RestCatalog("judge", uri=sys.argv[1]).load_table(sys.argv[2])
files = [task.file for task in table.scan().plan_files()]
times = [parquet.read_table(f.file_path.removeprefix("file:")).column("timestamp").to_pylist() for f in files]
bounds = []
for f, values in zip(files, times):
  micros = [int(v.timestamp()) * 1000000 + v.microsecond for v in values]
  low = int.from_bytes(f.lower_bounds[2], "little")
  high = int.from_bytes(f.upper_bounds[2], "little")
  bounds.append(low == min(micros) and high == max(micros))
parent = table.current_snapshot().parent_snapshot_id
print(json.dumps({
  "files": len(files),
  "sorted": all(values == sorted(values) for values in times),
  "before": table.scan(snapshot_id=parent).to_arrow().num_rows,
  "bounds_hold": all(bounds),
}))
`;

async function compact(services: { catalog: string; warehouse: string }, namespace: string) {
  const directory = await Deno.makeTempDir({ prefix: "sink_compact_" });
  const db = await openDuckDb({ directory, memoryMb: 128, threads: 1, keepOrder: true });
  try {
    const catalog = restCatalog({ uri: services.catalog });
    return await compactTable({
      handle: new TableHandle({ catalog, name: "transactions", namespace }),
      environment: systemEnvironment(localStorage({ roots: [services.warehouse] })),
      db,
      policy: COMPACT_ALL,
    });
  } finally {
    db.close();
    await Deno.remove(directory, { recursive: true });
  }
}

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
      // Every second one each, so that both partitions have both days, and wait for the commit in between.
      const own = all.filter((_, index) => index % 2 === partition).map((value) => ({ value }));
      await produce(broker, { topic, partition, rawOffset: 7 }, own);
      const stored = () => sink.log.reduce((sum, line) => sum + Number(line.rows ?? 0), 0);
      await until("they are stored", () => stored() === (partition + 1) * 500);
    }
    await sink.finish();
    assertEquals(sink.errors, []);
    const seen = JSON.parse(
      await runPython(READ, [services.catalog, `finance_${suffix}.transactions`]),
    );
    const expected = { rows: 1000, traces: 1000, amount: "450250.0000", days: 2, one_day: 136 };
    assertEquals(seen, expected);

    // Rewritten into one file a day, sorted, the same rows; the state before is still there to be read.
    const compacted = await compact(services, `finance_${suffix}`);
    assertEquals(compacted.dropped, 0);
    const after = JSON.parse(
      await runPython(READ, [services.catalog, `finance_${suffix}.transactions`]),
    );
    assertEquals(after, expected);
    const files = JSON.parse(
      await runPython(FILES, [services.catalog, `finance_${suffix}.transactions`]),
    );
    assertEquals(files, { files: 2, sorted: true, before: 1000, bounds_hold: true });
  } finally {
    await broker.close();
    await services.stop();
  }
});
