/** What every snapshot of ours says about what the table has consumed. Pure. */
import { OFFSETS_PROPERTY } from "../contracts/tables.ts";
import type { TableMetadata } from "../iceberg/types.ts";
import { advance, type BatchOffsets, printOffsets, tableOffsets } from "./offsets.ts";
import { UNSTORABLE_PROPERTY, unstorableNext } from "./unstorable.ts";

/**
 * Summary entries of every commit of ours, compaction included: all offsets of the base, those of the
 * batch moved, and what dead_letters has recorded.
 */
export function carriedSummary(
  base: TableMetadata,
  batch?: BatchOffsets,
): Record<string, string> {
  const text = offsetsText(base, batch);
  const recorded = unstorableNext(base);
  return {
    ...(text === undefined ? {} : { [OFFSETS_PROPERTY]: text }),
    ...(Object.keys(recorded).length === 0
      ? {}
      : { [UNSTORABLE_PROPERTY]: JSON.stringify(recorded) }),
  };
}

/** The offsets of the base with those of the batch moved, as text; undefined if there are none. */
export function offsetsText(base: TableMetadata, batch: BatchOffsets): string;
export function offsetsText(base: TableMetadata, batch?: BatchOffsets): string | undefined;
export function offsetsText(base: TableMetadata, batch?: BatchOffsets): string | undefined {
  const stored = tableOffsets(base);
  // After a rollback the summary is what the rows say; only an operator's choice moves it again.
  const known = stored.state === "known"
    ? stored.offsets
    : stored.state === "rolled_back"
    ? stored.summary
    : undefined;
  if (batch === undefined) return known && printOffsets(known);
  return printOffsets(advance(known, batch));
}
