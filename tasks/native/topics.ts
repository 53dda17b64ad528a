/** The topics in force: the table of contracts/ with the names and partitions of pipeline.yaml. */
import type { PipelineConfig } from "../../contracts/pipeline_config.ts";
import { topicSpecs } from "../../contracts/topics.ts";

/** Topics to create, with their settings. */
export function topicsOf(pipeline: PipelineConfig): ReturnType<typeof topicSpecs> {
  return topicSpecs(pipeline.kafka.topics, pipeline.kafka.partitions);
}
