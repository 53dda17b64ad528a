/**
 * The program of disk_full_crash.ts: a sink whose spool and warehouse lie on the small file system given as the first
 * word. Fills it step by step and prints what the sink made of it, one JSON object at the end.
 */
import { audit } from "../../audit/run.ts";
import { createMemoryBroker } from "../../broker/memory.ts";
import { PipelineConfig } from "../../contracts/pipeline_config.ts";
import { topicSpecs } from "../../contracts/topics.ts";
import { ADDED_FIELDS } from "../../contracts/transaction.ts";
import { MemoryCatalog } from "../../iceberg/catalog/memory.ts";
import { systemEnvironment } from "../../iceberg/commit/environment.ts";
import { localStorage } from "../../iceberg/storage/local.ts";
import { readDisk } from "../../runtime/disk.ts";
import { createLogger } from "../../runtime/log.ts";
import { createMetrics } from "../../runtime/metrics.ts";
import { readProcessStats } from "../../runtime/process_stats.ts";
import { sleep } from "../../runtime/retry.ts";
import { createStageStatus } from "../../runtime/stage_status.ts";
import { DiskGuard } from "../../sink/disk_guard.ts";
import { Sink } from "../../sink/run.ts";
import { produce, readRows, transactionValue, until } from "../../sink/testing.ts";

const root = Deno.args[0]!;
const warehouse = `${root}/warehouse`;
const storage = localStorage({ roots: [warehouse] });
const catalog = new MemoryCatalog({ storage, nowMs: Date.now, warehouse });
const broker = createMemoryBroker();
const config = PipelineConfig.parse({ sink: { commit_interval_ms: 300 } });
await broker.createTopics(topicSpecs(config.kafka.topics, 1));
const events: string[] = [];
const log = createLogger({
  component: "sink",
  sessionId: "test",
  write: (line) => {
    const { event } = JSON.parse(line);
    if (events.at(-1) !== event) events.push(event);
  },
});
const stage = createStageStatus({
  name: "sink",
  sessionId: "test",
  pid: Deno.pid,
  versions: {},
  now: Date.now,
  processStats: readProcessStats,
});
const sink = new Sink({
  broker,
  catalog,
  environment: systemEnvironment(storage),
  config,
  scratch: `${root}/spool`,
  sessionId: "test",
  log,
  metrics: createMetrics(),
  stage,
  disk: new DiskGuard({ paths: [root], read: readDisk, sleep, log }),
});

const stop = new AbortController();
const running = sink.run(stop.signal);
let produced = 0;
let producing = true;
async function produceAll(): Promise<void> {
  while (producing) {
    const records = Array.from(
      { length: 50 },
      (_, i) => ({ value: transactionValue(produced + i) }),
    );
    await produce(broker, { topic: "transactions", partition: 0, rawOffset: produced }, records);
    produced += 50;
    await sleep(100);
  }
}
const production = produceAll();
const ready = () => sink.readiness().ready;
const saw = (event: string) => events.includes(event);

/** Writes a file that makes the file system so full; what the sink wrote meanwhile counts. */
async function fillTo(percent: number): Promise<void> {
  await Deno.remove(`${root}/fill`).catch(() => {});
  const { used_percent, free_bytes } = await readDisk(root);
  const whole = free_bytes / (1 - used_percent / 100);
  const bytes = Math.max(0, Math.floor(whole * (percent - used_percent) / 100));
  try {
    await Deno.writeFile(`${root}/fill`, new Uint8Array(bytes));
  } catch (error) {
    // Over the brim is what 105 % asks for: as much as there is room for stays.
    if (percent <= 100) throw error;
  }
}

async function goesOn(): Promise<boolean> {
  const before = stage.totals.stored;
  await until("rows are stored", () => stage.totals.stored > before && ready());
  return true;
}

const seen: Record<string, unknown> = {};
await goesOn();
await fillTo(82);
await until("the warning", () => saw("disk_filling"));
seen.warned_and_went_on = await goesOn();
await fillTo(96);
await until("the stop", () => saw("disk_full"));
await sleep(500);
const stopped = stage.totals.stored;
await sleep(2000);
seen.stood_still = stage.totals.stored === stopped;
seen.reasons = sink.readiness().reasons;
await Deno.remove(`${root}/fill`);
seen.went_on = await goesOn();
// Nothing of it announced: writes fail in the middle of whatever they are.
await fillTo(105);
await until("a failed write or the stop", () => !ready());
await Deno.remove(`${root}/fill`);
seen.went_on_after_failed_writes = await goesOn();
producing = false;
await production;
await until("all is stored", () => stage.totals.stored >= produced);
stop.abort();
await running;
const rows = await readRows(catalog, storage, "transactions");
seen.rows_are_whole = rows.length === produced &&
  new Set(rows.map((row) => row.source_offset)).size === produced;
seen.audited = await audited();
console.log(JSON.stringify(seen));
Deno.exit(0);

/**
 * The audit's word. There was no processor: what it would have left is written now, but for a rule set, so that only
 * verdicts are unverifiable.
 */
async function audited(): Promise<Record<string, unknown>> {
  const { topics } = config.kafka;
  const raw = Array.from({ length: produced }, (_, number) => {
    const value = transactionValue(number);
    for (const added of ADDED_FIELDS) delete value[added];
    return { value };
  });
  for (let from = 0; from < produced; from += 1000) {
    const target = { topic: topics.raw, partition: 0, rawOffset: from };
    await produce(broker, target, raw.slice(from, from + 1000));
  }
  const position = {
    schema_version: "1",
    next: String(produced),
    cluster_id: await broker.clusterId(),
    topic_id: (await broker.topics([topics.raw])).get(topics.raw)!.id,
  };
  const encode = (text: string) => new TextEncoder().encode(text);
  const batch = { keys: [encode("p")], values: [encode(JSON.stringify(position))] };
  const writer = await broker.openWriter();
  await writer.send([{ topic: topics.state, partition: 0, batch }]);
  await writer.close();
  const folder = await Deno.makeTempDir({ prefix: "disk_full_audit_" });
  try {
    const { clean, total } = await audit({ broker, catalog, storage, topics, folder });
    return { clean, all: total.raw === produced && total.stored === produced };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
