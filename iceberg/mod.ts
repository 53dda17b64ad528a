/**
 * Apache Iceberg tables (format v2) for Deno: read, write and care for them. See README.md.
 *
 * @module
 */

// The format: pure, no I/O.
export * from "./types.ts";
export * from "./errors.ts";
