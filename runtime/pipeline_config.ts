/** Reads `config/pipeline.yaml`. */
import { PipelineConfig } from "../contracts/pipeline_config.ts";
import { readConfigFile } from "./config_file.ts";
import type { Environment } from "./env.ts";
import { join } from "./path.ts";

/**
 * The settings in force for a process that starts now.
 *
 * @throws {ConfigError} when the file is missing or wrong (exit 2).
 */
export async function readPipelineConfig(
  environment: Pick<Environment, "configDir">,
): Promise<PipelineConfig> {
  const path = join(environment.configDir, "pipeline.yaml");
  return (await readConfigFile(path, PipelineConfig)).value;
}
