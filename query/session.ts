/** Queries of one process: the catalog they ask, their output, their clean end. */
import { EXIT, MisuseError } from "../contracts/errors.ts";
import { restCatalog } from "../iceberg/catalog/rest.ts";
import { localStorage } from "../iceberg/storage/local.ts";
import { type Environment, resolveCallerPath } from "../runtime/env.ts";
import { catalogOptions, warehouseFolder } from "../runtime/lakehouse.ts";
import type { PipelineConfig } from "../contracts/pipeline_config.ts";
import { EnginePool } from "./engine_pool.ts";
import { explainFailure, QueryFailedError } from "./failures.ts";
import { runQuery } from "./main.ts";
import {
  type Destination,
  fileDestination,
  lazyDestination,
  stdoutDestination,
} from "./output/destination.ts";
import { type DestinationOutput, destinationOutput } from "./output/output.ts";
import { pagerCommand, pagerDestination } from "./output/pager.ts";
import { type Lakehouse, LakehouseMemory } from "./plan.ts";
import type { QueryRequest } from "./question.ts";

/** Settings of a session. */
export interface SessionOptions {
  environment: Environment;
  config: PipelineConfig;
  /** Colours whatever the terminal is; undefined leaves it to the terminal and NO_COLOR. */
  color: boolean | undefined;
  /** @default {true} */
  pager: boolean;
}

/** Runs queries one after the other; what one has read of the tables, and its DuckDB, serve the next. */
export class QuerySession {
  readonly lakehouse: Lakehouse;
  readonly #engines: EnginePool;
  readonly #spillFolder = `${scratchStart()}.spill`;
  readonly #options: SessionOptions;
  readonly #catalogUri: string;

  constructor(options: SessionOptions) {
    const { environment, config } = options;
    const address = catalogOptions(environment, config);
    this.#options = options;
    this.#catalogUri = address.uri;
    this.lakehouse = {
      catalog: restCatalog(address),
      storage: localStorage({ roots: [warehouseFolder(environment, config)] }),
      memory: new LakehouseMemory(),
    };
    this.#engines = new EnginePool({ spillFolder: this.#spillFolder, release: later });
  }

  /** Ends the session. */
  async close(): Promise<void> {
    later(() => this.#engines.close());
    await removeIfThere(this.#spillFolder);
  }

  /**
   * Answers one request and gives the exit code: a failed query is told on standard error, an interrupted one
   * is not, nor is a reader who left (`| head`).
   *
   * @throws {MisuseError} @throws {ServiceUnreachableError}
   */
  async run(request: QueryRequest, signal: AbortSignal): Promise<number> {
    const { maskSalt } = this.#options.environment;
    const scratch = scratchStart();
    const output = await this.#output(request);
    try {
      await runQuery(request, {
        lakehouse: this.lakehouse,
        output,
        signal,
        scratch,
        engines: this.#engines,
        ...(maskSalt === undefined ? {} : { maskSalt }),
      });
      await output.finish();
      return signal.aborted ? EXIT.interrupted : EXIT.ok;
    } catch (error) {
      await output.abandon();
      if (signal.aborted) return EXIT.interrupted;
      if (error instanceof Deno.errors.BrokenPipe) return EXIT.ok;
      const failure = explainFailure(error, this.#catalogUri);
      if (!(failure instanceof QueryFailedError)) throw failure;
      console.error(failure.message);
      return EXIT.no;
    } finally {
      await removeIfThere(`${scratch}.parquet`);
    }
  }

  async #output(request: QueryRequest): Promise<DestinationOutput> {
    const note = (text: string): void => console.error(text);
    const { color, pager } = this.#options;
    if (request.output !== undefined) {
      const destination = await openFile(request.output);
      return destinationOutput({ destination, note, holdNotes: false, color: color ?? false });
    }
    const terminal = Deno.stdout.isTerminal();
    const command = terminal && pager ? pagerCommand(Deno.env.get("PAGER")) : undefined;
    return destinationOutput({
      destination: lazyDestination(() =>
        (command && pagerDestination(command)) ?? stdoutDestination()
      ),
      note,
      holdNotes: command !== undefined,
      color: color ?? (terminal && !Deno.env.get("NO_COLOR")),
      ...(terminal ? { width: Deno.consoleSize().columns } : {}),
    });
  }
}

/** Opened before the query runs: who cannot write there should not have to wait for the answer first. */
async function openFile(path: string): Promise<Destination> {
  try {
    return await fileDestination(resolveCallerPath(path));
  } catch (error) {
    throw new MisuseError(`Cannot write "--output ${path}": ${(error as Error).message}`);
  }
}

/** Closing a DuckDB takes some milliseconds: nobody need wait, and a process that ends needs none of it. */
function later(close: () => void): void {
  setTimeout(close);
}

/** Start of the paths of scratch files. */
function scratchStart(): string {
  return `${Deno.env.get("TMPDIR") ?? "/tmp"}/pipeline_query_${crypto.randomUUID()}`;
}

async function removeIfThere(path: string): Promise<void> {
  await Deno.remove(path, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}
