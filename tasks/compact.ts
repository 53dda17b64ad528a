/** `deno task compact`: table care by hand (design section 7). */
import { EXIT } from "../contracts/errors.ts";
import type { TableName } from "../contracts/tables.ts";
import { NoSuchNamespaceError, NoSuchTableError } from "../iceberg/catalog/errors.ts";
import { expireSnapshots } from "../iceberg/commit/expire.ts";
import { newSnapshotId } from "../iceberg/commit/environment.ts";
import { planExpiry } from "../iceberg/commit/expiry_plan.ts";
import { removeOrphans } from "../iceberg/commit/orphans.ts";
import { commitRewriteManifests } from "../iceberg/commit/rewrite_manifests.ts";
import { loadTable } from "../iceberg/commit/table.ts";
import { printTableMetadata } from "../iceberg/metadata.ts";
import { planScan } from "../iceberg/scan/plan.ts";
import { join } from "../runtime/path.ts";
import { ORPHAN_AGE_FACTOR, SNAPSHOT_AGE_MS, SNAPSHOTS_MIN } from "../sink/care.ts";
import { compactTable } from "../sink/compact.ts";
import { COMPACT_ALL } from "../sink/compaction_plan.ts";
import { tableIdent } from "../sink/create_tables.ts";
import { type DuckDb, openDuckDb } from "../sink/duckdb.ts";
import { claimScratch } from "../sink/scratch.ts";
import { carriedSummary } from "../sink/summary.ts";
import { TableHandle } from "../sink/table_handle.ts";
import { parseFlags, runTask } from "./cli.ts";
import {
  chosenTables,
  type Lakehouse,
  openLakehouse,
  printColumns,
  withCatalogErrors,
} from "./lakehouse.ts";

const HELP = `deno task compact [--table T] [--dry-run]

Table care, which the sink does on a schedule: 1. rewrites small files into large sorted ones 2. merges
manifests 3. expires untagged snapshots older than half an hour 4. removes files that nothing refers to.
Safe beside a running sink. Prints the table before and after.

  --table T   one of transactions, alerts, dead_letters, pipeline_sessions; all by default
  --dry-run   says what would be done

Exit codes: 0 fine, 1 no such table, 2 misuse, 3 catalog unreachable.`;

interface Figures {
  files: number;
  bytes: number;
  manifests: number;
  snapshots: number;
  metadata_bytes: number;
}

async function measure({ catalog, environment }: Lakehouse, table: TableName): Promise<Figures> {
  const { metadata } = await loadTable(catalog, tableIdent(table));
  const plan = await planScan(metadata, environment.storage);
  return {
    files: plan.files.length,
    bytes: plan.files.reduce((sum, file) => sum + Number(file.file_size_in_bytes), 0),
    manifests: plan.manifests.total,
    snapshots: metadata.snapshots.length,
    metadata_bytes: printTableMetadata(metadata).length,
  };
}

/** One line that is drawn over on a terminal, and nothing elsewhere. */
function progress(table: TableName): (done: number, total: number) => void {
  const encoder = new TextEncoder();
  return (done, total) => {
    if (!Deno.stderr.isTerminal()) return;
    const filled = Math.round(done / total * 30);
    const bar = "#".repeat(filled).padEnd(30, ".");
    const end = done === total ? "\n" : "";
    Deno.stderr.writeSync(encoder.encode(`\r${table} [${bar}] ${done}/${total} files${end}`));
  };
}

async function careFor(
  lakehouse: Lakehouse,
  table: TableName,
  options: { db: DuckDb; dryRun: boolean },
): Promise<string> {
  const { catalog, environment, config } = lakehouse;
  const { db, dryRun } = options;
  const handle = new TableHandle({ catalog, name: table });
  // 1. Files.
  const onProgress = progress(table);
  const policy = COMPACT_ALL;
  const files = await compactTable({ handle, environment, db, policy, dryRun, onProgress });
  const retention = { maxSnapshotAgeMs: SNAPSHOT_AGE_MS, minSnapshotsToKeep: SNAPSHOTS_MIN };
  const stagedAgeMaxMs = config.sink.staged_age_max_ms;
  const orphans = () =>
    handle.reload().then((at) =>
      removeOrphans(at, {
        ...environment,
        ageMinMs: ORPHAN_AGE_FACTOR * stagedAgeMaxMs,
        stagedAgeMaxMs,
        dryRun,
      })
    );
  const says = (snapshots: number, removed: number) =>
    `${files.filesBefore} files into ${files.filesAfter}, ${snapshots} snapshots expired, ` +
    `${removed} orphans removed`;
  if (dryRun) {
    const { metadata } = await handle.current();
    const plan = planExpiry(metadata, { ...retention, nowMs: environment.nowMs() });
    return says(plan.snapshotIds.length, (await orphans()).orphans.length);
  }
  // 2. Manifests.
  await commitRewriteManifests(await handle.reload(), {
    ...environment,
    snapshotId: newSnapshotId(environment.random),
    summary: (base) => carriedSummary(base),
  });
  // 3. Snapshots. 4. Orphans.
  const expired = await expireSnapshots(await handle.reload(), { ...environment, ...retention });
  return says(expired.snapshotIds.length, (await orphans()).orphans.length);
}

async function main(args: string[]): Promise<number> {
  const flags = parseFlags(args, { string: ["table"], boolean: ["dry-run"] });
  const lakehouse = await openLakehouse();
  const dryRun = flags["dry-run"] === true;
  const { config, place } = lakehouse;
  const scratch = await claimScratch(
    join(place.dataDir, "spool"),
    `compact-${crypto.randomUUID()}`,
  );
  const db = await openDuckDb({
    directory: scratch.folder,
    memoryMb: config.sink.duckdb_memory_mb,
    threads: config.sink.duckdb_threads,
    keepOrder: true,
  });
  const rows: (string | number)[][] = [];
  try {
    for (const table of chosenTables(flags.table)) {
      let before: Figures;
      try {
        before = await measure(lakehouse, table);
      } catch (error) {
        const missing = error instanceof NoSuchTableError || error instanceof NoSuchNamespaceError;
        if (!missing) throw error;
        console.error(`There is no table finance.${table} yet: the sink creates it when it starts`);
        if (flags.table !== undefined) return EXIT.no;
        continue;
      }
      const done = await careFor(lakehouse, table, { db, dryRun });
      console.log(`finance.${table}: ${dryRun ? "would be: " : ""}${done}`);
      rows.push([table, "before", ...Object.values(before)]);
      if (!dryRun) rows.push([table, "after", ...Object.values(await measure(lakehouse, table))]);
    }
  } finally {
    db.close();
    await scratch.release();
  }
  printColumns(["table", "", "files", "bytes", "manifests", "snapshots", "metadata_bytes"], rows);
  return EXIT.ok;
}

if (import.meta.main) await runTask(HELP, (args) => withCatalogErrors(() => main(args)));
