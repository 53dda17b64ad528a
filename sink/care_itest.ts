/** Table care beside running commits, in memory; rows are read back by DuckDB. */
import { assert, assertEquals } from "@std/assert";
import { createMemoryBroker } from "../broker/memory.ts";
import { MemoryCatalog } from "../iceberg/catalog/memory.ts";
import type { CommitEnvironment } from "../iceberg/commit/environment.ts";
import { commitSchema } from "../iceberg/commit/metadata_changes.ts";
import { loadTable } from "../iceberg/commit/table.ts";
import { planScan } from "../iceberg/scan/plan.ts";
import { MemoryStorage } from "../iceberg/storage/memory.ts";
import { createLogger } from "../runtime/log.ts";
import { TableCare } from "./care.ts";
import { compactTable } from "./compact.ts";
import { COMPACT_ALL } from "./compaction_plan.ts";
import { tableIdent } from "./create_tables.ts";
import { openDuckDb } from "./duckdb.ts";
import { hourTagName } from "./hour_tag.ts";
import { OFFSETS_PROPERTY } from "../contracts/tables.ts";
import { TableHandle } from "./table_handle.ts";
import { produce, readRows, startTestSink, transactionValue, until } from "./testing.ts";

const MINUTE_MS = 60_000;

/** Broker, catalog and storage in memory, on a clock that the test moves. */
async function newWorld() {
  const clock = { nowMs: Date.UTC(2026, 10, 21, 8, 30) };
  const nowMs = () => clock.nowMs;
  const broker = createMemoryBroker();
  const storage = new MemoryStorage({ nowMs });
  const catalog = new MemoryCatalog({ storage, nowMs });
  const environment: CommitEnvironment = {
    storage,
    nowMs,
    random: Math.random,
    sleep: () => new Promise((resolve) => setTimeout(resolve, 1)),
  };
  await broker.createTopics([{ name: "transactions", partitions: 1 }]);
  const folder = await Deno.makeTempDir({ prefix: "sink_care_" });
  const table = () => loadTable(catalog, tableIdent("transactions"));
  return { clock, broker, storage, catalog, environment, folder, table };
}

type World = Awaited<ReturnType<typeof newWorld>>;

async function files(world: World): Promise<number> {
  return (await planScan((await world.table()).metadata, world.storage)).files.length;
}

async function compact(world: World) {
  const db = await openDuckDb({
    directory: world.folder,
    memoryMb: 128,
    threads: 1,
    keepOrder: true,
  });
  const handle = new TableHandle({ catalog: world.catalog, name: "transactions" });
  try {
    return await compactTable({
      handle,
      environment: world.environment,
      db,
      policy: COMPACT_ALL,
    });
  } finally {
    db.close();
  }
}

/** Table care whose failures are kept. */
function careOf(world: World, errors: unknown[]): TableCare {
  return new TableCare({
    handles: [new TableHandle({ catalog: world.catalog, name: "transactions" })],
    environment: world.environment,
    folder: `${world.folder}/care`,
    duckDb: { memoryMb: 128, threads: 1 },
    stagedAgeMaxMs: MINUTE_MS,
    paused: () => undefined,
    log: createLogger({ component: "care", sessionId: "test", write: () => {} }),
    onError: (_table, error) => errors.push(error),
  });
}

/** Starts a sink, gives it `rounds` batches of 10 rows, a commit each, and `between` them a look. */
async function feed(
  world: World,
  rounds: number,
  between: (round: number) => Promise<unknown> | void,
  valueOf: (number: number) => Record<string, unknown> = transactionValue,
): Promise<void> {
  const { broker, catalog, environment } = world;
  const settings = { commit_interval_ms: 100 };
  const sink = await startTestSink({ broker, catalog, environment, settings });
  const start = (await readRows(world.catalog, world.storage, "transactions")).length;
  for (let round = 0; round < rounds; round++) {
    const rawOffset = start + round * 10;
    const records = Array.from({ length: 10 }, (_, i) => ({ value: valueOf(rawOffset + i) }));
    await produce(world.broker, { topic: "transactions", partition: 0, rawOffset }, records);
    const commits = () => sink.log.filter((line) => line.event === "committed").length;
    await until("it is stored", () => {
      world.clock.nowMs += 100;
      return commits() > round;
    });
    await between(round);
  }
  await sink.finish();
  assertEquals(sink.errors, []);
}

async function offsetsInTable(world: World): Promise<number[]> {
  const rows = await readRows(world.catalog, world.storage, "transactions");
  return rows.map((row) => Number(row.source_offset));
}

const range = (length: number) => Array.from({ length }, (_, index) => index);

Deno.test("compactTable() beside appends keeps every row and the offsets", async () => {
  const world = await newWorld();
  const compactions: Promise<unknown>[] = [];
  await feed(world, 30, (round) => {
    // Not awaited: the appends of the next rounds land while it plans, writes and commits.
    if (round % 7 === 6) compactions.push(compact(world));
  });
  await Promise.all(compactions);
  assertEquals(await offsetsInTable(world), range(300));
  const result = await compact(world);
  assertEquals([result.filesAfter, result.dropped], [1, 0]);
  assert(result.filesBefore > 1);
  assertEquals(await files(world), 1);
  assertEquals(await offsetsInTable(world), range(300));
  const { metadata } = await world.table();
  const head = metadata.snapshots.find((one) =>
    one["snapshot-id"] === metadata["current-snapshot-id"]
  )!;
  assertEquals(head.summary.operation, "replace");
  assertEquals(
    JSON.parse(head.summary[OFFSETS_PROPERTY]!).topics.transactions.next,
    { 0: "300" },
  );
  await feed(world, 1, () => {});
  assertEquals(await offsetsInTable(world), range(310));
  await Deno.remove(world.folder, { recursive: true });
});

