/**
 * `deno task bench query`: the questions of everyday on tables of some sizes, cold (a process from its start) and warm (the
 * same process again), beside DuckDB's own iceberg extension and PyIceberg on the same tables in the same run.
 */
import { restCatalog } from "../../iceberg/catalog/rest.ts";
import { loadTable } from "../../iceberg/commit/table.ts";
import type { Filter } from "../../iceberg/scan/filter.ts";
import { planScan } from "../../iceberg/scan/plan.ts";
import { localStorage } from "../../iceberg/storage/local.ts";
import type { TableMetadata } from "../../iceberg/types.ts";
import { join } from "../../runtime/path.ts";
import { tableIdent } from "../../sink/create_tables.ts";
import { ensurePython } from "../../tests/support/python.ts";
import { startCatalog } from "../../tests/support/services.ts";
import { ensureJars, type Jars } from "../native/jars.ts";
import { type BenchPlace, type Cold, type Contender, contendersOf } from "./query_contenders.ts";
import { medianOf } from "./query_median.ts";
import { type BenchQuestion, benchQuestions } from "./query_questions.ts";
import { dayOf, type Layout, makeTables } from "./query_tables.ts";
import { type QueryFigure, ratioTable } from "./query_ratios.ts";

const PLANNING_RUNS = 31;

/** What to measure. */
export interface BenchQueryOptions {
  sizes: readonly number[];
  layouts: readonly Layout[];
  /** Only questions with this in their name. */
  only: string | undefined;
  /** Runs per figure; the median is given. */
  runs: number;
  /** Tables are kept here and used again; absent: a temp folder that goes away. */
  dataDir: string | undefined;
  /** Makes the tables and measures nothing. */
  makeOnly: boolean;
}

function print(figure: Record<string, unknown>): void {
  console.log(JSON.stringify(figure));
}

function round(ms: number): number {
  return Number(ms.toFixed(ms < 10 ? 2 : 1));
}

type Measured = Pick<
  QueryFigure,
  "first_row_ms" | "total_ms" | "warm_ms" | "warm_plan_ms" | "rows"
>;

/** Cold runs take turns, so that a busy moment of the machine does not fall on one contender alone. */
async function measure(
  contenders: readonly Contender[],
  question: BenchQuestion,
  runs: number,
): Promise<Measured[]> {
  const cold = contenders.map((): Cold[] => []);
  for (let run = 0; run < runs; run++) {
    for (const [at, contender] of contenders.entries()) {
      cold[at]!.push(await contender.cold(question));
    }
  }
  const measured: Measured[] = [];
  for (const [at, contender] of contenders.entries()) {
    const warm = await contender.warm(question, runs);
    measured.push({
      rows: cold[at]![0]!.rows,
      first_row_ms: round(medianOf(cold[at]!.map((one) => one.firstRow))),
      total_ms: round(medianOf(cold[at]!.map((one) => one.total))),
      warm_ms: round(warm.total),
      ...(warm.plan === undefined ? {} : { warm_plan_ms: round(warm.plan) }),
    });
  }
  return measured;
}

/** Our planner alone, on metadata that is loaded: manifest list and manifests to a list of files. */
async function measurePlanning(
  metadata: TableMetadata,
  warehouse: string,
): Promise<Record<string, unknown>[]> {
  const storage = localStorage({ roots: [warehouse] });
  const at = (day: string) => BigInt(Date.parse(day)) * 1000n;
  const filters: Record<string, Filter> = {
    "every file": { op: "true" },
    "one day": {
      op: "and",
      filters: [
        { op: "gt_eq", column: "timestamp", value: at(dayOf(4)) },
        { op: "lt", column: "timestamp", value: at(dayOf(5)) },
      ],
    },
    "one account": { op: "eq", column: "account_id", value: "ACC1003003" },
  };
  const figures = [];
  for (const [asked, filter] of Object.entries(filters)) {
    const times: number[] = [];
    let planned = 0;
    for (let run = 0; run < PLANNING_RUNS; run++) {
      const started = performance.now();
      planned = (await planScan(metadata, storage, { filter })).files.length;
      times.push(performance.now() - started);
    }
    figures.push({ asked, planned, first_ms: round(times[0]!), median_ms: round(medianOf(times)) });
  }
  return figures;
}

