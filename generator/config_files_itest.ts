/** The shipped settings say what the defaults are: the files and the schemas cannot drift apart. */
import { assertEquals } from "@std/assert";
import { GeneratorConfig } from "../contracts/generator_config.ts";
import { PipelineConfig } from "../contracts/pipeline_config.ts";
import { projectRoot, readConfigFile } from "../runtime/mod.ts";

Deno.test("config/generator.yaml spells out the defaults", async () => {
  const { value } = await readConfigFile(`${projectRoot}/config/generator.yaml`, GeneratorConfig);
  assertEquals(value, GeneratorConfig.parse({}));
});

Deno.test("config/pipeline.yaml spells out the defaults", async () => {
  const { value } = await readConfigFile(`${projectRoot}/config/pipeline.yaml`, PipelineConfig);
  assertEquals(value, PipelineConfig.parse({}));
});
