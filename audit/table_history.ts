/**
 * What the kept snapshots of a table say: which offsets each consumed (each from = the previous next), and which
 * snapshots are not ours. Pure.
 */
import { type ConsumedOffsets, OFFSETS_PROPERTY } from "../contracts/tables.ts";
import { ancestorsOf } from "../iceberg/metadata.ts";
import type { Snapshot, TableMetadata } from "../iceberg/types.ts";

/** The log that the table is said to be filled from. */
export interface LogIdentity {
  cluster: string;
  topic: string;
  topicId: string;
}

/** Something that is wrong with the history. */
export interface HistoryProblem {
  /** Undefined for the table property. */
  snapshotId: bigint | undefined;
  /** Partition of the topic; undefined where all are meant. */
  partition: number | undefined;
  detail: string;
}

/** Offsets that one snapshot moved: from (inclusive) to next (exclusive). */
export interface ConsumedRange {
  snapshotId: bigint;
  partition: number;
  from: number;
  next: number;
}

/**
 * Summary entry and table property: JSON list of gaps that an operator accepted for the table, the newest last
 * (docs/sink.md). The property keeps the last 100 when their snapshots are long gone.
 */
export const TABLE_GAPS_PROPERTY = "pipeline.gaps";

/** Offsets of a topic that its table gave up, from `stored` to `next` (exclusive); all before `next` in a topic made anew. */
export interface TableGap {
  topic: string;
  partition: number;
  stored: number;
  next: number;
  /** The topic was made anew: what the table had not read of the old one is gone, however much that was. */
  anew: boolean;
  reason: string;
  acceptedAt: string;
}

/** What the snapshots say. */
export interface TableHistory {
  /** Kept snapshots of the current history, oldest first. */
  snapshots: readonly Snapshot[];
  /** Those without our offsets: other writers'. */
  foreign: readonly Snapshot[];
  /** Next offset per partition; a partition that is not in it was never consumed. */
  next: ReadonlyMap<number, number>;
  /** What appends of ours moved. */
  ranges: readonly ConsumedRange[];
  /** Accepted, in their order. */
  gaps: readonly TableGap[];
  problems: readonly HistoryProblem[];
}

/** Reads the history of a table's current branch. */
export function tableHistory(metadata: TableMetadata, log: LogIdentity): TableHistory {
  const current = metadata["current-snapshot-id"];
  const snapshots = current === null ? [] : [...ancestorsOf(metadata, current)].reverse();
  const walk = new HistoryWalk(log);
  for (const snapshot of snapshots) walk.take(snapshot);
  walk.compareProperty(metadata.properties[OFFSETS_PROPERTY], snapshots);
  return { snapshots, ...walk.found, gaps: gapsOf(metadata, snapshots, log.topic) };
}

/** Gaps on record: those of the property, and any that it lacks in the snapshots. */
function gapsOf(
  { properties }: TableMetadata,
  snapshots: readonly Snapshot[],
  topic: string,
): TableGap[] {
  const texts = [properties, ...snapshots.map(({ summary }) => summary)]
    .map((entries) => entries[TABLE_GAPS_PROPERTY]);
  const gaps = texts.flatMap(readGaps).filter((gap) => gap.topic === topic);
  return [...new Map(gaps.map((gap) => [JSON.stringify(gap), gap])).values()];
}

/** None where the text is no list of gaps: it only ever excuses something. */
function readGaps(text: string | undefined): TableGap[] {
  try {
    const list = JSON.parse(text ?? "[]") as Record<string, unknown>[];
    return list.map(({ topic, partition, stored, next, reason, acceptedAt }) => ({
      topic: String(topic),
      partition: Number(partition),
      stored: Number(stored),
      next: Number(next),
      anew: reason === "the log was made anew",
      reason: String(reason),
      acceptedAt: String(acceptedAt),
    }));
  } catch {
    return [];
  }
}

interface Offsets {
  from: ReadonlyMap<number, number>;
  next: ReadonlyMap<number, number>;
}

class HistoryWalk {
  readonly #log: LogIdentity;
  readonly #foreign: Snapshot[] = [];
  readonly #ranges: ConsumedRange[] = [];
  #problems: HistoryProblem[] = [];
  /** Of other logs than this one. */
  #strangers: HistoryProblem[] = [];
  #before: Offsets | undefined;

  constructor(log: LogIdentity) {
    this.#log = log;
  }