/** A time between two snapshots, and the snapshot that was current then. */
function aTimeOfThePast(metadata: TableMetadata): { pastIso: string; snapshot: string } {
  const log = metadata["snapshot-log"];
  const entry = log[Math.floor((log.length - 1) / 2)]!;
  const pastIso = new Date(entry["timestamp-ms"]).toISOString();
  return { pastIso, snapshot: String(entry["snapshot-id"]) };
}

async function measureTables(
  place: BenchPlace,
  { rows, layout }: { rows: number; layout: Layout },
  { runs, only }: BenchQueryOptions,
): Promise<QueryFigure[]> {
  const { metadata } = await loadTable(
    restCatalog({ uri: place.catalog }),
    tableIdent("transactions"),
  );
  const { files, manifests } = await planScan(
    metadata,
    localStorage({ roots: [place.warehouse] }),
  );
  const table = { table_rows: rows, layout, files: files.length, manifests: manifests.total };
  if (only === undefined || "planning".includes(only)) {
    for (const figure of await measurePlanning(metadata, place.warehouse)) {
      print({ bench: "query planning", ...table, ...figure });
    }
  }
  const figures: QueryFigure[] = [];
  const questions = benchQuestions(rows, aTimeOfThePast(metadata))
    .filter(({ name }) => only === undefined || name.includes(only));
  for (const question of questions) {
    const contenders = contendersOf(place);
    for (const [at, measured] of (await measure(contenders, question, runs)).entries()) {
      const by = contenders[at]!.name;
      const figure = {
        bench: "query" as const,
        ...table,
        question: question.name,
        by,
        ...measured,
      };
      print(figure);
      figures.push(figure);
    }
  }
  return figures;
}

/** Runs `work` over the tables of one size and layout, made where they are not there yet. */
async function withTables(
  jars: Jars,
  options: { folder: string; rows: number; layout: Layout },
  work: (place: { catalog: string; warehouse: string; scratch: string }) => Promise<void>,
): Promise<void> {
  const { folder, rows, layout } = options;
  const [warehouse, scratch] = [join(folder, "warehouse"), join(folder, "scratch")];
  const made = join(folder, "made");
  const isMade = await Deno.stat(made).then(() => true, () => false);
  if (!isMade) await Deno.remove(folder, { recursive: true }).catch(() => {});
  await Deno.mkdir(scratch, { recursive: true });
  const catalog = await startCatalog(jars, { dir: folder, warehouse });
  try {
    if (!isMade) {
      const started = performance.now();
      const tables = restCatalog({ uri: catalog.url });
      await makeTables({ catalog: tables, warehouse, scratch, rows, layout });
      await Deno.writeTextFile(made, "");
      const ms = round(performance.now() - started);
      print({ bench: "query tables", table_rows: rows, layout, made_in_ms: ms });
    }
    await work({ catalog: catalog.url, warehouse, scratch });
  } finally {
    await catalog.kill();
  }
}

/** Measures, prints each figure as one JSON line and, at the end, a table of ratios. */
export async function benchQuery(options: BenchQueryOptions): Promise<void> {
  const { sizes, layouts, makeOnly } = options;
  const jars = await ensureJars();
  const python = await ensurePython();
  const dir = options.dataDir ?? await Deno.makeTempDir({ prefix: "bench_query_" });
  const figures: QueryFigure[] = [];
  try {
    for (const rows of sizes) {
      for (const layout of layouts) {
        const folder = join(dir, `${rows}_${layout}`);
        await withTables(jars, { folder, rows, layout }, async (place) => {
          if (makeOnly) return;
          figures.push(...await measureTables({ ...place, python }, { rows, layout }, options));
        });
      }
    }
  } finally {
    if (options.dataDir === undefined) await Deno.remove(dir, { recursive: true });
  }
  if (figures.length > 0) console.log(`\n${ratioTable(figures)}`);
}
