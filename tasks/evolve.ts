/** `deno task evolve`: schema changes, metadata only (design section 7). */
import { EXIT, MisuseError } from "../contracts/errors.ts";
import { TABLES } from "../contracts/tables.ts";
import { commitProperties, commitSchema } from "../iceberg/commit/metadata_changes.ts";
import { loadTable, type Table } from "../iceberg/commit/table.ts";
import { currentSchema } from "../iceberg/metadata.ts";
import { parsePrimitive } from "../iceberg/schema.ts";
import type { SchemaChange } from "../iceberg/schema_evolution.ts";
import type { PrimitiveType } from "../iceberg/types.ts";
import { SOURCE_NAMES_PROPERTY, sourceNames } from "../sink/columns.ts";
import { tableIdent } from "../sink/create_tables.ts";
import { parseFlags, runTask } from "./cli.ts";
import { type Lakehouse, openLakehouse, readTableName, withCatalogErrors } from "./lakehouse.ts";

const HELP = `deno task evolve <change> …

  add-column TABLE NAME TYPE [--doc TEXT]   a column that is filled by the field of that name from now on
  rename-column TABLE OLD NEW               it goes on being filled by the same field
  promote TABLE NAME TYPE                   int to long, float to double, decimal to more digits
  drop-column TABLE NAME                    the files keep it, no reader shows it

TYPE is an Iceberg type: string, int, long, double, boolean, date, timestamptz, "decimal(18, 4)", …
Only metadata changes: files are not rewritten, older rows read null in a new column. A value that does
not fit a new column's type is stored as null and counted.

Exit codes: 0 done, 1 not possible, 2 misuse, 3 catalog unreachable.`;

const CHANGES = {
  "add-column": 4,
  "rename-column": 4,
  "promote": 4,
  "drop-column": 3,
} as const;

type ChangeName = keyof typeof CHANGES;

function readType(word: string): PrimitiveType {
  try {
    parsePrimitive(word);
    return word as PrimitiveType;
  } catch {
    throw new MisuseError(`Cannot use type "${word}": expected a primitive Iceberg type`);
  }
}

function changeOf(name: ChangeName, words: string[], doc: string | undefined): SchemaChange {
  const [column = "", third = ""] = words;
  switch (name) {
    case "add-column":
      return {
        action: "add-column",
        name: column,
        type: readType(third),
        ...(doc === undefined ? {} : { doc }),
      };
    case "rename-column":
      return { action: "rename-column", column, name: third };
    case "promote":
      return { action: "promote-column", column, type: readType(third) };
    case "drop-column":
      return { action: "drop-column", column };
  }
}

/** What the sink could not live with, or would do in silence. */
function checkChange(table: Table, change: SchemaChange): void {
  const fields = currentSchema(table.metadata).fields;
  const definition = TABLES[table.ident.name as keyof typeof TABLES];
  const time = definition.columns.find(({ name }) => name === definition.timeColumn)!;
  if (change.action === "drop-column") {
    const field = fields.find(({ name }) => name === change.column);
    if (field?.id === time.id) {
      throw new MisuseError(
        `Cannot drop column "${change.column}": the table is partitioned by it`,
      );
    }
  }
  const added = change.action === "add-column" || change.action === "rename-column"
    ? change.name
    : undefined;
  const twin = fields.find(({ name }) => name.toLowerCase() === added?.toLowerCase());
  if (added !== undefined && twin !== undefined) {
    throw new MisuseError(
      `Cannot use name "${added}": column "${twin.name}" differs in case at most, and SQL engines mix them up`,
    );
  }
}

/** A renamed column of ours is known by its id; an added one by the source name stored under its id. */
async function keepSource(
  { environment }: Lakehouse,
  table: Table,
  change: SchemaChange,
): Promise<void> {
  if (change.action !== "rename-column") return;
  const field = currentSchema(table.metadata).fields.find(({ name }) => name === change.column);
  if (field === undefined) return;
  const definition = TABLES[table.ident.name as keyof typeof TABLES];
  if (definition.columns.some(({ id }) => id === field.id)) return;
  const names = sourceNames(table.metadata.properties);
  if (names[field.id] !== undefined) return;
  // Before the rename: in the other order a crash in between would fill the column from the new name.
  const set = { [SOURCE_NAMES_PROPERTY]: JSON.stringify({ ...names, [field.id]: field.name }) };
  await commitProperties(table, { ...environment, set });
}

async function main(args: string[]): Promise<number> {
  const flags = parseFlags(args, { string: ["doc"], wordsMax: 4 });
  const [name, tableWord = "", ...words] = flags._;
  if (name === undefined || !Object.hasOwn(CHANGES, name)) {
    throw new MisuseError(
      `Cannot evolve by "${name ?? ""}": expected one of ${Object.keys(CHANGES).join(", ")}`,
    );
  }
  const wanted = CHANGES[name as ChangeName];
  if (flags._.length !== wanted) {
    throw new MisuseError(`Cannot ${name}: expected ${wanted - 1} words after it`);
  }
  const doc = typeof flags.doc === "string" ? flags.doc : undefined;
  const change = changeOf(name as ChangeName, words, doc);
  const ident = tableIdent(readTableName(tableWord));
  const lakehouse = await openLakehouse();
  const table = await loadTable(lakehouse.catalog, ident);
  checkChange(table, change);
  await keepSource(lakehouse, table, change);
  const fresh = await loadTable(lakehouse.catalog, ident);
  const outcome = await commitSchema(fresh, { ...lakehouse.environment, changes: [change] });
  const schema = currentSchema(outcome.table.metadata);
  console.log(`finance.${ident.name} has schema ${schema["schema-id"]}:`);
  for (const field of schema.fields) {
    const type = typeof field.type === "string" ? field.type : field.type.type;
    console.log(`  ${field.id}: ${field.name} ${type}`);
  }
  return EXIT.ok;
}

if (import.meta.main) await runTask(HELP, (args) => withCatalogErrors(() => main(args)));