  get found(): Omit<TableHistory, "snapshots" | "gaps"> {
    return {
      foreign: this.#foreign,
      next: this.#before?.next ?? new Map(),
      ranges: this.#ranges,
      problems: [...this.#strangers, ...this.#problems],
    };
  }

  take(snapshot: Snapshot): void {
    const text = snapshot.summary[OFFSETS_PROPERTY];
    if (text === undefined) {
      this.#foreign.push(snapshot);
      return;
    }
    const snapshotId = snapshot["snapshot-id"];
    const given = readGaps(snapshot.summary[TABLE_GAPS_PROPERTY]);
    const gaps = given.filter(({ topic }) => topic === this.#log.topic);
    // With it an operator said that the table goes on in a log made anew.
    if (gaps.some(({ anew }) => anew)) this.#strangers = [];
    const offsets = this.#read(text, snapshotId);
    if (offsets === undefined) return;
    const accepted = new Set(gaps.map(({ partition }) => partition));
    for (const [partition, next] of offsets.next) {
      const from = offsets.from.get(partition) ?? next;
      if (accepted.has(partition)) continue;
      const moved = this.#checkStep({ snapshotId, partition, from, next });
      if (moved && snapshot.summary.operation === "append") {
        this.#ranges.push({ snapshotId, partition, from, next });
      }
    }
    for (const partition of this.#before?.next.keys() ?? []) {
      if (!offsets.next.has(partition)) {
        this.#say(snapshotId, partition, "its offset is gone from the summary");
      }
    }
    this.#before = offsets;
  }

  /** True if the snapshot moved the partition; false if it carried the offsets of the one before. */
  #checkStep({ snapshotId, partition, from, next }: ConsumedRange): boolean {
    const known = this.#before?.next.get(partition);
    const carried = known === next && this.#before?.from.get(partition) === from;
    if (carried) return false;
    if (next < from) {
      this.#say(
        snapshotId,
        partition,
        `its next offset ${next} lies before its from offset ${from}`,
      );
    } else if (known !== undefined && known !== from) {
      this.#say(
        snapshotId,
        partition,
        `it begins at offset ${from} and ends at ${next}, the one before ended at ${known}`,
      );
    }
    return true;
  }

  /** The property repeats the newest summary; a difference shows a rollback or a hand in it. */
  compareProperty(text: string | undefined, snapshots: readonly Snapshot[]): void {
    const ours = snapshots.some(({ summary }) => summary[OFFSETS_PROPERTY] !== undefined);
    // Our snapshots may all have expired behind others': then the property alone knows.
    if (text === undefined) return;
    const property = this.#read(text, undefined);
    if (property === undefined) return;
    if (!ours) {
      if (snapshots.length > 0 && snapshots[0]!["parent-snapshot-id"] !== undefined) {
        this.#before = property;
      } else this.#say(undefined, undefined, "the table property has offsets, no snapshot does");
      return;
    }
    for (const [partition, next] of property.next) {
      const known = this.#before?.next.get(partition);
      if (known === next) continue;
      this.#say(
        undefined,
        partition,
        `the table property says ${next} is next, the newest snapshot ${known ?? "nothing"}`,
      );
    }
  }

  /** The offsets of our topic; undefined, with a problem noted, where there are none. */
  #read(text: string, snapshotId: bigint | undefined): Offsets | undefined {
    const { cluster, topic, topicId } = this.#log;
    let offsets: ConsumedOffsets;
    try {
      offsets = JSON.parse(text) as ConsumedOffsets;
    } catch {
      this.#say(snapshotId, undefined, "its offsets are no JSON");
      return undefined;
    }
    if (offsets.cluster !== cluster) {
      const detail = `its offsets are of cluster ${offsets.cluster}, not ${cluster}`;
      this.#strangers.push({ snapshotId, partition: undefined, detail });
      return undefined;
    }
    const entry = offsets.topics?.[topic];
    if (entry === undefined) return { from: new Map(), next: new Map() };
    if (entry.id !== topicId) {
      const detail = `its offsets are of topic id ${entry.id}, now it is ${topicId}`;
      this.#strangers.push({ snapshotId, partition: undefined, detail });
      return undefined;
    }
    return { from: offsetMap(entry.from), next: offsetMap(entry.next) };
  }

  #say(snapshotId: bigint | undefined, partition: number | undefined, detail: string): void {
    this.#problems.push({ snapshotId, partition, detail });
  }
}

function offsetMap(offsets: Record<string, string> | undefined): Map<number, number> {
  return new Map(
    Object.entries(offsets ?? {}).map(([partition, offset]) => [Number(partition), Number(offset)]),
  );
}
