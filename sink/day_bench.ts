/**
 * A day of commits every 10 s, on a simulated clock, with table care in between: `deno run -A sink/day_bench.ts
 * [commits] [rows per commit]`. Prints, per tenth of the way, how long a commit takes and what the table has become:
 * nothing of it may grow with the number of commits without end (design H6, section 7).
 */
import { createMemoryBroker } from "../broker/memory.ts";
import { MemoryCatalog } from "../iceberg/catalog/memory.ts";
import type { CommitEnvironment } from "../iceberg/commit/environment.ts";
import { loadTable } from "../iceberg/commit/table.ts";
import { printTableMetadata } from "../iceberg/metadata.ts";
import { planScan } from "../iceberg/scan/plan.ts";
import { localStorage } from "../iceberg/storage/local.ts";
import { createLogger } from "../runtime/log.ts";
import { TableCare } from "./care.ts";
import { tableIdent } from "./create_tables.ts";
import { TableHandle } from "./table_handle.ts";
import { produce, startTestSink, TEST_DAY_US, transactionValue } from "./testing.ts";

const COMMIT_MS = 10_000;
const MINUTE_MS = 60_000;

interface Disk {
  files: number;
  bytes: number;
}

async function diskOf(folder: string): Promise<Disk> {
  const sum: Disk = { files: 0, bytes: 0 };
  for await (const entry of Deno.readDir(folder)) {
    const path = `${folder}/${entry.name}`;
    const part = entry.isDirectory
      ? await diskOf(path)
      : { files: 1, bytes: (await Deno.stat(path)).size };
    sum.files += part.files;
    sum.bytes += part.bytes;
  }
  return sum;
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

async function main(commits: number, rowsPerCommit: number): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "sink_day_" });
  const clock = { nowMs: TEST_DAY_US / 1000 };
  const nowMs = () => clock.nowMs;
  const storage = localStorage({ roots: [folder] });
  const catalog = new MemoryCatalog({ storage, nowMs, warehouse: folder });
  const environment: CommitEnvironment = {
    storage,
    nowMs,
    random: Math.random,
    sleep: () => new Promise((resolve) => setTimeout(resolve, 1)),
  };
  const broker = createMemoryBroker();
  await broker.createTopics([{ name: "transactions", partitions: 1 }]);
  const sink = await startTestSink({
    broker,
    catalog,
    environment,
    settings: { commit_interval_ms: COMMIT_MS },
  });
  const log = createLogger({ component: "care", sessionId: "bench", levelMin: "warn" });
  const care = new TableCare({
    handles: [new TableHandle({ catalog, name: "transactions" })],
    environment,
    folder: `${folder}-care`,
    duckDb: { memoryMb: 128, threads: 1 },
    stagedAgeMaxMs: MINUTE_MS,
    paused: () => undefined,
    log,
    onError: (_table, error) => log.error("care", { error }),
  });
  const { signal } = new AbortController();
  const times: number[] = [];
  for (let commit = 0; commit < commits; commit++) {
    const rawOffset = commit * rowsPerCommit;
    // Each row's own second lies in the clock's day, so that days close as time goes by.
    const second = Math.floor((clock.nowMs - TEST_DAY_US / 1000) / 1000);
    const records = Array.from(
      { length: rowsPerCommit },
      () => ({ value: transactionValue(second, { transaction_id: crypto.randomUUID() }) }),
    );
    await produce(broker, { topic: "transactions", partition: 0, rawOffset }, records);
    clock.nowMs += COMMIT_MS;
    const lines = () => sink.log.filter((line) => line.event === "committed");
    while (sink.log.length === 0 || lines().length === 0) {
      sink.loop.wake();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    times.push(sink.timings.pop() ?? 0);
    sink.log.length = 0;
    await care.round(signal);
    if ((commit + 1) % Math.max(1, Math.floor(commits / 10)) !== 0) continue;
    const { metadata } = await loadTable(catalog, tableIdent("transactions"));
    const plan = await planScan(metadata, storage);
    const days = Map.groupBy(plan.files, ({ file }) => file.partition[0]);
    const disk = await diskOf(folder);
    console.log(JSON.stringify({
      commits: commit + 1,
      commit_ms_median: Number(median(times.splice(0)).toFixed(1)),
      snapshots: metadata.snapshots.length,
      metadata_bytes: printTableMetadata(metadata).length,
      files_per_day: [...days.values()].map((files) => files.length),
      manifests: plan.manifests.total,
      bytes_per_row: Number(
        (plan.files.reduce((sum, file) => sum + Number(file.file_size_in_bytes), 0) /
          (rawOffset + rowsPerCommit)).toFixed(1),
      ),
      disk_files: disk.files,
      disk_mb: Number((disk.bytes / 1e6).toFixed(1)),
    }));
  }
  await sink.finish();
  await Deno.remove(folder, { recursive: true });
  await Deno.remove(`${folder}-care`, { recursive: true }).catch(() => {});
}

if (import.meta.main) await main(Number(Deno.args[0] ?? 8640), Number(Deno.args[1] ?? 100));
