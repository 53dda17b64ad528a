/** Session figures: the contract of `pipeline-sessions` (design sections 3, 6). */
import { z } from "zod";
import { STAGE_NAMES } from "./services.ts";

const Percentiles = z.object({
  p50: z.number().nullable(),
  p95: z.number().nullable(),
  p99: z.number().nullable(),
});

/** Cumulative figures of one run of one stage; a later record of the same session replaces an earlier. */
export const SessionFigures = z.object({
  session_id: z.string().meta({ description: "UUID of one run of one stage" }),
  stage: z.enum(STAGE_NAMES),
  start_timestamp: z.string().meta({ format: "date-time" }),
  end_timestamp: z.string().meta({
    description: "When these figures were taken",
    format: "date-time",
  }),
  final: z.boolean().meta({ description: "True on the record of a clean end" }),
  generated: z.int(),
  published: z.int(),
  processed: z.int(),
  stored: z.int(),
  alerts_generated: z.int(),
  dead_lettered: z.int(),
  rate_per_second: z.number().meta({ description: "Mean over the session" }),
  latency_ms: Percentiles.meta({ description: "Of the stage's own leg, in ms" }),
  schema_version: z.string(),
}).meta({ title: "SessionFigures", description: "Value of pipeline-sessions" });

/** Cumulative figures of one run of one stage. */
export type SessionFigures = z.infer<typeof SessionFigures>;
