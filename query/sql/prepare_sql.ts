/** A user's SQL → the same SELECT over views of planned tables (design section 12). */
import { MisuseError } from "../../contracts/errors.ts";
import { NAMESPACE } from "../../contracts/services.ts";
import type { TableName } from "../../contracts/tables.ts";
import type { Filter } from "../../iceberg/scan/filter.ts";
import { parseJson, printJson } from "../../iceberg/json.ts";
import type { Schema } from "../../iceberg/types.ts";
import { quoteName } from "../conditions.ts";
import type { SqlParser } from "../engine.ts";
import { MASKED_COLUMNS, maskedSource } from "../mask.ts";
import { planTable } from "../plan.ts";
import type { TableLoader } from "../table_loader.ts";
import type { Prepared } from "../prepared.ts";
import type { SnapshotSelector } from "../question.ts";
import { atSelector, replaceAt } from "./at.ts";
import { pushDown } from "./pushdown.ts";
import { statementText } from "./tokens.ts";
import {
  readTree,
  type SelectScope,
  type SelectTree,
  type SqlNode,
  type TableReference,
} from "./tree.ts";

/** What user SQL is prepared with. */
export interface SqlContext {
  loader: TableLoader;
  engine: SqlParser;
  /** The state of tables without an AT clause. */
  snapshot: SnapshotSelector;
  /** Masks account ids. */
  salt?: string;
  /** Look for the text of conditions that skip nothing. */
  explainScans: boolean;
}

/** All references to one state of one table. */
interface Source {
  table: TableName;
  snapshot: SnapshotSelector;
  references: TableReference[];
  /** As SQL: schema and name of the view. */
  view: string;
}

/** The statements of DuckDB's tree. */
interface Parsed {
  error: boolean;
  error_message?: string;
  statements?: SqlNode[];
}

/**
 * Parses the text.
 *
 * @throws {MisuseError} unless it is one SELECT; a syntax error is DuckDB's, with the place of it.
 */
async function parseSelect(sql: string, engine: SqlContext["engine"]): Promise<SqlNode> {
  const parsed = parseJson(await engine.parse(sql)) as Parsed;
  const statements = parsed.statements ?? [];
  if (parsed.error && /^Only SELECT/.test(parsed.error_message ?? "")) {
    const word = /[A-Za-z]+/.exec(sql)?.[0]?.toUpperCase() ?? "this";
    const hint = word === "EXPLAIN"
      ? "; --explain shows the plan"
      : word === "PIVOT" || word === "UNPIVOT"
      ? `; write SELECT * FROM … ${word} (…)`
      : "";
    throw new MisuseError(`Cannot run ${word}: expected one SELECT${hint}`);
  }
  if (parsed.error) throw new Error(`Parser Error: ${parsed.error_message}`);
  if (statements.length !== 1) {
    throw new MisuseError(`Cannot run ${statements.length} statements: expected one SELECT`);
  }
  return statements[0]!;
}

function sourcesOf(references: readonly TableReference[], byDefault: SnapshotSelector): Source[] {
  const sources = new Map<string, Source>();
  for (const reference of references) {
    const { table, at } = reference;
    const snapshot = at === undefined ? byDefault : atSelector(at);
    const key = printJson([table, at !== undefined, snapshot]);
    let source = sources.get(key);
    if (source === undefined) {
      const name = at === undefined ? table : quoteName(`${table} at ${sources.size}`);
      source = { table, snapshot, references: [], view: `${NAMESPACE}.${name}` };
      sources.set(key, source);
    }
    source.references.push(reference);
  }
  return [...sources.values()];
}

/**
 * What rows of a source the statement can depend on: those that one of its references can. A reference
 * outside of all scopes (in a set operation's branch, a subquery without WHERE) depends on all.
 */
