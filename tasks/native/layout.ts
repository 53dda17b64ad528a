/**
 * Where a native pipeline keeps its things: one git-ignored folder (`PIPELINE_DATA_DIR`) and six ports
 * (`PIPELINE_PORT_OFFSET`), so that two pipelines, or a pipeline and a test run, live side by side.
 */
import type { ServiceName } from "../../contracts/services.ts";
import { join } from "../../runtime/path.ts";

/** Paths under the data folder. */
export interface Layout {
  /** The data folder itself, absolute. */
  root: string;
  /** Identity and age of the folder, see {@linkcode DataFolder}. */
  marker: string;
  /** The broker's log. */
  kafka: string;
  /** Folder of the catalog's SQLite file. */
  catalog: string;
  /** SQLite file of the catalog. */
  database: string;
  /** Iceberg's files. */
  warehouse: string;
  /** The sink's scratch. */
  spool: string;
  /** One log per service, rotated. */
  logs: string;
  /** Pids, the supervisor's state, requests to it: worth nothing after a stop. */
  run: string;
  /** The supervisor's state, see `state.ts`. */
  state: string;
  /** Requests to the supervisor, one file each. */
  requests: string;
  /** Temp folder of the Java programs. */
  temp: string;
  /** The broker's settings, written by each start. */
  kafkaProperties: string;
}

/** The layout of a data folder. `root` must be absolute. */
export function layoutOf(root: string): Layout {
  const run = join(root, "run");
  return {
    root,
    marker: join(root, "pipeline.json"),
    kafka: join(root, "kafka"),
    catalog: join(root, "catalog"),
    database: join(root, "catalog", "catalog.db"),
    warehouse: join(root, "warehouse"),
    spool: join(root, "spool"),
    logs: join(root, "logs"),
    run,
    state: join(run, "state.json"),
    requests: join(run, "requests"),
    temp: join(run, "tmp"),
    kafkaProperties: join(run, "server.properties"),
  };
}

/** Who keeps a log and a pid file. */
export type ProgramName = ServiceName | "supervisor";

/** The log of a program. */
export function logPath(layout: Layout, name: ProgramName): string {
  return join(layout.logs, `${name}.log`);
}

/** The file in which a program records its own pid. */
export function pidPath(layout: Layout, name: ProgramName): string {
  return join(layout.run, `${name}.pid`);
}

/** What `pipeline.json` says: written by the first `up`, read by every later one. */
export interface DataFolder {
  /** Version of the layouts under the folder. */
  schema_version: string;
  /** Where the folder was at first: tables hold absolute paths, so it cannot move. */
  data_dir: string;
  created_at: string;
  /** How it was started last, so that `down` and `logs` know whom to ask. */
  mode: "native" | "docker";
}

/** The marker of a data folder; undefined where there is none. */
export async function readMarker(layout: Layout): Promise<DataFolder | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(layout.marker)) as DataFolder;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
