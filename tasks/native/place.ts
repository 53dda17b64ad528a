/** Where this pipeline lives and which of its services are ours to run. */
import type { PipelineConfig } from "../../contracts/pipeline_config.ts";
import { type Environment, readEnvironment } from "../../runtime/env.ts";
import { readPipelineConfig } from "../../runtime/pipeline_config.ts";
import { type Layout, layoutOf } from "./layout.ts";

/** Everything that tells one pipeline from another on the same machine. */
export interface Place {
  environment: Environment;
  layout: Layout;
  pipeline: PipelineConfig;
}

/**
 * The place named by the environment.
 *
 * @throws {MisuseError} when a variable makes no sense.
 * @throws {ConfigError} when pipeline.yaml does not fit its schema.
 */
export async function currentPlace(): Promise<Place> {
  const environment = readEnvironment();
  const pipeline = await readPipelineConfig(environment);
  return { environment, layout: layoutOf(environment.dataDir), pipeline };
}
