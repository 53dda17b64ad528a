/**
 * How fast the sink is: `deno run -A sink/sink_bench.ts [rows] [settings as JSON]`. A real Kafka is filled with
 * transactions, then a sink process of its own stores them through a real REST catalog. Prints rows per second from
 * the process's start of work to the last commit, CPU seconds, peak memory, and counts the rows that are
 * really in the table.
 */
import { createKafkaBroker } from "../broker/kafka.ts";
import { PipelineConfig } from "../contracts/pipeline_config.ts";
import { restCatalog } from "../iceberg/catalog/rest.ts";
import { systemEnvironment } from "../iceberg/commit/environment.ts";
import { loadTable } from "../iceberg/commit/table.ts";
import { planScan } from "../iceberg/scan/plan.ts";
import { localStorage } from "../iceberg/storage/local.ts";
import { createLogger } from "../runtime/log.ts";
import { createMetrics } from "../runtime/metrics.ts";
import { readProcessStats } from "../runtime/process_stats.ts";
import { sleep } from "../runtime/retry.ts";
import { createStageStatus } from "../runtime/stage_status.ts";
import { startServices } from "../tests/support/services.ts";
import { tableIdent } from "./create_tables.ts";
import { DiskGuard } from "./disk_guard.ts";
import { Sink } from "./run.ts";
import { TEST_DAY_US, transactionValue } from "./testing.ts";
import { printTimestamp } from "../contracts/timestamps.ts";

const PARTITIONS = 4;
const CHUNK = 2000;

async function fill(kafka: string, rows: number): Promise<void> {
  const broker = createKafkaBroker({ brokers: [kafka], clientId: "bench-fill" });
  await broker.createTopics([
    ...["transactions", "alerts", "dead-letter"].map((name) => ({ name, partitions: PARTITIONS })),
    { name: "pipeline-sessions", partitions: 1 },
  ]);
  const writer = await broker.openWriter();
  const encoder = new TextEncoder();
  for (let offset = 0; offset < rows / PARTITIONS; offset += CHUNK) {
    const count = Math.min(CHUNK, rows / PARTITIONS - offset);
    await Promise.all(Array.from({ length: PARTITIONS }, (_, partition) => {
      const numbers = Array.from(
        { length: count },
        (_, i) => (offset + i) * PARTITIONS + partition,
      );
      const values = numbers.map((number) =>
        encoder.encode(JSON.stringify(transactionValue(0, {
          transaction_id: crypto.randomUUID(),
          timestamp: printTimestamp(TEST_DAY_US + Math.floor(number * 86_400e6 / rows)),
          account_id: `ACC${1_000_000 + number % 10_000}`,
          amount: Math.round(Math.random() * 1e6) / 100,
          merchant_name: `Merchant ${number % 500}`,
        })))
      );
      const traces = numbers.map((_, i) =>
        encoder.encode(`raw-transactions/${partition}/${offset + i}`)
      );
      const batch = {
        keys: numbers.map(() => null),
        values,
        headers: [{ name: "trace", values: traces }],
      };
      return writer.send([{ topic: "transactions", partition, batch }]);
    }));
  }
  await writer.close();
  await broker.close();
}

/** The measured process. */
async function store(
  [kafka, catalogUri, warehouse, dir, rowsText, settings]: string[],
): Promise<void> {
  const rows = Number(rowsText);
  const log = createLogger({ component: "bench", sessionId: "bench", levelMin: "warn" });
  const stage = createStageStatus({
    name: "sink",
    sessionId: "bench",
    pid: Deno.pid,
    versions: {},
    now: Date.now,
    processStats: readProcessStats,
  });
  const broker = createKafkaBroker({ brokers: [kafka!], clientId: "bench" });
  const sink = new Sink({
    broker,
    catalog: restCatalog({ uri: catalogUri! }),
    environment: systemEnvironment(localStorage({ roots: [warehouse!] })),
    config: PipelineConfig.parse({ sink: JSON.parse(settings!) }),
    scratch: `${dir}/spool`,
    sessionId: "bench",
    log,
    metrics: createMetrics(),
    stage,
    disk: new DiskGuard({ paths: [], read: () => Promise.reject(), sleep, log }),
  });
  const stop = new AbortController();
  const startMs = performance.now();
  let peak = 0;
  let doneMs = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, Deno.memoryUsage().rss);
    if (stage.totals.stored < rows) return;
    doneMs ||= performance.now() - startMs;
    stop.abort();
  }, 10);
  await sink.run(stop.signal);
  clearInterval(timer);
  await broker.close();
  const cpu = readProcessStats().cpu_seconds;
  console.log(JSON.stringify({
    rows: stage.totals.stored,
    seconds: Number((doneMs / 1000).toFixed(2)),
    rows_per_second: Math.round(rows / doneMs * 1000),
    cpu_seconds: Number(cpu.toFixed(2)),
    cpu_seconds_per_million: Number((cpu / rows * 1e6).toFixed(2)),
    peak_rss_mb: Math.round(peak / 1e6),
  }));
}

async function main(rows: number, settings: string): Promise<void> {
  const services = await startServices({ fresh: true });
  try {
    await fill(services.kafka, rows);
    const { kafka, catalog, warehouse, dir } = services;
    await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "-A", "--v8-flags=--max-old-space-size=512", import.meta.filename!, "store"],
        ...[kafka, catalog, warehouse, dir, String(rows), settings],
      ],
      stdout: "inherit",
      stderr: "inherit",
    }).output();
    const { metadata } = await loadTable(restCatalog({ uri: catalog }), tableIdent("transactions"));
    const plan = await planScan(metadata, localStorage({ roots: [warehouse] }));
    const bytes = plan.files.reduce((sum, file) => sum + Number(file.file_size_in_bytes), 0);
    console.log(JSON.stringify({
      rows_in_table: Number(plan.files.reduce((sum, file) => sum + file.record_count, 0n)),
      files: plan.files.length,
      bytes_per_row: Number((bytes / rows).toFixed(1)),
    }));
  } finally {
    await services.stop();
  }
}

if (import.meta.main) {
  const [first, ...rest] = Deno.args;
  if (first === "store") await store(rest);
  else await main(Number(first ?? 1_000_000), rest[0] ?? "{}");
}
