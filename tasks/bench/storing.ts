/**
 * `deno task bench sink` and `bench pipeline`: from Kafka to committed Iceberg tables, on a fresh Kafka and catalog. The
 * programs are the real ones, each a process; what is in the tables is counted in their files at the end.
 */
import { createKafkaBroker } from "../../broker/kafka.ts";
import type { Broker } from "../../broker/port.ts";
import { RecordFrames } from "../../broker/record_frames.ts";
import { HEADER_TRACE } from "../../contracts/headers.ts";
import type { StageName } from "../../contracts/services.ts";
import { TABLE_NAMES, type TableName } from "../../contracts/tables.ts";
import { TOPIC_NAMES_DEFAULT, topicSpecs } from "../../contracts/topics.ts";
import { restCatalog } from "../../iceberg/catalog/rest.ts";
import type { Catalog } from "../../iceberg/catalog/port.ts";
import { loadTable } from "../../iceberg/commit/table.ts";
import { currentSnapshot } from "../../iceberg/metadata.ts";
import { planScan } from "../../iceberg/scan/plan.ts";
import { localStorage } from "../../iceberg/storage/local.ts";
import { projectRoot } from "../../runtime/env.ts";
import { join } from "../../runtime/path.ts";
import { sleep } from "../../runtime/retry.ts";
import { openTable, tableIdent } from "../../sink/create_tables.ts";
import { freePortOffset } from "../../tests/support/ports.ts";
import { startCatalog, startKafka } from "../../tests/support/services.ts";
import { ensureJars, type Jars } from "../native/jars.ts";
import { STAGE_NEEDS, v8Flags } from "../native/stage_flags.ts";
import { cpuSeconds, peakMemory } from "./measured_process.ts";
import { rawTransactions } from "./transactions.ts";

const PARTITIONS = 4;
const DAY_MS = 86_400_000;
const FEED_BATCH = 20_000;
const TOPICS = TOPIC_NAMES_DEFAULT;
/** The last records of a bench do not wait for the interval of everyday. */
const SETTINGS = "sink: { commit_interval_ms: 2000 }\n";
/** How often the catalog is asked for rows: each time takes processor time from what is measured. */
const LOOK_MS = 250;
/** The same in the second half. */
const LOOK_MS_LATE = 100;
/** Share of the records that are certainly no dead letters: until then nobody asks for those. */
const GOOD_SHARE_MIN = 0.99;

interface Bench {
  broker: Broker;
  catalog: Catalog;
  warehouse: string;
  kafkaPid: number;
  env: Record<string, string>;
  random: () => number;
}

/** Columns to append to partitions 0, 1, …, for numbers `from` to `from + count`. */
type Feed = (bench: Bench, from: number, count: number, total: number) => Promise<void>;

const encoder = new TextEncoder();

function columnsOf({ random }: Bench, from: number, count: number, total: number) {
  const endMs = Date.now() - DAY_MS;
  const timeOf = (number: number) => endMs - DAY_MS + number / total * DAY_MS;
  const [startMs, stopMs] = [timeOf(from), timeOf(from + count)];
  return rawTransactions({ count, from, partitions: PARTITIONS, startMs, endMs: stopMs, random });
}

const feedRaw: Feed = async (bench, from, count, total) => {
  const writer = await bench.broker.openWriter();
  await writer.send(
    columnsOf(bench, from, count, total)
      .map((batch, partition) => ({ topic: TOPICS.raw, partition, batch })),
  );
  await writer.close();
};

/**
 * What the processor would have made of them, packed as it packs; malformed ones are left to the next
 * number's twin.
 */
const feedProcessed: Feed = async (bench, from, count, total) => {
  const writer = await bench.broker.openTransactionalWriter("bench");
  const decoder = new TextDecoder();
  writer.begin();
  await writer.send(
    columnsOf(bench, from, count, total).map(({ keys, values }, partition) => {
      const processed = values.map((value) => {
        const text = decoder.decode(value);
        const day = /"timestamp":"([0-9-]{10})/.exec(text)?.[1];
        // A malformed record of the workload has no timestamp: any valid one takes its place.
        return day === undefined ? undefined : encoder.encode(
          `${text.slice(0, -1)},"processing_timestamp":"2026-11-21T00:00:00.000000Z",` +
            `"partition_date":"${day}","is_flagged":false,"rules_version":"0123456789ab"}`,
        );
      });
      const spare = processed.find((value) => value !== undefined)!;
      const batch = new RecordFrames({ shared: [], own: HEADER_TRACE }, { compression: "zstd" });
      processed.forEach((value, i) => {
        const trace = encoder.encode(`${TOPICS.raw}/${partition}/${from + i}`);
        batch.add(keys[i]!, value ?? spare, trace);
      });
      return { topic: TOPICS.transactions, partition, batch };
    }),
  );
  await writer.commit();
  await writer.close();
};

/** Starts a stage as its own program. */
function startStage(name: StageName, { env }: Bench): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      v8Flags(STAGE_NEEDS[name]),
      "-A",
      "--cached-only",
      join(projectRoot, name, "main.ts"),
    ],
    env,
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
}

