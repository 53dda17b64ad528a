/** The Iceberg tables: what their current metadata says. */
import type { Catalog } from "../../iceberg/catalog/port.ts";
import type { Snapshot, TableMetadata } from "../../iceberg/types.ts";
import { NAMESPACE } from "../../contracts/services.ts";
import { OFFSETS_PROPERTY, TABLE_NAMES, type TableName } from "../../contracts/tables.ts";
import type { ConsolePorts } from "../ports.ts";
import type { Fact } from "../store/facts.ts";
import type { CommitView, TableView } from "../store/model.ts";
import { poll, type Watching } from "./poll.ts";

const POLL_MS = 4000;
/** Where nobody looks at the tables, the overview needs only this one, and the others every so many looks. */
const FRESHNESS_TABLE: TableName = "transactions";
const LOOKS_UNSEEN = 3;
const COMMITS_MAX = 200;

function figure(snapshot: Snapshot | undefined, name: string): number {
  return Number(snapshot?.summary[name] ?? 0);
}

function commitView(snapshot: Snapshot): CommitView {
  return {
    snapshotId: String(snapshot["snapshot-id"]),
    atMs: snapshot["timestamp-ms"],
    operation: snapshot.summary.operation,
    addedRows: figure(snapshot, "added-records"),
    addedFiles: figure(snapshot, "added-data-files"),
    addedBytes: figure(snapshot, "added-files-size"),
    removedFiles: figure(snapshot, "deleted-data-files"),
  };
}

/** Next offsets in a snapshot's summary; none where it is another writer's, or not readable. Pure. */
export function consumedOffsets(text: string | undefined): TableView["consumed"] {
  if (text === undefined) return [];
  try {
    const { topics } = JSON.parse(text) as {
      topics: Record<string, { next: Record<string, string> }>;
    };
    return Object.entries(topics).flatMap(([topic, { next }]) =>
      Object.entries(next).map(([partition, offset]) => ({
        topic,
        partition: Number(partition),
        next: Number(offset),
      }))
    );
  } catch {
    return [];
  }
}

/** A table as the screen shows it. Pure. */
export function tableView(name: string, metadata: TableMetadata): TableView {
  const { snapshots, refs } = metadata;
  const current = snapshots.find((one) => one["snapshot-id"] === metadata["current-snapshot-id"]);
  const newest = snapshots.toSorted((a, b) => b["timestamp-ms"] - a["timestamp-ms"]);
  const ours = newest.find(({ summary }) => summary[OFFSETS_PROPERTY] !== undefined);
  const schema = metadata.schemas.find((one) => one["schema-id"] === metadata["current-schema-id"]);
  return {
    name,
    location: metadata.location,
    snapshotId: current === undefined ? null : String(current["snapshot-id"]),
    ...(current === undefined ? {} : { atMs: current["timestamp-ms"] }),
    rows: figure(current, "total-records"),
    files: figure(current, "total-data-files"),
    bytes: figure(current, "total-files-size"),
    snapshots: snapshots.length,
    tags: Object.values(refs).filter(({ type }) => type === "tag").length,
    schemaColumns: schema?.fields.length ?? 0,
    commits: newest.slice(0, COMMITS_MAX).map(commitView),
    consumed: consumedOffsets(ours?.summary[OFFSETS_PROPERTY]),
  };
}

/** All tables there are; those outside `anew` as they were seen last. */
async function look(
  catalog: Catalog,
  anew: readonly TableName[],
  seen: ReadonlyMap<string, TableView>,
): Promise<TableView[]> {
  const idents = await catalog.listTables([NAMESPACE]);
  const known = TABLE_NAMES.filter((name) => idents.some((ident) => ident.name === name));
  return await Promise.all(known.map(async (name) => {
    const before = seen.get(name);
    if (before !== undefined && !anew.includes(name)) return before;
    const { metadata } = await catalog.loadTable({ namespace: [NAMESPACE], name });
    return tableView(name, metadata);
  }));
}

/** Runs until the signal aborts. */
export function watchTables(
  { openCatalog, now }: Pick<ConsolePorts, "openCatalog" | "now">,
  emit: (fact: Fact) => void,
  { signal, watched }: Watching,
): Promise<void> {
  const catalog = openCatalog();
  let seen: ReadonlyMap<string, TableView> = new Map();
  let looks = 0;
  return poll({
    everyMs: () => POLL_MS,
    signal,
    ask: async () => {
      const all = watched() === "tables" || looks++ % LOOKS_UNSEEN === 0;
      const tables = await look(catalog, all ? TABLE_NAMES : [FRESHNESS_TABLE], seen);
      seen = new Map(tables.map((table) => [table.name, table]));
      emit({ type: "tables", atMs: now(), tables });
    },
    failed: (message) => emit({ type: "tables_failed", atMs: now(), message }),
  });
}
