/**
 * The sink is killed with -9 at seeded moments, three of them between data files and a commit's reply,
 * while the catalog restarts and answers wrongly after having applied. Then every record is a row once, counted by
 * PyIceberg, which reads every referenced file in doing so; and the audit is clean.
 *
 * `TEST_SEED=<n>` repeats a run; TEST_LONG=1 is the full size.
 */
import { assert, assertEquals } from "@std/assert";
import { createKafkaBroker } from "../../broker/kafka.ts";
import type { Broker, TransactionalWriter } from "../../broker/port.ts";
import { TABLE_NAMES } from "../../contracts/tables.ts";
import { TOPIC_NAMES_DEFAULT, topicSpecs } from "../../contracts/topics.ts";
import { ADDED_FIELDS } from "../../contracts/transaction.ts";
import { restCatalog } from "../../iceberg/catalog/rest.ts";
import { removeOrphans } from "../../iceberg/commit/orphans.ts";
import { loadTable } from "../../iceberg/commit/table.ts";
import { currentSnapshot } from "../../iceberg/metadata.ts";
import { localStorage } from "../../iceberg/storage/local.ts";
import { projectRoot } from "../../runtime/env.ts";
import { join } from "../../runtime/path.ts";
import { transactionValue } from "../../sink/testing.ts";
import { ensureJars } from "../../tasks/native/jars.ts";
import { runPython } from "../support/python.ts";
import { freePortOffset } from "../support/ports.ts";
import { freePort, type ServiceProcess, startCatalog, startKafka } from "../support/services.ts";
import { assertAudited, untilStored } from "./audited_end.ts";
import { type CommitFate, startCatalogProxy } from "./catalog_proxy.ts";
import { ProcessorProcess } from "./processor_process.ts";

const LONG = Deno.env.get("TEST_LONG") === "1";
const SEED = Number(Deno.env.get("TEST_SEED") ?? Math.floor(Math.random() * 1e9));
const ROWS = LONG ? 200_000 : 20_000;
const PACED_MS = LONG ? 90_000 : 12_000;
/** Kills at moments of the clock; three more come from the proxy, at moments of a commit. */
const CLOCK_KILLS = LONG ? 6 : 2;
const PARTITIONS = 4;
const TOPICS = TOPIC_NAMES_DEFAULT;
const encoder = new TextEncoder();
/** One record in so many cannot be stored: half a surrogate pair in a text. */
const UNSTORABLE_EVERY = 997;

const COUNT = `
import sys, json
from pyiceberg.catalog.rest import RestCatalog
from pyiceberg.expressions import AlwaysTrue
catalog = RestCatalog("judge", uri=sys.argv[1])
out = {}
for name in ["transactions", "dead_letters"]:
  # An alert that quotes what cannot be stored is a dead letter of its own, of the alerts topic.
  own = "source_topic != 'alerts'" if name == "dead_letters" else AlwaysTrue()
  fields = ("source_partition", "source_offset")
  rows = catalog.load_table("finance." + name).scan(own, selected_fields=fields).to_arrow()
  out[name] = sorted(zip(rows["source_partition"].to_pylist(), rows["source_offset"].to_pylist()))
print(json.dumps(out))
`;

/** What happens to the first commits, in an order by seed. */
const FATES: readonly CommitFate[] = [
  "kill_before",
  "kill_after",
  "kill_after",
  "applied_500",
  "applied_409",
  "applied_closed",
  "refused_503",
  "pass",
  "pass",
];

/** mulberry32, so that a seed repeats a run. */
function randomFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** The sink as a process that is started again whenever it was killed. */
class SinkProcess {
  #child: Deno.ChildProcess | undefined;
  #ended = false;
  kills = 0;
  readonly #env: Record<string, string>;

  constructor(env: Record<string, string>) {
    this.#env = env;
  }

  /** Keeps it alive until `stop`. */
  async run(): Promise<void> {
    while (!this.#ended) {
      const child = new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", join(projectRoot, "sink", "main.ts")],
        env: this.#env,
        stdin: "null",
        stdout: "null",
        stderr: "inherit",
      }).spawn();
      this.#child = child;
      const { signal } = await child.status;
      assert(this.#ended || signal === "SIGKILL", "the sink ends only when it is killed");
    }
  }

  async kill(): Promise<void> {
    const child = this.#child!;
    this.kills++;
    child.kill("SIGKILL");
    await child.status;
  }

  async stop(): Promise<void> {
    this.#ended = true;
    this.#child?.kill("SIGTERM");
    await this.#child?.status;
  }
}

