/**
 * What a table has consumed, read from the table itself (design section 6, conventions C11, P10, P11).
 * Pure: the snapshot summary is the truth, the table property shows a rollback, Kafka is never asked.
 */
import { type ConsumedOffsets, OFFSETS_PROPERTY } from "../contracts/tables.ts";
import { ancestorsOf, snapshotById } from "../iceberg/metadata.ts";
import type { TableMetadata } from "../iceberg/types.ts";

/** The log that a table is filled from. A topic that was deleted and made anew has another id (P10). */
export interface LogIdentity {
  cluster: string;
  topic: string;
  topicId: string;
}

/** Offsets of one partition that a batch covers: from (included) to next (excluded). */
export interface OffsetRange {
  from: number;
  next: number;
  /** The table had no offset of this partition when the batch began. */
  first: boolean;
}

/** What a batch consumes. Partitions where nothing moved are not in it. */
export interface BatchOffsets extends LogIdentity {
  partitions: ReadonlyMap<number, OffsetRange>;
}

/** Where a table stands. */
export type TableOffsets =
  /** Nothing was ever consumed into it. */
  | { state: "empty" }
  | { state: "known"; offsets: ConsumedOffsets }
  /** Somebody made an older snapshot current: `property` is ahead of `summary`. */
  | { state: "rolled_back"; summary: ConsumedOffsets | undefined; property: ConsumedOffsets };

/**
 * Where a table stands: the newest ancestor of `main` that carries offsets. Where all such ancestors
 * have expired behind commits of others, the property tells (our own commits keep it equal).
 *
 * @throws {Error} if the stored text is not what the contract says.
 */
export function tableOffsets(metadata: TableMetadata): TableOffsets {
  const text = metadata.properties[OFFSETS_PROPERTY];
  const property = text === undefined ? undefined : parseOffsets(text, "table property");
  const { summary, complete } = newestSummary(metadata);
  if (summary === undefined) {
    if (property === undefined) return { state: "empty" };
    return complete
      ? { state: "rolled_back", summary, property }
      : { state: "known", offsets: property };
  }
  return property !== undefined && isAhead(property, summary)
    ? { state: "rolled_back", summary, property }
    : { state: "known", offsets: summary };
}

/** Offsets of the newest ancestor that has them; `complete` if the chain was seen down to its root. */
function newestSummary(
  metadata: TableMetadata,
): { summary: ConsumedOffsets | undefined; complete: boolean } {
  const current = metadata["current-snapshot-id"];
  if (current === null) return { summary: undefined, complete: true };
  let complete = false;
  for (const snapshot of ancestorsOf(metadata, current)) {
    const text = snapshot.summary[OFFSETS_PROPERTY];
    if (text !== undefined) {
      return { summary: parseOffsets(text, `snapshot ${snapshot["snapshot-id"]}`), complete: true };
    }
    complete = snapshot["parent-snapshot-id"] === undefined;
  }
  return { summary: undefined, complete };
}

/** True if `property` has consumed something that `summary` has not. */
function isAhead(property: ConsumedOffsets, summary: ConsumedOffsets): boolean {
  if (property.cluster !== summary.cluster) return true;
  return Object.entries(property.topics).some(([topic, { id, next }]) => {
    const known = summary.topics[topic];
    if (known === undefined || known.id !== id) return true;
    return Object.entries(next).some(([partition, offset]) =>
      BigInt(offset) > BigInt(known.next[partition] ?? -1n)
    );
  });
}

/**
 * Why a table cannot be filled from this log; undefined if it can. A recreated Kafka would otherwise drop or
 * repeat rows in silence (apache/iceberg#12357).
 */
export function identityProblem(
  offsets: ConsumedOffsets,
  { cluster, topic, topicId }: LogIdentity,
): string | undefined {
  if (offsets.cluster !== cluster) {
    return `the table was filled from Kafka cluster "${offsets.cluster}", this is "${cluster}"`;
  }
  const known = offsets.topics[topic];
  if (known !== undefined && known.id !== topicId) {
    return `the table was filled from topic "${topic}" with id ${known.id}; it was deleted and made ` +
      `anew, now its id is ${topicId}`;
  }
  return undefined;
}

