/** A small table that several suites change: three columns, partitioned by day. */
import type { Table } from "../../iceberg/commit/table.ts";
import type { DataFile, NestedField, Schema, Type } from "../../iceberg/types.ts";
import type { InteropWorld } from "./world.ts";
import { writeFile } from "./writer.ts";

/** A schema of optional top-level columns. */
export function schemaOf(columns: Readonly<Record<string, Type>>): Schema {
  const fields = Object.entries(columns).map(([name, type], index): NestedField => ({
    id: index + 1,
    name,
    required: false,
    type,
  }));
  return { type: "struct", "schema-id": 0, fields };
}

/** Columns of the events table. */
export const EVENTS = schemaOf({ id: "long", at: "timestamptz", name: "string" });
/** Partitioned by the day of `at`. */
export const BY_DAY = {
  "spec-id": 0,
  fields: [{ "source-id": 2, "field-id": 1000, name: "at_day", transform: "day" }],
};

/** `count` events from id `first`, all on a day of November 2026. */
export async function events(
  world: InteropWorld,
  table: Table,
  options: { first: number; count: number; day: number },
): Promise<DataFile> {
  const { first, count, day } = options;
  const date = `2026-11-${String(day).padStart(2, "0")}`;
  return await writeFile(world.db, table.metadata, {
    query: `SELECT (${first} + i)::BIGINT AS id,
      TIMESTAMPTZ '${date} 00:00:00+00' + to_seconds(i) AS at, 'ours ' || (${first} + i) AS name
      FROM range(${count}) t(i)`,
    partitionValue: () => BigInt(Date.parse(`${date}T00:00:00Z`)) * 1000n,
  });
}

/** A location as a path for other programs. */
export function localPath(location: string): string {
  return location.replace(/^file:\/*/, "/");
}
