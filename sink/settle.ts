/**
 * What an operator decides for a table: what a rollback means for its offsets, and that a gap is accepted (design
 * sections 5, 6). Each decision is one commit; a sink that waits for it goes on by itself.
 */
import type { Broker, PartitionOffsets } from "../broker/port.ts";
import { type ConsumedOffsets, OFFSETS_PROPERTY } from "../contracts/tables.ts";
import { commitAppend } from "../iceberg/commit/append.ts";
import { type CommitEnvironment, newSnapshotId } from "../iceberg/commit/environment.ts";
import { commitProperties } from "../iceberg/commit/metadata_changes.ts";
import type { Table } from "../iceberg/commit/table.ts";
import type { TableMetadata } from "../iceberg/types.ts";
import { type LogIdentity, nextOffset, printOffsets, tableOffsets } from "./offsets.ts";
import { carriedSummary } from "./summary.ts";

/** Table property: JSON list of the gaps that were accepted, newest last, at most {@linkcode GAPS_MAX}. */
export const GAPS_PROPERTY = "pipeline.gaps";

/** Gaps kept on record per table. */
export const GAPS_MAX = 100;

/** `replay`: the removed records are read again. `skip`: they stay out. */
export type RollbackChoice = "replay" | "skip";

/** Settles a rollback. False if the table was not rolled back. */
export async function settleRollback(
  table: Table,
  options: { environment: CommitEnvironment; choice: RollbackChoice },
): Promise<boolean> {
  const { environment, choice } = options;
  const stored = tableOffsets(table.metadata);
  if (stored.state !== "rolled_back") return false;
  const { summary, property } = stored;
  if (choice === "skip") {
    await commitOffsets(table, { environment, offsets: property });
  } else if (summary === undefined) {
    await commitProperties(table, { ...environment, remove: [OFFSETS_PROPERTY] });
  } else {
    const set = { [OFFSETS_PROPERTY]: printOffsets(summary) };
    await commitProperties(table, { ...environment, set });
  }
  return true;
}

/** Offsets that a table wants and the log does not have. */
export interface TableGap {
  topic: string;
  partition: number;
  /** What the table has consumed. */
  stored: string;
  /** Where it would go on. */
  next: string;
  reason: string;
  acceptedAt?: string;
}

/** Gaps of a table, and the offsets without them. Another cluster or topic is one gap per partition. */
export function findTableGaps(
  metadata: TableMetadata,
  identity: LogIdentity,
  logs: readonly PartitionOffsets[],
): { gaps: TableGap[]; offsets: ConsumedOffsets | undefined } {
  const stored = tableOffsets(metadata);
  if (stored.state !== "known") return { gaps: [], offsets: undefined };
  const { offsets } = stored;
  const known = offsets.topics[identity.topic];
  const anew = offsets.cluster !== identity.cluster ||
    (known !== undefined && known.id !== identity.topicId);
  const from: Record<string, string> = anew ? {} : { ...known?.from };
  const next: Record<string, string> = anew ? {} : { ...known?.next };
  const gaps = logs.flatMap(({ partition, start, stable }): TableGap[] => {
    const position = nextOffset(offsets, identity.topic, partition);
    if (position === undefined) return [];
    if (!anew && position >= start && position <= stable) return [];
    // In a log made anew all is new; of one that lost its end nothing is.
    const goOn = anew || position < start ? start : stable;
    from[partition] = next[partition] = String(goOn);
    const reason = anew
      ? "the log was made anew"
      : position < start
      ? `records ${position} to ${start - 1} are gone`
      : `the log ends at ${stable}`;
    return [{
      topic: identity.topic,
      partition,
      stored: String(position),
      next: String(goOn),
      reason,
    }];
  });
  // Offsets of other clusters' topics mean nothing here.
  const others = offsets.cluster === identity.cluster ? offsets.topics : {};
  const topics = { ...others, [identity.topic]: { id: identity.topicId, from, next } };
  return { gaps, offsets: { cluster: identity.cluster, topics } };
}

/** Reads the broker's side of {@linkcode findTableGaps}. */
export async function readLog(
  broker: Broker,
  topic: string,
): Promise<{ identity: LogIdentity; logs: PartitionOffsets[] } | undefined> {
  const info = (await broker.topics([topic])).get(topic);
  if (info === undefined) return undefined;
  const identity = { cluster: await broker.clusterId(), topic, topicId: info.id };
  return { identity, logs: await broker.offsets(topic) };
}

/** Accepts gaps: one commit moves the offsets and puts the gaps on record. */
export async function acceptTableGaps(
  table: Table,
  options: { environment: CommitEnvironment; gaps: readonly TableGap[]; offsets: ConsumedOffsets },
): Promise<void> {
  const { environment, gaps, offsets } = options;
  const acceptedAt = new Date(environment.nowMs()).toISOString();
  const accepted = gaps.map((gap) => ({ ...gap, acceptedAt }));
  await commitOffsets(table, {
    environment,
    offsets,
    summary: { [GAPS_PROPERTY]: JSON.stringify(accepted) },
    properties: (base) => {
      const before = JSON.parse(base.properties[GAPS_PROPERTY] ?? "[]") as TableGap[];
      return { [GAPS_PROPERTY]: JSON.stringify([...before, ...accepted].slice(-GAPS_MAX)) };
    },
  });
}

/** A snapshot without files that says: consumed up to here. Refused if the table moved since it was looked at. */
async function commitOffsets(
  table: Table,
  options: {
    environment: CommitEnvironment;
    offsets: ConsumedOffsets;
    summary?: Record<string, string>;
    properties?: (base: TableMetadata) => Record<string, string>;
  },
): Promise<void> {
  const { environment, offsets, summary = {}, properties = () => ({}) } = options;
  const text = printOffsets(offsets);
  const seen = JSON.stringify(tableOffsets(table.metadata));
  const outcome = await commitAppend(table, {
    ...environment,
    snapshotId: newSnapshotId(environment.random),
    files: [],
    beforeAttempt: (base) => JSON.stringify(tableOffsets(base)) === seen ? "go" : "zombie",
    summary: (base) => ({ ...carriedSummary(base), ...summary, [OFFSETS_PROPERTY]: text }),
    properties: (base) => ({ ...properties(base), [OFFSETS_PROPERTY]: text }),
  });
  if (outcome.status === "zombie") {
    throw new Error("Cannot settle the table: somebody committed to it meanwhile; try again");
  }
}