/**
 * Paced raw records for the processor, and now and then, in between its transactions, one of ours that is aborted: its
 * records must never become rows. Goes on, slowly, until every planned fault had a commit to strike.
 */
async function produceAll(
  broker: Broker,
  random: () => number,
  enough: () => boolean,
): Promise<Set<string>> {
  const written = new Set<string>();
  const perBatch = 50;
  const batches = ROWS / PARTITIONS / perBatch;
  await Promise.all(
    Array.from({ length: PARTITIONS }, async (_, partition) => {
      const raw = await broker.openWriter();
      const aborting = await broker.openTransactionalWriter(`crash-${partition}`);
      let offset = 0;
      for (let n = 0; n < batches || !enough(); n++) {
        const numbers = Array.from({ length: perBatch }, (_, i) => offset + i);
        // Records before its first position would mean to the processor that its changelog is lost.
        if (random() < 1 / 8 && await hasPosition(broker, partition)) {
          await sendAborted(aborting, partition, numbers);
        }
        const values = numbers.map((number) => encoder.encode(valueText(number)));
        const keys = numbers.map(() => null);
        await raw.send([{ topic: TOPICS.raw, partition, batch: { keys, values } }]);
        for (const number of numbers) written.add(`${partition}/${number}`);
        offset += perBatch;
        await sleep(PACED_MS / batches * 2 * random());
      }
      await Promise.all([raw.close(), aborting.close()]);
    }),
  );
  return written;
}

async function hasPosition(broker: Broker, partition: number): Promise<boolean> {
  const ends = await broker.offsets(TOPICS.state);
  return ends.some((one) => one.partition === partition && one.stable > 0);
}

/** What the processor could have written of these raw records, but did not. */
async function sendAborted(
  writer: TransactionalWriter,
  partition: number,
  numbers: readonly number[],
): Promise<void> {
  const trace = (number: number) => encoder.encode(`${TOPICS.raw}/${partition}/${number}`);
  writer.begin();
  await writer.send([{
    topic: TOPICS.transactions,
    partition,
    batch: {
      keys: numbers.map(() => null),
      values: numbers.map((number) => encoder.encode(JSON.stringify(transactionValue(number)))),
      headers: [{ name: "trace", values: numbers.map(trace) }],
    },
  }]);
  await writer.abort();
}

/** A raw record: 40 s of event time after the one before, so that there are several days and nights. */
function valueText(number: number): string {
  const value = transactionValue(number * 40, {
    timestamp: new Date(Date.UTC(2026, 0, 10) + number * 40_000).toISOString(),
  });
  for (const added of ADDED_FIELDS) delete value[added];
  const text = JSON.stringify(value);
  return isUnstorable(number) ? text.replace("Merchant", "\\ud800") : text;
}

function isUnstorable(number: number): boolean {
  return number % UNSTORABLE_EVERY === UNSTORABLE_EVERY - 1;
}

/** Rows that the current snapshot's summary counts. */
async function totalRows(catalogUrl: string, name: string): Promise<number> {
  try {
    const table = await loadTable(restCatalog({ uri: catalogUrl }), {
      namespace: ["finance"],
      name,
    });
    return Number(currentSnapshot(table.metadata)?.summary["total-records"] ?? 0);
  } catch {
    return 0;
  }
}

/** Removes what the kills left, then every file that is there is one that its table refers to. */
async function cleanOrphans(catalogUrl: string, warehouse: string): Promise<void> {
  const storage = localStorage({ roots: [warehouse] });
  const catalog = restCatalog({ uri: catalogUrl });
  // The sink has ended: nothing is staged any more, however young.
  await sleep(3100);
  const options = { storage, nowMs: Date.now, ageMinMs: 3000, stagedAgeMaxMs: 1000 };
  let removed = 0;
  // Whose commit a kill strikes is up to the seed.
  for (const name of TABLE_NAMES) {
    const table = await loadTable(catalog, { namespace: ["finance"], name });
    const { orphans, failed } = await removeOrphans(table, options);
    assertEquals(failed, []);
    removed += orphans.length;
    assertEquals((await removeOrphans(table, options)).orphans, []);
  }
  assert(removed > 0, "kills leave orphans");
}

