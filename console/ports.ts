/** What the console needs of the world; `tasks/console.ts` wires it. */
import type { Broker } from "../broker/port.ts";
import type { TopicNames } from "../contracts/topics.ts";
import type { Catalog } from "../iceberg/catalog/port.ts";
import type { PipelineParts } from "../runtime/pipeline_status.ts";
import type { Settings } from "./store/state.ts";

/** New lines of one program's log. */
export interface LogBatch {
  program: string;
  lines: readonly string[];
}

/** How a verb ended. */
export interface VerbResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** The world. */
export interface ConsolePorts {
  settings: Settings;
  now: () => number;
  /** The parts of the status as they are now. */
  collect: () => Promise<PipelineParts>;
  /** Connects on first use. */
  openBroker: () => Broker;
  openCatalog: () => Catalog;
  topics: TopicNames;
  groups: { processor: string; sink: string };
  /** Lines since the last call; absent where the logs are not here. */
  readLogs?: () => Promise<LogBatch[]>;
  /** Settings files that may be edited; absent where they are not here. */
  files?: { rules: string; generator: string };
  /** Runs `deno task <words>`; its lines are handed over as they come. */
  runVerb: (words: readonly string[], onLine?: (line: string) => void) => Promise<VerbResult>;
  /** Where exports go. */
  exportFolder: string;
}
