/** `config/generator.yaml` (design section 8). */
import { z } from "zod";

/** Settings of the generator; every change takes effect without a restart. */
export const GeneratorConfig = z.strictObject({
  rate_per_second: z.union([z.number().gt(0).max(1_000_000), z.literal("max")]).default(10)
    .meta({ description: "Transactions per second, or max: as fast as Kafka takes them" }),
  paused: z.boolean().default(false).meta({ description: "True: generate nothing" }),
  anomaly_share: z.number().min(0).max(0.5).default(0.03)
    .meta({ description: "Share of transactions that belong to an injected anomaly" }),
  malformed_share: z.number().min(0).max(0.5).default(0.0005)
    .meta({ description: "Share of records that are damaged on purpose" }),
  seed: z.int().min(0).max(Number.MAX_SAFE_INTEGER).default(42)
    .meta({ description: "The same seed gives the same stream" }),
  accounts: z.int().min(1).max(1_000_000).default(1000)
    .meta({ description: "Size of the pool of accounts" }),
  merchants: z.int().min(7).max(100_000).default(500)
    .meta({ description: "Size of the pool of merchants" }),
}).meta({ title: "GeneratorConfig", description: "config/generator.yaml" });

/** Settings of the generator. */
export type GeneratorConfig = z.infer<typeof GeneratorConfig>;
