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
  problems: readonly HistoryProblem[];
}

/** Reads the history of a table's current branch. */
export function tableHistory(metadata: TableMetadata, log: LogIdentity): TableHistory {
  const current = metadata["current-snapshot-id"];
  const snapshots = current === null ? [] : [...ancestorsOf(metadata, current)].reverse();
  const walk = new HistoryWalk(log);
  for (const snapshot of snapshots) walk.take(snapshot);
  walk.compareProperty(metadata.properties[OFFSETS_PROPERTY], snapshots);
  return { snapshots, ...walk.found };
}

interface Offsets {
  from: ReadonlyMap<number, number>;
  next: ReadonlyMap<number, number>;
}

class HistoryWalk {
  readonly #log: LogIdentity;
  readonly #foreign: Snapshot[] = [];
  readonly #ranges: ConsumedRange[] = [];
  readonly #problems: HistoryProblem[] = [];
  #before: Offsets | undefined;

  constructor(log: LogIdentity) {
    this.#log = log;
  }

  get found(): Omit<TableHistory, "snapshots"> {
    return {
      foreign: this.#foreign,
      next: this.#before?.next ?? new Map(),
      ranges: this.#ranges,
      problems: this.#problems,
    };
  }

  take(snapshot: Snapshot): void {
    const text = snapshot.summary[OFFSETS_PROPERTY];
    if (text === undefined) {
      this.#foreign.push(snapshot);
      return;
    }
    const snapshotId = snapshot["snapshot-id"];
    const offsets = this.#read(text, snapshotId);
    if (offsets === undefined) return;
    for (const [partition, next] of offsets.next) {
      const from = offsets.from.get(partition) ?? next;
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
      this.#say(
        snapshotId,
        undefined,
        `its offsets are of cluster ${offsets.cluster}, not ${cluster}`,
      );
      return undefined;
    }
    const entry = offsets.topics?.[topic];
    if (entry === undefined) return { from: new Map(), next: new Map() };
    if (entry.id !== topicId) {
      this.#say(
        snapshotId,
        undefined,
        `its offsets are of topic id ${entry.id}, now it is ${topicId}`,
      );
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
