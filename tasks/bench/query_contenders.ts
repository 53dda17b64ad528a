/** Who answers in `deno task bench query`: our task as a user runs it, DuckDB's own extension, PyIceberg. */
import { parseArgs } from "@std/cli";
import { restCatalog } from "../../iceberg/catalog/rest.ts";
import { localStorage } from "../../iceberg/storage/local.ts";
import { normalizeWords, parseRequest } from "../../query/args.ts";
import { EnginePool } from "../../query/engine_pool.ts";
import { QUERY_FLAGS } from "../../query/flags.ts";
import { runQuery } from "../../query/main.ts";
import { LakehouseMemory } from "../../query/plan.ts";
import { projectRoot } from "../../runtime/env.ts";
import { join } from "../../runtime/path.ts";
import { medianOf } from "./query_median.ts";
import type { BenchQuestion } from "./query_questions.ts";

/** Where the tables are. */
export interface BenchPlace {
  catalog: string;
  warehouse: string;
  /** A folder for what runs leave behind. */
  scratch: string;
  /** Path of a Python with PyIceberg and DuckDB's extensions. */
  python: string;
}

/** A process from its start; milliseconds. */
export interface Cold {
  firstRow: number;
  total: number;
  /** Lines of the answer. */
  rows: number;
}

/** The same process again and again; medians in milliseconds. */
export interface Warm {
  total: number;
  /** Finding the files, the catalog's answer included; the rest of the total is execution. */
  plan?: number;
}

/** A contender. */
export interface Contender {
  name: "ours" | "duckdb" | "pyiceberg";
  cold(question: BenchQuestion): Promise<Cold>;
  warm(question: BenchQuestion, runs: number): Promise<Warm>;
}

interface Program {
  program: string;
  args: string[];
  env?: Record<string, string>;
}

async function measureCold({ program, args, env = {} }: Program): Promise<Cold> {
  const command = new Deno.Command(program, {
    args,
    cwd: projectRoot,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  const started = performance.now();
  const child = command.spawn();
  const complaints = new Response(child.stderr).text();
  let firstRow: number | undefined;
  let rows = 0;
  for await (const bytes of child.stdout) {
    firstRow ??= performance.now() - started;
    for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) rows++;
  }
  const { code } = await child.status;
  const total = performance.now() - started;
  if (code === 0) return { firstRow: firstRow ?? total, total, rows };
  throw new Error(`Cannot measure "${program} ${args.join(" ")}": ${await complaints}`);
}

/** Warm runs go on for so long: short ones differ more from each other, and more of them fit. */
const WARM_MS = 2000;

/** A program that is given a number of runs and how long to go on, and prints their times. */
async function measureWarm({ program, args }: Program, runs: number): Promise<Warm> {
  const command = new Deno.Command(program, {
    args: [...args, String(runs + 1), String(WARM_MS)],
    cwd: projectRoot,
  });
  const { success, stdout, stderr } = await command.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (!success) throw new Error(`Cannot measure "${program}": ${text(stderr)}`);
  const { total, plan } = JSON.parse(text(stdout)) as { total: number[]; plan?: number[] };
  return {
    total: medianOf(total.slice(1)),
    ...(plan === undefined ? {} : { plan: medianOf(plan.slice(1)) }),
  };
}

/** Our own code in this process, as a prompt runs it: what a run has read, and its DuckDB, serve the next. */
async function warmOurs(place: BenchPlace, words: string[], runs: number): Promise<Warm> {
  const flags = parseArgs(normalizeWords([...words, "--format", "ndjson"]), QUERY_FLAGS);
  const request = parseRequest(flags, { nowUs: Date.now() * 1000, stdoutIsTerminal: false });
  const catalog = restCatalog({ uri: place.catalog });
  const storage = localStorage({ roots: [place.warehouse] });
  const lakehouse = { catalog, storage, memory: new LakehouseMemory() };
  const engines = new EnginePool({ spillFolder: join(place.scratch, "query.spill") });
  const encoder = new TextEncoder();
  const totals: number[] = [];
  const plans: number[] = [];
  const until = performance.now() + WARM_MS;
  while (totals.length <= runs || performance.now() < until) {
    const started = performance.now();
    await runQuery(request, {
      lakehouse,
      output: {
        print(data) {
          if (typeof data === "string") encoder.encode(data);
          return Promise.resolve();
        },
        note: () => {},
      },
      scratch: join(place.scratch, "query"),
      engines,
      onPlanned: () => plans.push(performance.now() - started),
    });
    totals.push(performance.now() - started);
  }
  engines.close();
  return { total: medianOf(totals.slice(1)), plan: medianOf(plans.slice(1)) };
}

/** The contenders over the tables of one place. */
export function contendersOf(place: BenchPlace): Contender[] {
  const { catalog, warehouse, scratch, python } = place;
  const packages = join(python, "..", "..", "lib");
  const duckDb = async ({ duckDb }: BenchQuestion): Promise<Program> => {
    const [version] = await Array.fromAsync(Deno.readDir(packages));
    const folder = join(packages, version!.name, "site-packages");
    const args = ["run", "-A", "tasks/bench/query_duckdb.ts", catalog, folder, duckDb];
    return { program: Deno.execPath(), args };
  };
  const pyIceberg = ({ pyIceberg }: BenchQuestion): Program => {
    const script = "tasks/bench/query_pyiceberg.py";
    return { program: python, args: [script, catalog, JSON.stringify(pyIceberg)] };
  };
  const env = {
    PIPELINE_CATALOG_URI: catalog,
    PIPELINE_CATALOG_WAREHOUSE: warehouse,
    PIPELINE_DATA_DIR: scratch,
  };
  return [
    {
      name: "ours",
      cold: ({ ours }) => {
        const args = ["task", "--quiet", "query", ...ours, "--format", "ndjson"];
        return measureCold({ program: Deno.execPath(), args, env });
      },
      warm: ({ ours }, runs) => warmOurs(place, ours, runs),
    },
    {
      name: "duckdb",
      cold: async (question) => await measureCold(await duckDb(question)),
      warm: async (question, runs) => await measureWarm(await duckDb(question), runs),
    },
    {
      name: "pyiceberg",
      cold: (question) => measureCold(pyIceberg(question)),
      warm: (question, runs) => measureWarm(pyIceberg(question), runs),
    },
  ];
}
