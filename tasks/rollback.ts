/** `deno task rollback`: an older state of a table, and what that means for the records it had consumed. */
import { EXIT, MisuseError } from "../contracts/errors.ts";
import { rollback } from "../iceberg/commit/refs.ts";
import { loadTable, reloadTable, type Table } from "../iceberg/commit/table.ts";
import { chooseSnapshot } from "../iceberg/scan/snapshot.ts";
import { tableIdent } from "../sink/create_tables.ts";
import { settleRollback } from "../sink/settle.ts";
import { parseFlags, runTask } from "./cli.ts";
import { openLakehouse, readTableName, withCatalogErrors } from "./lakehouse.ts";

const HELP = `deno task rollback --table T [--to STATE] (--replay | --skip)

Makes an older snapshot of the table current again. With --to, rolls back; without, settles a rollback
that somebody made with another engine, which the sink waits for.

  --table T    one of transactions, alerts, dead_letters, pipeline_sessions
  --to STATE   snapshot id, tag (h-YYYYMMDDTHH), or ISO 8601 time; see deno task snapshots
  --replay     the removed records are read from Kafka again, as far as it still has them
  --skip       the removed records stay out

Exit codes: 0 done, 1 not possible, 2 misuse, 3 catalog unreachable.`;

/** Takes a state's name apart; the library says whether there is one. */
function readState(word: string): { id: bigint } | { ref: string } | { timestampMs: number } {
  if (/^\d+$/.test(word)) return { id: BigInt(word) };
  if (/^\d{4}-\d{2}-\d{2}T/.test(word)) {
    const timestampMs = Date.parse(word);
    if (!Number.isNaN(timestampMs)) return { timestampMs };
    throw new MisuseError(`Cannot use "--to ${word}": expected an ISO 8601 time`);
  }
  return { ref: word };
}

async function rollTable(
  table: Table,
  options: { to: string; environment: Awaited<ReturnType<typeof openLakehouse>>["environment"] },
): Promise<Table> {
  const { snapshot } = chooseSnapshot(table.metadata, readState(options.to));
  if (snapshot === undefined) throw new MisuseError(`Cannot use "--to ${options.to}": no snapshot`);
  const snapshotId = snapshot["snapshot-id"];
  const outcome = await rollback(table, { ...options.environment, snapshotId });
  const rows = snapshot.summary["total-records"] ?? "?";
  console.log(`finance.${table.ident.name} is at snapshot ${snapshotId} (${rows} rows)`);
  return outcome.table;
}

async function main(args: string[]): Promise<number> {
  const flags = parseFlags(args, { string: ["table", "to"], boolean: ["replay", "skip"] });
  if (typeof flags.table !== "string") {
    throw new MisuseError("Cannot roll back: --table is missing");
  }
  if ((flags.replay === true) === (flags.skip === true)) {
    throw new MisuseError("Cannot roll back: choose one of --replay and --skip");
  }
  const choice = flags.replay === true ? "replay" : "skip";
  const { catalog, environment } = await openLakehouse();
  let table = await loadTable(catalog, tableIdent(readTableName(flags.table)));
  if (typeof flags.to === "string") table = await rollTable(table, { to: flags.to, environment });
  const settled = await settleRollback(await reloadTable(table), { environment, choice });
  if (settled) {
    console.log(
      choice === "replay"
        ? "the sink reads the removed records again"
        : "the sink goes on where it was; the removed records stay out",
    );
  } else if (flags.to === undefined) {
    console.error("Cannot settle: the table is not rolled back");
    return EXIT.no;
  }
  return EXIT.ok;
}

if (import.meta.main) await runTask(HELP, (args) => withCatalogErrors(() => main(args)));