Deno.test("compactTable() reads old files in the schema of today", async () => {
  const world = await newWorld();
  await feed(world, 2, () => {});
  await commitSchema(await world.table(), {
    ...world.environment,
    changes: [
      { action: "add-column", name: "device_id", type: "string" },
      { action: "rename-column", column: "merchant_name", name: "merchant" },
    ],
  });
  await feed(world, 2, () => {}, (number) => transactionValue(number, { device_id: `d${number}` }));
  await compact(world);
  const rows = await readRows(world.catalog, world.storage, "transactions");
  assertEquals(await files(world), 1);
  assertEquals(
    rows.map((row) => row.device_id),
    [...Array(20).fill(null), ...range(20).map((index) => `d${20 + index}`)],
  );
  assertEquals(rows.map((row) => row.merchant), range(40).map((n) => `Merchant ${n % 10}`));
  await Deno.remove(world.folder, { recursive: true });
});

Deno.test("TableCare expires by age, keeps the tags, and every kept snapshot can be read", async () => {
  const world = await newWorld();
  const errors: unknown[] = [];
  const care = careOf(world, errors);
  const { signal } = new AbortController();
  // Four hours, a commit every four minutes.
  await feed(world, 60, async () => {
    world.clock.nowMs += 4 * MINUTE_MS;
    await care.round(signal);
  });
  assertEquals(errors, []);
  assertEquals(await offsetsInTable(world), range(600));
  const { metadata } = await world.table();
  assert(metadata.snapshots.length < 25, `${metadata.snapshots.length} snapshots`);
  assert(await files(world) < 25, `${await files(world)} files`);
  const tags = Object.keys(metadata.refs).filter((name) => name.startsWith("h-"));
  assertEquals(tags.length, 5);
  assert(tags.includes(hourTagName(Date.UTC(2026, 10, 21, 8))));
  for (const snapshot of metadata.snapshots) {
    const id = snapshot["snapshot-id"];
    const plan = await planScan(metadata, world.storage, { snapshot: { id } });
    const rows = plan.files.reduce((sum, file) => sum + file.record_count, 0n);
    assertEquals(String(rows), snapshot.summary["total-records"], `snapshot ${id}`);
    for (const file of plan.files) {
      assert(await world.storage.stat(file.path) !== undefined, `${file.path} is there`);
    }
  }
  // Nothing piles up: a data file that no kept snapshot needs is gone.
  world.clock.nowMs += 25 * 60 * MINUTE_MS;
  await care.round(signal);
  const data = world.storage.keys().filter((key) => key.includes("/data/"));
  assert(data.length < 60, `${data.length} data files`);
  await Deno.remove(world.folder, { recursive: true });
});

/** source_offset of every row of each data file that any kept snapshot has. */
async function offsetsByFile(world: World): Promise<Map<string, number[]>> {
  const { metadata } = await world.table();
  const db = await openDuckDb({ directory: world.folder, memoryMb: 128, threads: 1 });
  const found = new Map<string, number[]>();
  try {
    for (const snapshot of metadata.snapshots) {
      const options = { snapshot: { id: snapshot["snapshot-id"] } };
      for (const { path } of (await planScan(metadata, world.storage, options)).files) {
        if (found.has(path)) continue;
        const copy = db.newPath(".parquet");
        await Deno.writeFile(copy, await world.storage.read(path));
        const rows = await db.rows(`SELECT source_offset FROM read_parquet('${copy}')`);
        found.set(path, rows.map((row) => Number(row.source_offset)));
        await Deno.remove(copy);
      }
    }
  } finally {
    db.close();
  }
  return found;
}

Deno.test("40 minutes of commits every 10 s with care beside them: nothing lost, each kept snapshot as it was", async () => {
  const world = await newWorld();
  const errors: unknown[] = [];
  const rounds: Promise<void>[] = [];
  const care = careOf(world, errors);
  const { signal } = new AbortController();
  let running = Promise.resolve();
  let isRunning = false;
  await feed(world, 240, () => {
    world.clock.nowMs += 9_900;
    if (isRunning) return;
    // Not awaited: the next commits run into it.
    isRunning = true;
    running = care.round(signal).finally(() => isRunning = false);
    rounds.push(running);
  });
  await Promise.all(rounds);
  assertEquals(errors, []);
  assertEquals(await offsetsInTable(world), range(2400));
  const { metadata } = await world.table();
  const operations = Map.groupBy(metadata.snapshots, ({ summary }) => summary.operation);
  assert(operations.has("replace"), "compaction has run");
  assert(metadata.snapshots.length < 240, "expiry has run");
  const rowsOf = await offsetsByFile(world);
  for (const snapshot of metadata.snapshots) {
    const id = snapshot["snapshot-id"];
    const { files } = await planScan(metadata, world.storage, { snapshot: { id } });
    const seen = files.flatMap(({ path }) => rowsOf.get(path)!).sort((a, b) => a - b);
    // Batches are taken in order, so a snapshot holds all rows up to some offset, each once.
    assertEquals(seen, range(seen.length), `snapshot ${id}`);
    assertEquals(String(seen.length), snapshot.summary["total-records"], `snapshot ${id}`);
  }
  await Deno.remove(world.folder, { recursive: true });
});
