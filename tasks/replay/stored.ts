/** Waits until tables have consumed what is ours: their committed offsets say so (design section 6). */
import { NAMESPACE } from "../../contracts/services.ts";
import type { TableName } from "../../contracts/tables.ts";
import type { TopicNames } from "../../contracts/topics.ts";
import { CatalogUnreachableError, NoSuchTableError } from "../../iceberg/catalog/errors.ts";
import type { Catalog } from "../../iceberg/catalog/port.ts";
import { sleep } from "../../runtime/retry.ts";
import { nextOffset, tableOffsets } from "../../sink/offsets.ts";
import { OUTPUT_ROLES, type OutputRole } from "./follow.ts";

const TABLE_OF: Readonly<Record<OutputRole, TableName>> = {
  transactions: "transactions",
  deadLetter: "dead_letters",
  alerts: "alerts",
};

/** How often a table is looked at. */
const LOOK_MS = 200;

/** Options of {@linkcode waitStored}. */
export interface StoredOptions {
  catalog: Catalog;
  topics: TopicNames;
  /** Offset that each table must have reached, by role and partition. */
  needed: Record<OutputRole, ReadonlyMap<number, number>>;
  signal: AbortSignal;
}

/** Next offset that a table would consume of a partition; -1 where it has consumed none. */
async function positions(
  catalog: Catalog,
  role: OutputRole,
  options: { topic: string; partitions: readonly number[] },
): Promise<number[]> {
  const { topic, partitions } = options;
  try {
    const ident = { namespace: [NAMESPACE], name: TABLE_OF[role] };
    const { metadata } = await catalog.loadTable(ident);
    const standing = tableOffsets(metadata);
    const offsets = standing.state === "known"
      ? standing.offsets
      : standing.state === "rolled_back"
      ? standing.summary
      : undefined;
    return partitions.map((partition) => nextOffset(offsets, topic, partition) ?? -1);
  } catch (error) {
    // The sink makes the tables at its first start; a catalog that restarts is waited for.
    if (error instanceof NoSuchTableError || error instanceof CatalogUnreachableError) {
      return partitions.map(() => -1);
    }
    throw error;
  }
}

/** Resolves when every table has committed what is needed of it. */
export async function waitStored(options: StoredOptions): Promise<void> {
  const { catalog, topics, needed, signal } = options;
  for (const role of OUTPUT_ROLES) {
    const partitions = [...needed[role].keys()];
    while (partitions.length > 0) {
      const at = await positions(catalog, role, { topic: topics[role], partitions });
      if (partitions.every((partition, i) => at[i]! >= needed[role].get(partition)!)) break;
      await sleep(LOOK_MS, signal);
    }
  }
}