/** Next offset to consume of a partition; undefined where the table has none. */
export function nextOffset(
  offsets: ConsumedOffsets | undefined,
  topic: string,
  partition: number,
): number | undefined {
  const text = offsets?.topics[topic]?.next[partition];
  return text === undefined ? undefined : Number(text);
}

/** Where the base of a commit attempt stands, seen from a batch. */
export type Standing = "start" | "end" | "neither";

/**
 * Compares a base with a batch: at its start (go on), at its end (it is in), or anything else (we are a
 * zombie). A batch without partitions is at its end.
 */
export function standingOf(base: ConsumedOffsets | undefined, batch: BatchOffsets): Standing {
  if (base !== undefined && identityProblem(base, batch) !== undefined) return "neither";
  const ranges = [...batch.partitions];
  const positions = ranges.map(([partition]) => nextOffset(base, batch.topic, partition));
  if (ranges.every(([, range], index) => positions[index] === range.next)) return "end";
  const atStart = ranges.every(([, { from, first }], index) =>
    first ? positions[index] === undefined : positions[index] === from
  );
  return atStart ? "start" : "neither";
}

/** The map that a commit of the batch on this base carries: its own partitions moved, all others as they are. */
export function advance(base: ConsumedOffsets | undefined, batch: BatchOffsets): ConsumedOffsets {
  const known = base?.topics[batch.topic];
  const from = { ...known?.from };
  const next = { ...known?.next };
  for (const [partition, range] of batch.partitions) {
    from[partition] = String(range.from);
    next[partition] = String(range.next);
  }
  return {
    cluster: batch.cluster,
    topics: { ...base?.topics, [batch.topic]: { id: batch.topicId, from, next } },
  };
}

/** What a look at the base decides (the verdicts of iceberg's commit loop). */
export type CommitCheck = "go" | "done" | "zombie";

/**
 * The check before every attempt, the first included: against the very base that the attempt asserts.
 * `snapshotId` is the batch's own, chosen before the first attempt.
 */
export function checkBase(
  base: TableMetadata,
  batch: BatchOffsets,
  snapshotId: bigint,
): CommitCheck {
  const current = base["current-snapshot-id"];
  if (current !== null) {
    for (const ancestor of ancestorsOf(base, current)) {
      if (ancestor["snapshot-id"] === snapshotId) return "done";
    }
  }
  // Ours, but not in the current history: somebody rolled back after it landed.
  if (snapshotById(base, snapshotId) !== undefined) return "zombie";
  const offsets = tableOffsets(base);
  if (offsets.state === "rolled_back") return "zombie";
  const standing = standingOf(offsets.state === "known" ? offsets.offsets : undefined, batch);
  return standing === "start" ? "go" : standing === "end" ? "done" : "zombie";
}

// ---- Text --------------------------------------------------------------------------------------------

const OFFSET = /^\d{1,16}$/;

/** Prints the map as the contract has it. */
export function printOffsets(offsets: ConsumedOffsets): string {
  return JSON.stringify(offsets);
}

/** Reads the map. `place` is for the message. @throws {Error} */
export function parseOffsets(text: string, place: string): ConsumedOffsets {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw wrong(place, "JSON", text, cause);
  }
  const { cluster, topics } = value as Partial<ConsumedOffsets>;
  if (typeof cluster !== "string") throw wrong(place, "a cluster id in .cluster", text);
  if (typeof topics !== "object" || topics === null) {
    throw wrong(place, "an object in .topics", text);
  }
  for (const [topic, entry] of Object.entries(topics)) {
    const fits = typeof entry?.id === "string" && isOffsetMap(entry.from) &&
      isOffsetMap(entry.next);
    if (!fits) throw wrong(place, `id, from and next in .topics.${topic}`, text);
  }
  return { cluster, topics };
}

function isOffsetMap(value: unknown): boolean {
  return typeof value === "object" && value !== null &&
    Object.entries(value).every(([partition, offset]) =>
      /^\d+$/.test(partition) && typeof offset === "string" && OFFSET.test(offset) &&
      Number.isSafeInteger(Number(offset))
    );
}

function wrong(place: string, expected: string, text: string, cause?: unknown): Error {
  return new Error(
    `Cannot use ${OFFSETS_PROPERTY} of ${place}: expected ${expected}, current value is ${text}`,
    { cause },
  );
}
