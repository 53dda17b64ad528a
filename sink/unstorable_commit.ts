/** Commits unstorable records to dead_letters, each once, before the batch that they are missing from. */
import { commitAppend } from "../iceberg/commit/append.ts";
import { type CommitEnvironment, newSnapshotId } from "../iceberg/commit/environment.ts";
import { printDate } from "../contracts/timestamps.ts";
import type { Logger } from "../runtime/log.ts";
import { carriedSummary } from "./summary.ts";
import type { DuckDb } from "./duckdb.ts";
import { dataFileLocation, layoutOf } from "./layout.ts";
import { stagePart } from "./stage.ts";
import type { TableHandle } from "./table_handle.ts";
import {
  advanceUnstorable,
  isRecorded,
  type Unstorable,
  UNSTORABLE_PROPERTY,
  unstorableLine,
  unstorableNext,
} from "./unstorable.ts";

/** What the way into dead_letters needs. */
export interface UnstorableLane {
  /** The table dead_letters. */
  handle: TableHandle;
  environment: CommitEnvironment;
  db: DuckDb;
  /** Name of the topic that traces begin with. */
  rawTopic: string;
  log: Logger;
  onStored?: (rows: number) => void;
}

/** Rounds of "somebody else recorded some of these meanwhile" before this is given up as a fault. */
const ROUNDS_MAX = 10;

/**
 * Records what dead_letters does not have yet. All records are of one topic.
 *
 * @throws what the commit throws: then the batch must not be committed either.
 */
export async function commitUnstorable(
  lane: UnstorableLane,
  records: readonly Unstorable[],
): Promise<void> {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const { metadata } = await lane.handle.reload();
    const recorded = unstorableNext(metadata);
    const fresh = records.filter((record) => !isRecorded(recorded, record));
    if (fresh.length === 0) return;
    const status = await appendRows(lane, fresh, JSON.stringify(recorded));
    if (status === "committed" || status === "already") {
      report(lane, fresh);
      return;
    }
  }
  throw new Error(
    `Cannot record ${records.length} unstorable records: other sinks recorded some in ${ROUNDS_MAX} rounds`,
  );
}

async function appendRows(
  lane: UnstorableLane,
  records: readonly Unstorable[],
  recorded: string,
): Promise<string> {
  const { environment, handle, db } = lane;
  const nowUs = environment.nowMs() * 1000;
  const snapshotId = newSnapshotId(environment.random);
  const path = db.newPath(".ndjson");
  const outcome = await handle.commit(async (table) => {
    await Deno.writeTextFile(path, records.map((record) => unstorableLine(record, nowUs)).join(""));
    const layout = layoutOf("dead_letters", table.metadata);
    let counter = 0;
    const { files } = await stagePart(
      {
        db,
        storage: environment.storage,
        table: "dead_letters",
        layout,
        newLocation: (day) => dataFileLocation(layout, { day, snapshotId, counter: counter++ }),
      },
      { day: printDate(nowUs), path, rows: records.length, runs: [] },
    );
    await Deno.remove(path);
    return await commitAppend(table, {
      ...environment,
      snapshotId,
      files,
      // The same rule as for offsets: only the state that the rows were chosen for may be built on.
      beforeAttempt: (base) => JSON.stringify(unstorableNext(base)) === recorded ? "go" : "zombie",
      summary: (base) => ({
        ...carriedSummary(base),
        [UNSTORABLE_PROPERTY]: JSON.stringify(advanceUnstorable(unstorableNext(base), records)),
      }),
    });
  });
  return outcome.status;
}

function report(lane: UnstorableLane, records: readonly Unstorable[]): void {
  lane.onStored?.(records.length);
  for (const { topic, partition, offset, trace, error } of records) {
    lane.log.warn("record_unstorable", { topic, partition, offset, trace, error });
  }
}
