/** JSON Schema (2020-12) of every record and document, generated from the zod schemas. */
import { z } from "zod";
import { Alert } from "./alert.ts";
import { DeadLetter } from "./dead_letter.ts";
import { GeneratorConfig } from "./generator_config.ts";
import { PipelineConfig } from "./pipeline_config.ts";
import { SessionFigures } from "./session.ts";
import { PipelineStatus, StageStatus } from "./status.ts";
import { ProcessedTransaction, Transaction } from "./transaction.ts";

const SOURCES: Readonly<Record<string, { schema: z.ZodType; io: "input" | "output" }>> = {
  "transaction": { schema: Transaction, io: "output" },
  "processed-transaction": { schema: ProcessedTransaction, io: "output" },
  "alert": { schema: Alert, io: "output" },
  "dead-letter": { schema: DeadLetter, io: "output" },
  "session-figures": { schema: SessionFigures, io: "output" },
  "stage-status": { schema: StageStatus, io: "output" },
  "pipeline-status": { schema: PipelineStatus, io: "output" },
  // What a user may write in the file, so defaults are not required.
  "generator-config": { schema: GeneratorConfig, io: "input" },
  "pipeline-config": { schema: PipelineConfig, io: "input" },
};

/** File name in docs/schemas/ (without `.json`) to JSON Schema. */
export function jsonSchemas(): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(SOURCES).map(([name, { schema, io }]) => [name, z.toJSONSchema(schema, { io })]),
  );
}
