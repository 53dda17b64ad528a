/** Hourly tags, which carry time travel beyond the age of untagged snapshots (design section 7). Pure. */
import { tagUpdate } from "../iceberg/commit/refs.ts";
import type { TableMetadata, TableUpdate } from "../iceberg/types.ts";

/** How long a tag keeps its snapshot: three days. */
export const HOUR_TAG_AGE_MS = 3 * 24 * 3_600_000;

/** `h-20261121T08`, in UTC. */
export function hourTagName(nowMs: number): string {
  return `h-${new Date(nowMs).toISOString().slice(0, 13).replaceAll("-", "")}`;
}

/** The first commit of an hour sets its tag; the others add nothing. */
export function hourTagUpdates(
  base: TableMetadata,
  snapshotId: bigint,
  nowMs: number,
): TableUpdate[] {
  const name = hourTagName(nowMs);
  if (Object.hasOwn(base.refs, name)) return [];
  return [tagUpdate({ name, snapshotId, maxRefAgeMs: HOUR_TAG_AGE_MS })];
}
