/** `deno task query`: questions to the lakehouse. Exit 0 fine, 1 failed, 2 misuse, 3 unreachable. */
import { EXIT, ServiceUnreachableError } from "../contracts/errors.ts";
import { CatalogUnreachableError, NoSuchTableError } from "../iceberg/catalog/errors.ts";
import { restCatalog } from "../iceberg/catalog/rest.ts";
import { IcebergError } from "../iceberg/errors.ts";
import { localStorage } from "../iceberg/storage/local.ts";
import { joinDateRange, parseRequest } from "../query/args.ts";
import { QUERY_FLAGS, QUERY_HELP } from "../query/help.ts";
import { type QueryOutput, runQuery } from "../query/main.ts";
import { readEnvironment, resolveCallerPath } from "../runtime/env.ts";
import { catalogOptions, warehouseFolder } from "../runtime/lakehouse.ts";
import { readPipelineConfig } from "../runtime/pipeline_config.ts";
import { parseFlags, runTask } from "./cli.ts";

/** DuckDB throws plain errors that begin with their kind. */
function isDuckDbError(error: unknown): boolean {
  return error instanceof Error && /^[A-Z][A-Za-z ]+ Error: /.test(error.message);
}

const encoder = new TextEncoder();

async function writeAll(file: { write(p: Uint8Array): Promise<number> }, text: string) {
  let rest = encoder.encode(text);
  while (rest.length > 0) rest = rest.subarray(await file.write(rest));
}

/** Where the answer goes, and how to finish it. */
async function openOutput(
  path: string | undefined,
): Promise<{ output: QueryOutput; close(): void }> {
  const note = (text: string): void => console.error(text);
  if (path !== undefined) {
    const file = await Deno.open(resolveCallerPath(path), {
      write: true,
      create: true,
      truncate: true,
    });
    const output = { print: (text: string) => writeAll(file, text), note };
    return { output, close: () => file.close() };
  }
  const width = Deno.stdout.isTerminal() ? { width: Deno.consoleSize().columns } : {};
  const output = { print: (text: string) => writeAll(Deno.stdout, text), note, ...width };
  return { output, close: () => {} };
}

await runTask(QUERY_HELP, async (words) => {
  const flags = parseFlags(joinDateRange(words), QUERY_FLAGS);
  if (words.length === 0) {
    console.error(QUERY_HELP);
    return EXIT.misuse;
  }
  const sql = flags["file"] === undefined
    ? {}
    : { sql: await Deno.readTextFile(resolveCallerPath(String(flags["file"]))) };
  const request = parseRequest({ ...flags, ...sql }, {
    nowUs: Date.now() * 1000,
    stdoutIsTerminal: Deno.stdout.isTerminal(),
  });
  const environment = readEnvironment();
  const config = await readPipelineConfig(environment);
  const options = catalogOptions(environment, config);
  const { output, close } = await openOutput(request.output);
  try {
    await runQuery(request, {
      lakehouse: {
        catalog: restCatalog(options),
        storage: localStorage({ roots: [warehouseFolder(environment, config)] }),
      },
      output,
      ...(environment.maskSalt === undefined ? {} : { maskSalt: environment.maskSalt }),
    });
  } catch (error) {
    // The reader has gone (`| head`): nobody is left to tell.
    if (error instanceof Deno.errors.BrokenPipe) return EXIT.ok;
    if (error instanceof CatalogUnreachableError) {
      throw new ServiceUnreachableError(
        "catalog",
        `Cannot reach the catalog at ${options.uri}: is the pipeline up? (deno task up)`,
        { cause: error },
      );
    }
    if (error instanceof NoSuchTableError) {
      console.error(`${error.message}: the sink creates it when it starts`);
      return EXIT.no;
    }
    // DuckDB's and the planner's own words are meant for people; a stack is not.
    if (error instanceof IcebergError || isDuckDbError(error)) {
      console.error((error as Error).message);
      return EXIT.no;
    }
    throw error;
  } finally {
    close();
  }
  return EXIT.ok;
});
