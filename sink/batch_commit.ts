/**
 * One batch into its table, exactly once (design section 6). Steps, numbered as in the body and in docs/sink.md:
 *
 *  B1. data files, once, from the spool
 *  B2. what cannot be stored: rows of dead_letters, committed before the batch they are missing from
 *  B3. the append, whose summary moves the offsets; before every attempt the base's offsets decide
 *
 * A crash after B2 repeats the batch from B1; dead_letters then says which records it has already.
 */
import type { TopicRole } from "../contracts/topics.ts";
import { formatTrace } from "../contracts/ids.ts";
import { OFFSETS_PROPERTY } from "../contracts/tables.ts";
import type { Logger } from "../runtime/log.ts";
import { commitAppend } from "../iceberg/commit/append.ts";
import type { CommitEnvironment } from "../iceberg/commit/environment.ts";
import { NoSuchFileError } from "../iceberg/storage/port.ts";
import type { DuckDb } from "./duckdb.ts";
import { type BatchOffsets, checkBase } from "./offsets.ts";
import type { FilledBatch } from "./intake.ts";
import type { Refused, StagedFiles } from "./stage.ts";
import type { TableHandle } from "./table_handle.ts";
import { commitUnstorable, type UnstorableLane } from "./unstorable_commit.ts";
import { hourTagUpdates } from "./hour_tag.ts";
import { carriedSummary, offsetsText } from "./summary.ts";
import type { Unstorable } from "./unstorable.ts";

/** What a commit needs. */
export interface CommitContext {
  handle: TableHandle;
  role: TopicRole;
  environment: CommitEnvironment;
  db: DuckDb;
  /** Where unstorable records go. */
  lane: UnstorableLane;
  log: Logger;
}

/** A batch whose files are in storage: steps B1 and B2 are done. */
export interface StagedBatch {
  snapshotId: bigint;
  offsets: BatchOffsets;
  staged: StagedFiles;
  refused: number;
  stagedAtMs: number;
}

/** How a commit ended. */
export interface BatchResult {
  /** `committed` and `already`: the rows are in. `zombie`: somebody else moved the offsets; read anew. */
  status: "committed" | "already" | "zombie";
  attempts: number;
}

/** Steps B1 and B2. May be repeated after an error: what is staged stays so. */
export async function stageBatch(
  context: CommitContext,
  batch: FilledBatch,
): Promise<StagedBatch> {
  // B1. Data files.
  const staged = await batch.stager.finish();
  // B2. What cannot be stored.
  const unstorable = unstorableOf(context, batch, staged.refused);
  if (unstorable.length > 0) await commitUnstorable(context.lane, unstorable);
  return {
    snapshotId: batch.stager.snapshotId,
    offsets: batch.spool.offsets,
    staged,
    refused: unstorable.length,
    stagedAtMs: context.environment.nowMs(),
  };
}

function unstorableOf(
  context: CommitContext,
  { spool }: FilledBatch,
  refused: readonly Refused[],
): Unstorable[] {
  const own = { topic: spool.identity.topic, role: context.role };
  const odd = spool.odd.map((record): Unstorable => ({
    ...own,
    ...record,
    error: { field: "$", expected: record.reason, actual: "none" },
  }));
  const bad = refused.map(({ source, ...record }): Unstorable => ({
    ...own,
    ...record,
    // The topic's name is not in the line; partition and offset of the raw log are what counts.
    trace: source && formatTrace(context.lane.rawTopic, source.partition, source.offset),
  }));
  return [...odd, ...bad].sort((a, b) => a.partition - b.partition || a.offset - b.offset);
}

/** Step B3. May be repeated with the same staged batch after an error. */
export async function commitBatch(
  context: CommitContext,
  batch: StagedBatch,
  options: { signal?: AbortSignal } = {},
): Promise<BatchResult> {
  const { handle, environment } = context;
  const { snapshotId, offsets, staged } = batch;
  const outcome = await handle.commit((table) =>
    commitAppend(table, {
      ...environment,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      snapshotId,
      files: staged.files,
      beforeAttempt: (base) => checkBase(base, offsets, snapshotId),
      summary: (base) => carriedSummary(base, offsets),
      // In the same request: it is what shows a rollback later.
      properties: (base) => ({ [OFFSETS_PROPERTY]: offsetsText(base, offsets) }),
      updates: (base, id) => hourTagUpdates(base, id, environment.nowMs()),
    })
  );
  if (outcome.status === "nothing") throw new Error("Cannot commit a batch: nothing was staged");
  return { status: outcome.status, attempts: outcome.attempts };
}

/** True if every file of the batch is still in storage: a batch that waited may have been cleaned away. */
export async function filesExist(context: CommitContext, batch: StagedBatch): Promise<boolean> {
  for (const file of batch.staged.files) {
    try {
      if (await context.environment.storage.stat(file.file_path) === undefined) return false;
    } catch (error) {
      if (error instanceof NoSuchFileError) return false;
      throw error;
    }
  }
  return true;
}
