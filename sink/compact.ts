/**
 * Rewrites small files into sorted large ones, beside appends without either losing (design section 7): 1. plan on
 * one snapshot 2. write the new files 3. one `replace` commit, whose attempts check that every input is still live.
 */
import { type CommitEnvironment, newSnapshotId } from "../iceberg/commit/environment.ts";
import { commitRewrite, type RewriteGroup } from "../iceberg/commit/rewrite.ts";
import type { Table } from "../iceberg/commit/table.ts";
import { planScan } from "../iceberg/scan/plan.ts";
import type { Storage } from "../iceberg/storage/port.ts";
import { dateToText } from "../iceberg/text_values.ts";
import type { Schema } from "../iceberg/types.ts";
import { duckDbType } from "./columns.ts";
import { type CompactionGroup, type CompactionPolicy, planCompaction } from "./compaction_plan.ts";
import type { DuckDb } from "./duckdb.ts";
import { dataFileLocation, dataFileOf, layoutOf, type TableLayout } from "./layout.ts";
import { sortedCopy } from "./sorted_copy.ts";
import { quoteName, quoteText } from "./sql_text.ts";
import { carriedSummary } from "./summary.ts";
import type { TableHandle } from "./table_handle.ts";

/** Options of {@linkcode compactTable}. */
export interface CompactOptions {
  handle: TableHandle;
  environment: CommitEnvironment;
  /** A DuckDB of its own that keeps order: a rewrite must not hold up the commits. */
  db: DuckDb;
  policy: CompactionPolicy;
  /** Only plan. @default {false} */
  dryRun?: boolean;
  /** Files done and to do, after each group. */
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal;
}

/** What a compaction did, or would do. */
export interface CompactResult {
  filesBefore: number;
  filesAfter: number;
  bytesBefore: number;
  bytesAfter: number;
  /** Groups that others changed meanwhile; left for the next time. */
  dropped: number;
}

/** Compacts one table once. */
export async function compactTable(options: CompactOptions): Promise<CompactResult> {
  const { handle, environment, policy, dryRun = false, onProgress, signal } = options;
  const { storage } = environment;
  // 1. Plan.
  const table = await handle.reload();
  const layout = layoutOf(handle.name, table.metadata);
  const { snapshot, files } = await planScan(table.metadata, storage, { allStats: true });
  const groups = planCompaction(files, policy)
    // Ours by day; a null day is another writer's rows without a time.
    .filter((group) =>
      group.specId === layout.spec["spec-id"] && typeof group.partition[0] === "number"
    );
  const before = groups.flatMap((group) => group.files);
  const result: CompactResult = {
    filesBefore: before.length,
    filesAfter: groups.length,
    bytesBefore: groups.reduce((sum, group) => sum + group.bytes, 0),
    bytesAfter: 0,
    dropped: 0,
  };
  if (dryRun || snapshot === undefined || groups.length === 0) return result;
  // 2. New files.
  const snapshotId = newSnapshotId(environment.random);
  const rewrites: RewriteGroup[] = [];
  let done = 0;
  for (const group of groups) {
    signal?.throwIfAborted();
    const counter = rewrites.length;
    rewrites.push(await rewriteGroup(options, { group, layout, snapshotId, counter }));
    done += group.files.length;
    onProgress?.(done, before.length);
  }
  // 3. The commit.
  const startingSnapshotId = snapshot["snapshot-id"];
  const dropped = await commitGroups(options, table, { rewrites, snapshotId, startingSnapshotId });
  const outputs = rewrites.filter((group) => !dropped.has(group)).flatMap(({ outputs }) => outputs);
  result.dropped = dropped.size;
  result.filesAfter = outputs.length;
  result.bytesAfter = outputs.reduce((sum, file) => sum + Number(file.file_size_in_bytes), 0);
  return result;
}

async function rewriteGroup(
  options: CompactOptions,
  job: { group: CompactionGroup; layout: TableLayout; snapshotId: bigint; counter: number },
): Promise<RewriteGroup> {
  const { db, environment: { storage } } = options;
  const { group, layout, snapshotId, counter } = job;
  const output = db.newPath(".parquet");
  const inputs: string[] = [];
  try {
    for (const file of group.files) {
      const path = db.newPath(".parquet");
      inputs.push(path);
      await bringNear(storage, file.path, path);
    }
    const relation = readByFieldId(layout.plan.schema, inputs);
    const rows = Number(group.files.reduce((sum, file) => sum + file.record_count, 0n));
    const metrics = await sortedCopy(db, { plan: layout.plan, relation, rows, output });
    const day = dateToText(group.partition[0] as number);
    const location = dataFileLocation(layout, { day, snapshotId, counter });
    const bytes = await Deno.readFile(output);
    await storage.create(location, bytes);
    const written = { day, location, size: bytes.length, metrics, order: "lookup" as const };
    return {
      inputs: group.files.map(({ file }) => file),
      outputs: [dataFileOf(layout, written)],
    };
  } finally {
    for (const path of [...inputs, output]) await Deno.remove(path).catch(() => {});
  }
}

/** A hard link where the file is on the same volume, else a copy: DuckDB sees its own folder only. */
async function bringNear(storage: Storage, location: string, path: string): Promise<void> {
  if (storage.localPath !== undefined) {
    try {
      await Deno.link(storage.localPath(location), path);
      return;
    } catch {
      // Another volume, or no right to link: a copy does it too.
    }
  }
  await Deno.writeFile(path, await storage.read(location));
}

/** The files' rows in the current schema, columns found by field id as the spec asks for: renames and additions hold. */
function readByFieldId(schema: Schema, paths: readonly string[]): string {
  const columns = schema.fields.map(({ id, name, type }) =>
    `${id}: {name: ${quoteText(name)}, type: ${quoteText(duckDbType(type))}, default_value: NULL}`
  );
  const list = paths.map(quoteText).join(", ");
  return `(SELECT ${
    schema.fields.map(({ name }) => quoteName(name)).join(", ")
  } FROM read_parquet([${list}], schema = MAP {${columns.join(", ")}}))`;
}

/** Commits; gives the groups that were not. Their files, and all files of a refused commit, are removed. */
async function commitGroups(
  options: CompactOptions,
  table: Table,
  job: { rewrites: RewriteGroup[]; snapshotId: bigint; startingSnapshotId: bigint },
): Promise<ReadonlySet<RewriteGroup>> {
  const { environment, handle, signal } = options;
  const { rewrites, snapshotId, startingSnapshotId } = job;
  const outcome = await commitRewrite(table, {
    ...environment,
    ...(signal === undefined ? {} : { signal }),
    snapshotId,
    startingSnapshotId,
    groups: rewrites,
    summary: (base) => carriedSummary(base),
  });
  handle.seen(outcome.table);
  const dropped = outcome.status === "nothing"
    ? new Set(rewrites)
    : new Set(outcome.dropped.map(({ group }) => group as RewriteGroup));
  // Never committed by anybody: known for groups that the one commit of this id left out.
  if (outcome.status === "already") return dropped;
  for (const group of dropped) {
    for (const file of group.outputs) {
      await environment.storage.remove(file.file_path).catch(() => {});
    }
  }
  return dropped;
}
