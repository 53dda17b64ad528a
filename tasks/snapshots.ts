/** `deno task snapshots`: the kept states of the tables. */
import { EXIT } from "../contracts/errors.ts";
import { OFFSETS_PROPERTY, type TableName } from "../contracts/tables.ts";
import { NoSuchNamespaceError, NoSuchTableError } from "../iceberg/catalog/errors.ts";
import { loadTable } from "../iceberg/commit/table.ts";
import type { Snapshot, TableMetadata } from "../iceberg/types.ts";
import { tableIdent } from "../sink/create_tables.ts";
import { parseOffsets } from "../sink/offsets.ts";
import { parseFlags, runTask } from "./cli.ts";
import { chosenTables, openLakehouse, printColumns, withCatalogErrors } from "./lakehouse.ts";

const HELP = `deno task snapshots [--table T] [--json]

Lists the snapshots that time travel can reach, oldest first: id, time, what made it, rows and files of
the table then, the tags that keep it, and the offsets it had consumed (topic partition:next).

  --table T   one of transactions, alerts, dead_letters, pipeline_sessions; all by default
  --json      one JSON object a line; ids and offsets are strings

Untagged snapshots live half an hour, the first of each hour three days (tag h-YYYYMMDDTHH, UTC).

Exit codes: 0 fine, 1 no such table, 2 misuse, 3 catalog unreachable.`;

interface Row {
  table: TableName;
  snapshot_id: string;
  time: string;
  operation: string;
  current: boolean;
  refs: string[];
  rows: number;
  files: number;
  offsets: Record<string, Record<string, string>>;
}

function rowOf(table: TableName, metadata: TableMetadata, snapshot: Snapshot): Row {
  const { summary } = snapshot;
  const id = snapshot["snapshot-id"];
  const text = summary[OFFSETS_PROPERTY];
  const topics = text === undefined ? {} : parseOffsets(text, `snapshot ${id}`).topics;
  return {
    table,
    snapshot_id: String(id),
    time: new Date(snapshot["timestamp-ms"]).toISOString(),
    operation: summary.operation,
    current: id === metadata["current-snapshot-id"],
    refs: Object.entries(metadata.refs)
      .filter(([, ref]) => ref["snapshot-id"] === id)
      .map(([name]) => name),
    rows: Number(summary["total-records"] ?? 0),
    files: Number(summary["total-data-files"] ?? 0),
    offsets: Object.fromEntries(
      Object.entries(topics).map(([topic, { next }]) => [topic, next]),
    ),
  };
}

function offsetsText(offsets: Row["offsets"]): string {
  return Object.entries(offsets).map(([topic, next]) =>
    `${topic} ${Object.entries(next).map(([p, offset]) => `${p}:${offset}`).join(" ")}`
  ).join("; ");
}

function print(rows: readonly Row[]): void {
  printColumns(
    ["table", "snapshot_id", "time", "operation", "rows", "files", "refs", "offsets"],
    rows.map((row) => [
      row.table,
      row.snapshot_id,
      row.time,
      row.operation,
      row.rows,
      row.files,
      row.refs.join(","),
      offsetsText(row.offsets),
    ]),
  );
}

async function main(args: string[]): Promise<number> {
  const flags = parseFlags(args, { string: ["table"], boolean: ["json"] });
  const { catalog } = await openLakehouse();
  const rows: Row[] = [];
  for (const table of chosenTables(flags.table)) {
    try {
      const { metadata } = await loadTable(catalog, tableIdent(table));
      rows.push(...metadata.snapshots.map((snapshot) => rowOf(table, metadata, snapshot)));
    } catch (error) {
      const missing = error instanceof NoSuchTableError || error instanceof NoSuchNamespaceError;
      if (!missing) throw error;
      console.error(`There is no table finance.${table} yet: the sink creates it when it starts`);
      if (flags.table !== undefined) return EXIT.no;
    }
  }
  if (flags.json === true) { for (const row of rows) console.log(JSON.stringify(row)); }
  else print(rows);
  return EXIT.ok;
}

if (import.meta.main) await runTask(HELP, (args) => withCatalogErrors(() => main(args)));
