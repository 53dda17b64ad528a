/**
 * Apache Iceberg tables (format v2) for Deno: read, write and care for them. See README.md.
 *
 * @module
 */

// The format: pure, no I/O.
export * from "./types.ts";
export * from "./errors.ts";
export * from "./json.ts";
export * from "./schema.ts";
export * from "./schema_evolution.ts";
export * from "./name_mapping.ts";
export * from "./single_value.ts";
export * from "./compare.ts";
export * from "./bounds.ts";
export * from "./transforms.ts";
export * from "./partition.ts";
export * from "./stats.ts";
export * from "./manifest.ts";
export * from "./manifest_reader.ts";
export * from "./manifest_list.ts";
export * from "./metadata.ts";
export * from "./new_table.ts";
export * from "./updates.ts";
export * from "./requirements.ts";

// Where files are kept.
export * from "./storage/port.ts";
export * from "./storage/location.ts";
export * from "./storage/local.ts";
export * from "./storage/memory.ts";
export * from "./storage/s3.ts";

// Who knows a table's current metadata.
export * from "./catalog/errors.ts";
export * from "./catalog/port.ts";
export * from "./catalog/rest.ts";
export * from "./catalog/memory.ts";

// Changing tables.
export * from "./commit/table.ts";
export * from "./commit/environment.ts";
export * from "./commit/retry.ts";
export * from "./commit/loop.ts";
export * from "./commit/snapshot.ts";
export { type AppendOptions, commitAppend } from "./commit/append.ts";
export * from "./commit/overwrite.ts";
export * from "./commit/rewrite.ts";
export * from "./commit/rewrite_manifests.ts";
export * from "./commit/metadata_changes.ts";
export * from "./commit/refs.ts";
export * from "./commit/expiry_plan.ts";
export * from "./commit/expire.ts";
export * from "./commit/orphans.ts";

// Reading tables.
export * from "./scan/cache.ts";
export * from "./scan/filter.ts";
export * from "./scan/snapshot.ts";
export * from "./scan/plan.ts";
