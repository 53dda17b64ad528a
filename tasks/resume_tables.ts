/** The tables' share of `deno task resume`: gaps between what a table has consumed and what Kafka has. */
import type { Broker } from "../broker/port.ts";
import { TABLE_NAMES, type TableName, TABLES } from "../contracts/tables.ts";
import { NoSuchNamespaceError, NoSuchTableError } from "../iceberg/catalog/errors.ts";
import { loadTable } from "../iceberg/commit/table.ts";
import { tableOffsets } from "../sink/offsets.ts";
import { tableIdent } from "../sink/create_tables.ts";
import { acceptTableGaps, findTableGaps, readLog } from "../sink/settle.ts";
import type { Lakehouse } from "./lakehouse.ts";

/** Looks at every table, with `accept` lets each go on behind its gaps; gives how many gaps are left. */
export async function resumeTables(
  lakehouse: Lakehouse,
  broker: Broker,
  options: { accept: boolean },
): Promise<number> {
  let left = 0;
  for (const table of TABLE_NAMES) left += await resumeTable(lakehouse, broker, table, options);
  return left;
}

async function resumeTable(
  { catalog, config, environment }: Lakehouse,
  broker: Broker,
  name: TableName,
  { accept }: { accept: boolean },
): Promise<number> {
  const topic = config.kafka.topics[TABLES[name].source];
  let table;
  try {
    table = await loadTable(catalog, tableIdent(name));
  } catch (error) {
    const missing = error instanceof NoSuchTableError || error instanceof NoSuchNamespaceError;
    if (!missing) throw error;
    console.log(`finance.${name}: not there yet`);
    return 0;
  }
  if (tableOffsets(table.metadata).state === "rolled_back") {
    console.log(`finance.${name}: rolled back; deno task rollback --table ${name} settles it`);
    return 1;
  }
  const log = await readLog(broker, topic);
  if (log === undefined) {
    console.log(`finance.${name}: topic "${topic}" is not there`);
    return 1;
  }
  const { gaps, offsets } = findTableGaps(table.metadata, log.identity, log.logs);
  if (gaps.length === 0 || offsets === undefined) {
    console.log(`finance.${name}: no gap`);
    return 0;
  }
  for (const { partition, stored, next, reason } of gaps) {
    console.log(
      `finance.${name}: ${topic}/${partition}, stored ${stored}: ${reason}` +
        (accept ? `; accepted, goes on at ${next}` : ""),
    );
  }
  if (!accept) return gaps.length;
  await acceptTableGaps(table, { environment, gaps, offsets });
  return 0;
}
