/** Answers one query: plan, lock DuckDB to the planned files, stream the answer. */
import { MisuseError } from "../contracts/errors.ts";
import { TABLE_NAMES } from "../contracts/tables.ts";
import { quoteText } from "./conditions.ts";
import { type Engine, openEngine } from "./engine.ts";
import { formatWriter, type TextFormat } from "./format/writer.ts";
import { type Lakehouse, type PlannedTable, planTable } from "./plan.ts";
import { questionSql } from "./question_sql.ts";
import type { QueryRequest } from "./question.ts";

/** Where the answer goes; `print` may refuse with BrokenPipe, which ends the query quietly. */
export interface QueryOutput {
  print(text: string): Promise<void>;
  /** Notes beside the data: the snapshot that was chosen, statistics. */
  note(text: string): void;
  /** Width of the terminal; absent: nothing is cut. */
  width?: number;
}

/** Everything a query needs. */
export interface QueryContext {
  lakehouse: Lakehouse;
  output: QueryOutput;
  /** Salt of --mask-accounts. */
  maskSalt?: string;
}

/** A statement and the tables that it reads. */
interface Prepared {
  sql: string;
  tables: PlannedTable[];
  /** Views for user SQL. */
  setup: string[];
}

async function prepareBuilt(lakehouse: Lakehouse, request: QueryRequest): Promise<Prepared> {
  const { question } = request;
  const { snapshot, conditions } = question;
  const main = await planTable(lakehouse, question.table, { snapshot, conditions });
  if (!question.joinAlerts) {
    return { sql: questionSql(question, main.relation), tables: [main], setup: [] };
  }
  // A snapshot id belongs to one table; the alerts beside it are then the current ones.
  const alerts = await planTable(lakehouse, "alerts", {
    snapshot: snapshot.kind === "id" ? { kind: "current" } : snapshot,
    conditions: [],
  });
  return {
    sql: questionSql(question, main.relation, alerts.relation),
    tables: [main, alerts],
    setup: [],
  };
}

async function prepareSql(
  lakehouse: Lakehouse,
  request: QueryRequest,
  sql: string,
): Promise<Prepared> {
  const names = TABLE_NAMES.filter((name) => new RegExp(`\\b${name}\\b`, "i").test(sql));
  const tables = await Promise.all(
    names.map((name) =>
      planTable(lakehouse, name, { snapshot: request.question.snapshot, conditions: [] })
    ),
  );
  const setup = tables.map(({ name, relation }) =>
    `CREATE VIEW ${name} AS SELECT * FROM ${relation.sql}`
  );
  return { sql, tables, setup };
}

/** The salted SHA-256 in SQL, as runtime/mask.ts defines it but in full length. */
function masked(sql: string, salt: string): string {
  const mask = `sha256(${quoteText(salt)} || chr(0) || account_id)`;
  return `SELECT * REPLACE (${mask} AS account_id) FROM (${sql}) AS unmasked`;
}

function applyMask(prepared: Prepared, request: QueryRequest, salt: string | undefined): Prepared {
  if (!request.maskAccounts) return prepared;
  if (salt === undefined) {
    throw new MisuseError(
      `Cannot use "--mask-accounts": PIPELINE_MASK_SALT is not set; ` +
        `set it to a secret text, the same for all extracts that should join`,
    );
  }
  const has = (table: PlannedTable): boolean => table.relation.columns.includes("account_id");
  if (request.sql !== undefined) {
    const setup = prepared.tables.map((table) =>
      has(table)
        ? `CREATE VIEW ${table.name} AS ${masked(`SELECT * FROM ${table.relation.sql}`, salt)}`
        : `CREATE VIEW ${table.name} AS SELECT * FROM ${table.relation.sql}`
    );
    return { ...prepared, setup };
  }
  const shown = request.question.columns?.includes("account_id") ?? has(prepared.tables[0]!);
  return shown ? { ...prepared, sql: masked(prepared.sql, salt) } : prepared;
}

function describePlan({ name, plan }: PlannedTable): string {
  const files = plan.skipped.filter((one) => one.kind === "file");
  const inManifests = plan.skipped.filter((one) => one.kind === "manifest")
    .reduce((sum, one) => sum + Math.max(0, one.files), 0);
  const bytes = plan.files.reduce((sum, file) => sum + file.file_size_in_bytes, 0n);
  return `${name}: snapshot ${
    plan.snapshot?.["snapshot-id"] ?? "none"
  }, ${plan.files.length} files ` +
    `(${bytes} bytes) to read, ${files.length} skipped by bounds and partitions, ${inManifests} in ` +
    `${plan.manifests.total - plan.manifests.read} of ${plan.manifests.total} manifests skipped`;
}

function noteSnapshot(request: QueryRequest, tables: PlannedTable[], output: QueryOutput): void {
  if (request.question.snapshot.kind !== "timestamp") return;
  for (const { name, plan } of tables) {
    if (plan.snapshot === undefined) continue;
    const at = new Date(plan.snapshot["timestamp-ms"]).toISOString();
    output.note(`${name} as of ${at}: snapshot ${plan.snapshot["snapshot-id"]}`);
  }
}

async function answer(engine: Engine, sql: string, format: TextFormat, output: QueryOutput) {
  const { columns, rows } = await engine.select(sql);
  const { width } = output;
  const writer = formatWriter(format, {
    columns,
    ...(width === undefined ? {} : { width }),
  });
  let count = 0;
  for await (const batch of rows()) {
    count += batch.length;
    const text = writer.rows(batch);
    if (text !== "") await output.print(text);
  }
  const rest = writer.end();
  if (rest !== "") await output.print(rest);
  return count;
}

/** Answers the request. Errors of DuckDB, the planner and the catalog pass through. */
export async function runQuery(request: QueryRequest, context: QueryContext): Promise<void> {
  const { lakehouse, output, maskSalt } = context;
  if (request.format === "parquet" || request.format === "arrow") {
    throw new MisuseError(`Cannot use "--format ${request.format}": it is not available yet`);
  }
  const started = performance.now();
  const unmasked = request.sql === undefined
    ? await prepareBuilt(lakehouse, request)
    : await prepareSql(lakehouse, request, request.sql);
  const prepared = applyMask(unmasked, request, maskSalt);
  const planned = performance.now();
  noteSnapshot(request, prepared.tables, output);
  const engine = await openEngine({
    allowedPaths: prepared.tables.flatMap((table) => table.paths),
    setup: prepared.setup,
  });
  try {
    if (request.explain) {
      const plan = await engine.explain(prepared.sql);
      const text = [prepared.sql, "", ...prepared.tables.map(describePlan), "", plan].join("\n");
      const secret = request.maskAccounts && maskSalt ? text.replaceAll(maskSalt, "***") : text;
      return await output.print(secret + "\n");
    }
    const rows = await answer(engine, prepared.sql, request.format, output);
    const { limit } = request.question;
    if (output.width !== undefined && request.sql === undefined && rows === limit) {
      output.note(`${rows} rows; there may be more (--limit)`);
    }
    if (request.stats) {
      for (const table of prepared.tables) output.note(describePlan(table));
      const ms = (from: number, to: number): string => `${(to - from).toFixed(0)} ms`;
      output.note(
        `${rows} rows; planned in ${ms(started, planned)}, answered in ${
          ms(planned, performance.now())
        }`,
      );
    }
  } finally {
    engine.close();
  }
}
