/** Which snapshots and refs have served their time (spec "Snapshot Retention Policy"; rules and properties as in Java). Pure. */

import { ancestorsOf, MAIN_BRANCH, snapshotById } from "../metadata.ts";
import type { SnapshotRef, TableMetadata } from "../types.ts";
import { integerProperty } from "./environment.ts";

/** How long snapshots are kept where a branch does not say it itself. */
export interface RetentionOptions {
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /** @default {history.expire.max-snapshot-age-ms, else 5 days} */
  readonly maxSnapshotAgeMs?: number;
  /** @default {history.expire.min-snapshots-to-keep, else 1} */
  readonly minSnapshotsToKeep?: number;
}

/** What an expiry removes. */
export interface ExpiryPlan {
  readonly snapshotIds: readonly bigint[];
  readonly refs: readonly string[];
}

const AGE_DEFAULT_MS = 5 * 24 * 3_600_000;

/**
 * Plans an expiry. Kept are: every ref younger than its maximum age (main always), the snapshot of each kept tag,
 * from each kept branch the newest so many and all younger than the age, and young snapshots that no ref reaches.
 */
export function planExpiry(metadata: TableMetadata, options: RetentionOptions): ExpiryPlan {
  const { nowMs } = options;
  const { properties } = metadata;
  const age = options.maxSnapshotAgeMs ??
    integerProperty(properties, "history.expire.max-snapshot-age-ms", AGE_DEFAULT_MS);
  const count = options.minSnapshotsToKeep ??
    integerProperty(properties, "history.expire.min-snapshots-to-keep", 1);
  const refs = Object.entries(metadata.refs).filter(([name, ref]) =>
    name === MAIN_BRANCH || !isRefExpired(metadata, ref, nowMs)
  );
  const keep = new Set<bigint>();
  const reached = new Set<bigint>();
  for (const [, ref] of refs) {
    keep.add(ref["snapshot-id"]);
    reached.add(ref["snapshot-id"]);
    if (ref.type === "tag") continue;
    const oldestMs = nowMs - (ref["max-snapshot-age-ms"] ?? age);
    const countMin = ref["min-snapshots-to-keep"] ?? count;
    keepBranch(metadata, ref["snapshot-id"], { oldestMs, countMin, keep, reached });
  }
  for (const snapshot of metadata.snapshots) {
    const id = snapshot["snapshot-id"];
    if (!reached.has(id) && snapshot["timestamp-ms"] >= nowMs - age) keep.add(id);
  }
  const kept = new Set(refs.map(([name]) => name));
  return {
    snapshotIds: metadata.snapshots
      .map((snapshot) => snapshot["snapshot-id"])
      .filter((id) => !keep.has(id)),
    refs: Object.keys(metadata.refs).filter((name) => !kept.has(name)),
  };
}

function keepBranch(
  metadata: TableMetadata,
  head: bigint,
  options: { oldestMs: number; countMin: number; keep: Set<bigint>; reached: Set<bigint> },
): void {
  const { oldestMs, countMin, keep, reached } = options;
  let count = 0;
  let open = true;
  for (const snapshot of ancestorsOf(metadata, head)) {
    reached.add(snapshot["snapshot-id"]);
    // The first that is neither among the newest nor young ends the kept part of the line.
    open &&= count < countMin || snapshot["timestamp-ms"] >= oldestMs;
    if (open) keep.add(snapshot["snapshot-id"]);
    count++;
  }
}

function isRefExpired(metadata: TableMetadata, ref: SnapshotRef, nowMs: number): boolean {
  const snapshot = snapshotById(metadata, ref["snapshot-id"]);
  if (snapshot === undefined) return true;
  const maxAgeMs = ref["max-ref-age-ms"] ??
    integerProperty(metadata.properties, "history.expire.max-ref-age-ms", Infinity);
  return nowMs - snapshot["timestamp-ms"] > maxAgeMs;
}