/** Rows that a table's current snapshot counts; 0 before it is there. */
async function rowsOf({ catalog }: Bench, table: TableName): Promise<number> {
  try {
    const { metadata } = await loadTable(catalog, tableIdent(table));
    return Number(currentSnapshot(metadata)?.summary["total-records"] ?? 0);
  } catch {
    return 0;
  }
}

/** Rows of the files that the tables refer to, and their bytes. */
async function countTables({ catalog, warehouse }: Bench) {
  const storage = localStorage({ roots: [warehouse] });
  const counted: Record<string, { rows: number; files: number; bytes_per_row: number }> = {};
  for (const name of TABLE_NAMES) {
    const { metadata } = await loadTable(catalog, tableIdent(name));
    const { files } = await planScan(metadata, storage);
    const rows = files.reduce((sum, file) => sum + Number(file.record_count), 0);
    const bytes = files.reduce((sum, file) => sum + Number(file.file_size_in_bytes), 0);
    counted[name] = {
      rows,
      files: files.length,
      bytes_per_row: rows === 0 ? 0 : round(bytes / rows, 1),
    };
  }
  return counted;
}

function round(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}

async function store(bench: Bench, stages: readonly StageName[], count: number) {
  const feed = stages.includes("processor") ? feedRaw : feedProcessed;
  for (let from = 0; from < count; from += FEED_BATCH) {
    await feed(bench, from, Math.min(FEED_BATCH, count - from), count);
  }
  const brokerCpu = await cpuSeconds(bench.kafkaPid);
  const began = performance.now();
  const children = stages.map((name) => ({ name, child: startStage(name, bench) }));
  let first: number | undefined;
  for (;;) {
    const good = await rowsOf(bench, "transactions");
    if (good > 0) first ??= performance.now();
    const nearlyAll = good >= GOOD_SHARE_MIN * count;
    if (nearlyAll && good + await rowsOf(bench, "dead_letters") >= count) break;
    await sleep(good < count / 2 ? LOOK_MS : LOOK_MS_LATE);
  }
  const seconds = (performance.now() - began) / 1000;
  const costs: Record<string, number> = {
    kafka_cpu_seconds: round(await cpuSeconds(bench.kafkaPid) - brokerCpu),
  };
  for (const { name, child } of children) {
    costs[`${name}_cpu_seconds`] = round(await cpuSeconds(child.pid));
    costs[`${name}_peak_mb`] = Math.round(await peakMemory(child.pid) / 1e6);
    child.kill("SIGTERM");
    await child.status;
  }
  return {
    transactions: count,
    seconds: round(seconds),
    first_commit_seconds: round((first! - began) / 1000),
    per_second: Math.round(count / seconds),
    ...costs,
    tables: await countTables(bench),
  };
}

/** Runs `work` over fresh services. */
async function withBench<T>(
  jars: Jars,
  random: () => number,
  work: (bench: Bench) => Promise<T>,
): Promise<T> {
  const dir = await Deno.makeTempDir({ prefix: "bench_storing_" });
  const warehouse = join(dir, "warehouse");
  const configDir = join(dir, "config");
  await Deno.mkdir(configDir);
  for await (const { name } of Deno.readDir(join(projectRoot, "config"))) {
    await Deno.copyFile(join(projectRoot, "config", name), join(configDir, name));
  }
  await Deno.writeTextFile(join(configDir, "pipeline.yaml"), SETTINGS);
  const kafka = await startKafka(jars, { dir: join(dir, "kafka") });
  const service = await startCatalog(jars, { dir, warehouse });
  const broker = createKafkaBroker({ brokers: [kafka.address], clientId: "bench" });
  try {
    await broker.createTopics(topicSpecs(TOPICS, PARTITIONS));
    // A pipeline in service has its tables, and a catalog that has answered before.
    const catalog = restCatalog({ uri: service.url });
    for (const name of TABLE_NAMES) await openTable(catalog, name);
    const env = {
      PIPELINE_CONFIG_DIR: configDir,
      PIPELINE_DATA_DIR: join(dir, "data"),
      PIPELINE_PORT_OFFSET: String(freePortOffset()),
      PIPELINE_KAFKA_BROKERS: kafka.address,
      PIPELINE_CATALOG_URI: service.url,
      PIPELINE_CATALOG_WAREHOUSE: warehouse,
    };
    return await work({ broker, catalog, warehouse, kafkaPid: kafka.pid, env, random });
  } finally {
    await broker.close();
    await Promise.all([kafka.kill(), service.kill()]);
    await Deno.remove(dir, { recursive: true });
  }
}

/** Stores a backlog of each size through the given stages; prints each figure as one JSON line. */
export async function benchStoring(
  options: { stages: readonly StageName[]; sizes: readonly number[]; random: () => number },
): Promise<void> {
  const { stages, sizes, random } = options;
  const jars = await ensureJars();
  for (const size of sizes) {
    const figures = await withBench(jars, random, (bench) => store(bench, stages, size));
    console.log(JSON.stringify({ bench: stages.join("_and_"), ...figures }));
  }
}