/** One seeded plan for the first commits; after it the sun shines. */
function fates(random: () => number): (commit: number) => CommitFate {
  const plan = FATES
    .map((kind) => ({ kind, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ kind }) => kind);
  return (commit) => plan[commit] ?? "pass";
}

Deno.test(`the sink stores every record once through kills and a lying catalog (TEST_SEED=${SEED})`, async () => {
  const random = randomFrom(SEED);
  const jars = await ensureJars();
  const dir = await Deno.makeTempDir({ prefix: "sink_crash_" });
  const warehouse = join(dir, "warehouse");
  const catalogPort = freePort();
  const kafka = await startKafka(jars, { dir: join(dir, "kafka") });
  let catalog: ServiceProcess = await startCatalog(jars, { dir, warehouse, port: catalogPort });
  const catalogUrl = `http://127.0.0.1:${catalogPort}`;
  const configDir = join(dir, "config");
  await Deno.mkdir(configDir);
  await Deno.writeTextFile(
    join(configDir, "pipeline.yaml"),
    "sink: { commit_interval_ms: 700, commit_rows_max: 20000 }\n",
  );
  const broker = createKafkaBroker({ brokers: [kafka.address], clientId: "crash-test" });
  await Deno.copyFile(
    join(projectRoot, "config", "alerting-rules.yaml"),
    join(configDir, "alerting-rules.yaml"),
  );
  await broker.createTopics(topicSpecs(TOPICS, PARTITIONS));
  const proxy = startCatalogProxy({
    target: () => catalogUrl,
    fate: fates(random),
    kill: () => sink.kill(),
  });
  const env = {
    PIPELINE_DATA_DIR: join(dir, "data"),
    PIPELINE_CONFIG_DIR: configDir,
    PIPELINE_PORT_OFFSET: String(freePortOffset()),
    PIPELINE_KAFKA_BROKERS: kafka.address,
    PIPELINE_CATALOG_URI: catalogUrl,
    PIPELINE_CATALOG_WAREHOUSE: warehouse,
  };
  const processor = new ProcessorProcess(env);
  const sink = new SinkProcess({ ...env, PIPELINE_CATALOG_URI: proxy.url });
  const running = sink.run();
  try {
    const producing = produceAll(broker, random, () => proxy.commits() > FATES.length);
    const disturb = async (): Promise<void> => {
      for (let kill = 0; kill < CLOCK_KILLS; kill++) {
        await sleep(PACED_MS / (CLOCK_KILLS + 1) * (0.5 + random()));
        await sink.kill();
        if (kill >= 2) continue;
        await catalog.kill();
        await sleep(300);
        catalog = await startCatalog(jars, { dir, warehouse, port: catalogPort });
      }
    };
    const [written] = await Promise.all([producing, disturb()]);
    const bad = [...written].filter((trace) => isUnstorable(Number(trace.split("/")[1])));
    const deadline = performance.now() + 240_000;
    while (
      await totalRows(catalogUrl, "transactions") < written.size - bad.length &&
      performance.now() < deadline
    ) await sleep(200);
    await untilStored(broker, catalogUrl);
    await Promise.all([processor.stop(), sink.stop()]);
    await running;
    await cleanOrphans(catalogUrl, warehouse);
    const seen = JSON.parse(await runPython(COUNT, [catalogUrl])) as Record<
      string,
      [number, number][]
    >;
    const good = [...written].filter((trace) => !bad.includes(trace));
    const sorted = (traces: string[]) => traces.sort();
    const traces = (name: string) => sorted(seen[name]!.map(([p, o]) => `${p}/${o}`));
    assertEquals(traces("dead_letters"), sorted(bad), "unstorable records");
    assertEquals(seen.transactions!.length, good.length, "rows");
    assertEquals(traces("transactions"), sorted(good), "each record once");
    const audited = await assertAudited(env);
    assertEquals(audited.raw, written.size);
    assert(audited.alerts > 0, "alerts are stored as well");
    assert(sink.kills >= CLOCK_KILLS + 3, `only ${sink.kills} kills`);
    for (
      const fate of ["kill_before", "kill_after", "applied_500", "applied_409", "applied_closed"]
    ) {
      assert(proxy.struck.has(fate as CommitFate), `${fate} never struck`);
    }
  } finally {
    await processor.kill().catch(() => {});
    await sink.stop().catch(() => {});
    await running.catch(() => {});
    await broker.close();
    await proxy.stop();
    await Promise.all([catalog.kill(), kafka.kill()]);
    await Deno.remove(dir, { recursive: true });
  }
});