function sourceFilter(
  source: Source,
  options: {
    scopes: readonly SelectScope[];
    schema: Schema;
    hidden: ReadonlySet<string>;
    used: Set<SqlNode>;
  },
): Filter {
  const { scopes, schema, hidden, used } = options;
  const filters = source.references.map((reference): Filter => {
    const scope = scopes.find((one) => one.references.includes(reference));
    if (scope === undefined) return { op: "true" };
    const pushed = pushDown(scope, { reference, schema, hidden });
    for (const condition of scope.conditions) {
      if (!pushed.unused.includes(condition)) used.add(condition);
    }
    return { op: "and", filters: pushed.filters };
  });
  return filters.length === 1 ? filters[0]! : { op: "or", filters };
}

function checkDefault(tree: SelectTree, snapshot: SnapshotSelector): void {
  const tables = new Set(
    tree.references.filter((one) => one.at === undefined).map((one) => one.table),
  );
  if (snapshot.kind !== "id" || tables.size < 2) return;
  throw new MisuseError(
    `Cannot use "--snapshot ${snapshot.id}" with ${
      [...tables].join(" and ")
    }: a snapshot belongs to ` +
      `one table; write ${[...tables][0]} AT (VERSION => ${snapshot.id})`,
  );
}

/** Two columns compared: a join's condition, which never prunes. */
function isColumnPair(condition: SqlNode): boolean {
  const sides = [condition["left"], condition["right"]] as (SqlNode | undefined)[];
  return sides.every((side) => side?.["class"] === "COLUMN_REF");
}

/** Plans the tables that the text reads and puts views in their place. */
export async function prepareSql(sql: string, context: SqlContext): Promise<Prepared> {
  const { loader, engine, salt } = context;
  const statement = await parseSelect(sql, engine);
  const tree = readTree(statement);
  checkDefault(tree, context.snapshot);
  const sources = sourcesOf(tree.references, context.snapshot);
  const used = new Set<SqlNode>();
  const tables = await Promise.all(
    sources.map(({ table, snapshot }, index) =>
      planTable(loader, table, {
        snapshot,
        filterOf: (schema) =>
          sourceFilter(sources[index]!, {
            scopes: tree.scopes,
            schema,
            // What the files hold says nothing about what the query sees there.
            hidden: new Set(salt === undefined ? [] : MASKED_COLUMNS[table]),
            used,
          }),
      })
    ),
  );
  const views = tables.map(({ relation }, index) => {
    const source = salt === undefined
      ? relation.sql
      : maskedSource(relation.sql, relation.columns, salt);
    return `CREATE VIEW ${sources[index]!.view} AS SELECT * FROM ${source}`;
  });
  const replacements = sources.flatMap(({ references, view }) =>
    references.filter((one) => one.at !== undefined).map((reference) => ({ reference, view }))
  );
  const unused = tree.scopes.flatMap((scope) => scope.conditions)
    .filter((condition) => !used.has(condition) && !isColumnPair(condition));
  return {
    sql: statementText(replaceAt(sql, replacements)),
    tables,
    settings: [],
    views,
    scans: context.explainScans ? await conditionTexts(unused, engine) : [],
  };
}

/** A double without a fraction, which JavaScript prints as an integer and DuckDB then refuses as a double. */
const WHOLE_DOUBLE = /"id":"(?:DOUBLE|FLOAT)"[^{}]*\},"is_null":false,"value":-?\d+(?=[,}])/g;

/** Conditions as SQL: each takes the place of the 1 in SELECT 1, which DuckDB then prints. */
async function conditionTexts(
  conditions: readonly SqlNode[],
  engine: SqlContext["engine"],
): Promise<string[]> {
  if (conditions.length === 0) return [];
  const template = parseJson(await engine.parse("SELECT 1")) as Parsed;
  const [{ node }] = template.statements as [{ node: SqlNode }];
  return await Promise.all(conditions.map(async (condition) => {
    const statements = [{ node: { ...node, select_list: [condition] } }];
    const tree = printJson({ error: false, statements }).replaceAll(WHOLE_DOUBLE, "$&.0");
    return (await engine.print(tree)).replace(/^SELECT /, "");
  }));
}
