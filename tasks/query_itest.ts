/** `deno task query` as a process: exit codes, messages, formats, files, pipes, signals. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { restCatalog } from "../iceberg/catalog/rest.ts";
import { openTestLakehouse, sampleAlerts, sampleTransactions } from "../query/testing.ts";
import { startServices } from "../tests/support/services.ts";
import { projectRoot } from "../runtime/env.ts";

const ROWS = sampleTransactions({
  first: 0,
  count: 3000,
  start: "2026-03-01T00:00:00Z",
  stepSeconds: 60,
  accounts: 20,
});

interface World {
  /** Folder that relative paths mean. */
  folder: string;
  warehouse: string;
  env: Record<string, string>;
}

async function withPipeline(work: (world: World) => Promise<void>): Promise<void> {
  // Its own catalog: the task reads the namespace that shared services may hold already.
  const services = await startServices({ kafka: false, fresh: true });
  const { catalog: uri, warehouse, dir } = services;
  const lakehouse = await openTestLakehouse({ catalog: restCatalog({ uri }), warehouse });
  try {
    await lakehouse.append("transactions", ROWS);
    await lakehouse.append("alerts", sampleAlerts(ROWS));
    const folder = `${dir}/caller`;
    await Deno.mkdir(folder);
    await work({
      folder,
      warehouse,
      env: {
        PIPELINE_CATALOG_URI: uri,
        PIPELINE_CATALOG_WAREHOUSE: warehouse,
        PIPELINE_DATA_DIR: `${dir}/data`,
        INIT_CWD: folder,
      },
    });
  } finally {
    await lakehouse.close();
    await services.stop();
  }
}

function command(world: Pick<World, "env">, args: readonly string[]): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "query", ...args],
    cwd: projectRoot,
    env: { NO_COLOR: "1", ...world.env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

async function run(world: Pick<World, "env">, ...args: string[]) {
  const { code, stdout, stderr } = await command(world, args).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), err: text(stderr), bytes: stdout };
}

Deno.test("misuse ends with 2, names the argument and the nearest right one, and asks no catalog", async () => {
  const nowhere = { env: { PIPELINE_CATALOG_URI: "http://127.0.0.1:1" } };
  // query_flags_test.ts has all the others.
  const cases: readonly [args: string[], message: string][] = [
    [[], "deno task query [what]"],
    [["--tabel", "alerts"], "did you mean --table?"],
    [["--date-range", "2026-03-01", "-24h"], "do not mix"],
    [["--file", "missing.sql"], '"--file missing.sql"'],
    [["--completions", "powershell"], "expected one of bash, zsh, fish"],
  ];
  const answers = await Promise.all(cases.map(([args]) => run(nowhere, ...args)));
  for (const [index, [args, message]] of cases.entries()) {
    const { code, out, err } = answers[index]!;
    assertStringIncludes(err, message, args.join(" "));
    assertEquals([code, out], [2, ""], args.join(" "));
  }
});

Deno.test("a catalog that is not there ends with 3 and says where it was looked for", async () => {
  const nowhere = { env: { PIPELINE_CATALOG_URI: "http://127.0.0.1:1" } };
  for (const args of [["--limit", "1"], ["--sql", "SELECT * FROM transactions"]]) {
    const { code, out, err } = await run(nowhere, ...args);
    assertEquals([code, out], [3, ""]);
    assertStringIncludes(err, 'Cannot reach the catalog at "http://127.0.0.1:1"');
  }
});

Deno.test("queries print data on stdout and everything else on stderr", async () => {
  await withPipeline(async (world) => {
    const ok = async (...args: string[]) => {
      const answer = await run(world, ...args);
      assertEquals(answer.code, 0, answer.err);
      return answer;
    };
    const csv = await ok("--columns", "amount,timestamp", "--limit", "2", "--format", "csv");
    assertEquals(csv.out.split("\n")[0], "amount,timestamp");
    assertEquals(csv.out.trimEnd().split("\n").length, 3);

    const json = JSON.parse(
      (await ok("--table", "alerts", "--severity", "low", "--format", "json")).out,
    );
    assert(json.length > 0 && json.every((row: { severity: string }) => row.severity === "low"));

    const joined = await ok("--join-alerts", "--rule", "high-value", "--format", "ndjson");
    const flagged = await ok("--flagged", "--format", "ndjson");
    // The made-up tables hold exactly one such alert for every flagged transaction.
    assertEquals(joined.out.split("\n").length, flagged.out.split("\n").length);

    const table = await ok("--limit", "2", "--stats");
    assertStringIncludes(table.err, "Only the first 2 rows are shown");
    assertStringIncludes(table.err, "files");
    assertEquals(table.out.split("\n").length, 5);

    const asOf = await ok("--as-of-timestamp", "2100-01-01T00:00:00Z", "--limit", "1");
    assertStringIncludes(asOf.err, "transactions as of");

    const plan = await ok("--date-range", "2026-03-01", "--explain");
    assertStringIncludes(plan.out, "READ_PARQUET");
    assertStringIncludes(plan.out, "1 files");

    // A join by anything but a hash takes minutes on a day's rows.
    assert(!(await ok("--join-alerts", "--explain")).out.includes("NL_JOIN"));

    await Deno.writeTextFile(
      `${world.folder}/q.sql`,
      "SELECT count(*) AS n\nFROM transactions; -- all\n",
    );
    assertEquals((await ok("--file", "q.sql", "--format", "tsv")).out, "n\n3000\n");

    const colored = await run({ env: { ...world.env, NO_COLOR: "" } }, "--limit", "1", "--color");
    assertStringIncludes(colored.out, "\x1b[1m");
    assert(!(await ok("--limit", "1")).out.includes("\x1b["));
  });
});

