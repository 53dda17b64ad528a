/**
 * DuckDB's own iceberg extension as a contender of `deno task bench query`: the same DuckDB, the same catalog, rows printed by
 * the same code. Arguments: catalog, folder of the Python packages that hold the extensions, SQL, fewest runs, milliseconds
 * of runs. No runs: the answer is printed; otherwise the milliseconds of each run are.
 */
import { DuckDBInstance, type DuckDBResult } from "@duckdb/node-api";

/** Extensions, in the order that they need each other. */
const EXTENSIONS = ["httpfs", "avro", "iceberg"];

async function* lines(result: DuckDBResult): AsyncIterable<string> {
  const names = result.columnNames();
  for await (const rows of result.yieldRowsJson()) {
    const texts = rows.map((row) =>
      JSON.stringify(Object.fromEntries(names.map((name, at) => [name, row[at]])))
    );
    if (texts.length > 0) yield texts.join("\n") + "\n";
  }
}

async function extensionPaths(packages: string): Promise<string[]> {
  return await Promise.all(EXTENSIONS.map(async (name) => {
    const folder = `${packages}/duckdb_extension_${name}/extensions`;
    const [version] = await Array.fromAsync(Deno.readDir(folder));
    return `${folder}/${version?.name}/${name}.duckdb_extension`;
  }));
}

const [catalog = "", packages = "", sql = "", runs, ms] = Deno.args;
const instance = await DuckDBInstance.create(":memory:", { autoinstall_known_extensions: "false" });
const connection = await instance.connect();
await connection.run("SET TimeZone = 'UTC'");
for (const path of await extensionPaths(packages)) await connection.run(`LOAD '${path}'`);
await connection.run(
  `ATTACH '' AS lake (TYPE iceberg, ENDPOINT '${catalog}', AUTHORIZATION_TYPE 'none')`,
);
const encoder = new TextEncoder();
if (runs === undefined) {
  for await (const text of lines(await connection.stream(sql))) {
    for (let rest = encoder.encode(text); rest.length > 0;) {
      rest = rest.subarray(await Deno.stdout.write(rest));
    }
  }
} else {
  const times: number[] = [];
  const until = performance.now() + Number(ms);
  while (times.length < Number(runs) || performance.now() < until) {
    const started = performance.now();
    for await (const text of lines(await connection.stream(sql))) encoder.encode(text);
    times.push(performance.now() - started);
  }
  console.log(JSON.stringify({ total: times }));
}
Deno.exit(0);
