/** The dead letter: the contract of `dead-letter` (design section 3). */
import { z } from "zod";
import { UUID_PATTERN } from "./transaction.ts";

/** Why a record could not be processed. */
export const DEAD_LETTER_TYPES = [
  "not_utf8",
  "not_json",
  "not_an_object",
  "too_large",
  "schema",
  "duplicate",
  "unstorable",
] as const;

/** One of {@linkcode DEAD_LETTER_TYPES}. */
export type DeadLetterType = typeof DEAD_LETTER_TYPES[number];

/** One thing that is wrong with a record. `field` is `$` for the whole record. */
export const FieldError = z.object({
  field: z.string().meta({ description: "Name of the field; $ for the whole record" }),
  expected: z.string().meta({ description: "What the contract asks for" }),
  actual: z.string().meta({ description: "What was there, as JSON text, shortened" }),
});

/** One thing that is wrong with a record. */
export type FieldError = z.infer<typeof FieldError>;

/** Value of `dead-letter`. */
export const DeadLetter = z.object({
  dead_letter_id: z.string().regex(UUID_PATTERN).meta({ description: "UUIDv5 of the trace" }),
  failed_at: z.string()
    .meta({ description: "When the processor refused it", format: "date-time" }),
  error_type: z.enum(DEAD_LETTER_TYPES).meta({ description: "Kind of failure" }),
  errors: z.array(FieldError).min(1).meta({ description: "All errors, not the first" }),
  source: z.object({
    topic: z.string(),
    partition: z.int(),
    offset: z.string().meta({ description: "64-bit, so a string" }),
    timestamp: z.string().meta({ description: "Kafka timestamp", format: "date-time" }),
  }).meta({ description: "The raw record; printed as topic/partition/offset it is the trace" }),
  original: z.string().meta({ description: "First 10 KB of the raw value" }),
  original_encoding: z.enum(["utf8", "base64"])
    .meta({ description: "base64 where the bytes are not UTF-8" }),
  truncated: z.boolean().meta({ description: "The raw value was longer than 10 KB" }),
  original_bytes: z.int().meta({ description: "Full length of the raw value in bytes" }),
  schema_version: z.string(),
}).meta({ title: "DeadLetter", description: "Value of dead-letter" });

/** A dead letter. */
export type DeadLetter = z.infer<typeof DeadLetter>;