Deno.test("-o writes whole files relative to the caller, or none", async () => {
  await withPipeline(async (world) => {
    const files = () => [...Deno.readDirSync(world.folder)].map((entry) => entry.name).sort();
    const parquet = await run(
      world,
      "--date-range",
      "2026-03-01",
      "--format",
      "parquet",
      "-o",
      "day.parquet",
    );
    assertEquals([parquet.code, parquet.out], [0, ""], parquet.err);
    const bytes = await Deno.readFile(`${world.folder}/day.parquet`);
    assertEquals(new TextDecoder().decode(bytes.slice(-4)), "PAR1");

    const empty = await run(
      world,
      "--account-id",
      "ACC0",
      "--format",
      "ndjson",
      "-o",
      "empty.ndjson",
    );
    assertEquals([empty.code, empty.err], [0, ""]);
    const failed = await run(
      world,
      "--sql",
      "SELECT error('stop') FROM transactions",
      "-o",
      "failed.csv",
    );
    assertEquals(failed.code, 1);
    const away = await run(world, "--limit", "1", "-o", "missing/x.csv");
    assertEquals(away.code, 2);
    assertStringIncludes(away.err, '"--output missing/x.csv"');
    const null_ = await run(world, "--limit", "1", "--format", "csv", "-o", "/dev/null");
    assertEquals(null_.code, 0, null_.err);
    assertEquals(files(), ["day.parquet", "empty.ndjson"]);
  });
});

Deno.test("a failed query ends with 1 and DuckDB's own words", async () => {
  await withPipeline(async (world) => {
    const cases: readonly [args: string[], code: number, message: string][] = [
      [["--sql", "SELECT acount_id FROM transactions"], 1, "account_id"],
      [["--sql", "SELEC 1"], 1, 'syntax error at or near "SELEC"'],
      [["--sql", "SELECT error('no')"], 1, "no"],
      [["--sql", "FROM transactons"], 2, "did you mean transactions?"],
      [["--sql", "COPY transactions TO 'x'"], 2, "expected one SELECT"],
      [["--columns", "acount_id"], 2, "did you mean account_id?"],
      [["--order-by", "tymestamp"], 2, "did you mean timestamp?"],
      [["--tag", "nope"], 1, 'no branch or tag "nope"'],
      [["--snapshot", "1"], 1, "no snapshot 1"],
      [["--as-of-timestamp", "2000-01-01"], 1, "2000-01-01"],
      [["--table", "dead_letters"], 1, "the sink creates it when it starts"],
    ];
    for (const [args, code, message] of cases) {
      const answer = await run(world, ...args);
      assertStringIncludes(answer.err, message);
      assertEquals([answer.code, answer.out], [code, ""], args.join(" "));
      assert(!answer.err.includes(".ts:"), answer.err);
    }
  });
});

Deno.test("a data file that is gone ends with 3", async () => {
  await withPipeline(async (world) => {
    const gone = await firstFile(world.warehouse, ".parquet", "transactions/");
    await Deno.remove(gone);
    const { code, err } = await run(world, "--sql", "SELECT sum(amount) FROM transactions");
    assertStringIncludes(err, "ask again");
    assertEquals(code, 3);
  });
});

async function firstFile(folder: string, ending: string, within: string): Promise<string> {
  for await (const entry of Deno.readDir(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) {
      const found = await firstFile(path, ending, within).catch(() => undefined);
      if (found !== undefined) return found;
    } else if (path.endsWith(ending) && path.includes(within)) return path;
  }
  throw new Error(`Cannot find a ${ending} file in "${folder}"`);
}

Deno.test("a reader who leaves ends the query quietly with 0", async () => {
  await withPipeline(async (world) => {
    const sql = "SELECT a.* FROM transactions a, transactions b LIMIT 2000000";
    const child = command(world, ["--sql", sql, "--format", "ndjson"]).spawn();
    const reader = child.stdout.getReader();
    await reader.read();
    await reader.cancel();
    const [{ code }, err] = await Promise.all([child.status, new Response(child.stderr).text()]);
    assertEquals([code, err], [0, ""]);
  });
});

Deno.test("Ctrl-C ends a query with 130 and leaves no half-written file", async () => {
  await withPipeline(async (world) => {
    const sql =
      "SELECT count(*) FROM transactions a, transactions b, transactions c WHERE a.amount + b.amount > c.amount";
    const args = ["run", "-A", "tasks/query.ts", "--sql", sql, "-o", "count.csv"];
    const child = new Deno.Command(Deno.execPath(), {
      args,
      cwd: projectRoot,
      env: world.env,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    // The file is opened before DuckDB starts: from then on there is something to clean up.
    while ([...Deno.readDirSync(world.folder)].length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    child.kill("SIGINT");
    assertEquals((await child.status).code, 130);
    assertEquals([...Deno.readDirSync(world.folder)], []);
  });
});

Deno.test("completions: bash completes flags, values and leaves other commands alone", async () => {
  const { code, out } = await run({ env: {} }, "--completions", "bash");
  assertEquals(code, 0);
  const complete = async (...words: string[]): Promise<string[]> => {
    const script = `${out}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")})
COMP_CWORD=${words.length - 1}
_deno_task_query
printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout } = await new Deno.Command("bash", { args: ["--norc", "-c", script] }).output();
    return new TextDecoder().decode(stdout).split("\n").filter((line) => line !== "");
  };
  assertEquals(await complete("deno", "task", "query", "--ta"), ["--table", "--tag"]);
  assertEquals(await complete("deno", "task", "query", "--table", "a"), ["alerts"]);
  assertEquals(await complete("deno", "run", "--ta"), []);
  for (const shell of ["zsh", "fish"]) {
    const script = (await run({ env: {} }, "--completions", shell)).out;
    assertStringIncludes(script, "merchant-category");
  }
});
