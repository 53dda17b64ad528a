/** Choosing the snapshot to read: by id, by branch or tag, or by time. */

import { IcebergError } from "../errors.ts";
import {
  ancestorsOf,
  currentSchema,
  currentSnapshot,
  MAIN_BRANCH,
  schemaById,
  snapshotById,
} from "../metadata.ts";
import type { Schema, Snapshot, TableMetadata } from "../types.ts";

/** Which snapshot. */
export type SnapshotChoice =
  | { readonly id: bigint }
  | { readonly ref: string }
  /** The newest kept state of main that is not after this, milliseconds since the epoch. */
  | { readonly timestampMs: number };

/** A snapshot (undefined: the table is empty) and the schema to read it with. */
export interface ChosenSnapshot {
  readonly snapshot: Snapshot | undefined;
  readonly schema: Schema;
}

/**
 * Finds the snapshot. A branch is read with the table's current schema, anything in the past with the
 * schema of its time, as Java does.
 *
 * @throws {IcebergError} if there is none
 */
export function chooseSnapshot(metadata: TableMetadata, choice?: SnapshotChoice): ChosenSnapshot {
  if (choice === undefined) {
    return { snapshot: currentSnapshot(metadata), schema: currentSchema(metadata) };
  }
  if ("id" in choice) {
    const snapshot = snapshotById(metadata, choice.id);
    if (snapshot === undefined) throw missing(`snapshot ${choice.id}`);
    return { snapshot, schema: schemaOf(metadata, snapshot) };
  }
  if ("ref" in choice) return chooseRef(metadata, choice.ref);
  const snapshot = snapshotAsOf(metadata, choice.timestampMs);
  if (snapshot === undefined) {
    throw missing(`a snapshot at or before ${new Date(choice.timestampMs).toISOString()}`);
  }
  return { snapshot, schema: schemaOf(metadata, snapshot) };
}

function chooseRef(metadata: TableMetadata, name: string): ChosenSnapshot {
  const ref = metadata.refs[name];
  if (ref === undefined) {
    if (name === MAIN_BRANCH) return { snapshot: undefined, schema: currentSchema(metadata) };
    throw missing(`branch or tag "${name}"`);
  }
  const snapshot = snapshotById(metadata, ref["snapshot-id"]);
  if (snapshot === undefined) throw missing(`snapshot ${ref["snapshot-id"]} of "${name}"`);
  const schema = ref.type === "branch" ? currentSchema(metadata) : schemaOf(metadata, snapshot);
  return { snapshot, schema };
}

/**
 * What main was at a time. The snapshot log tells, rollbacks included, as far back as it goes; before that, the
 * newest kept snapshot (a tag's) not after the time, leaving out what only other branches hold.
 */
export function snapshotAsOf(
  metadata: TableMetadata,
  timestampMs: number,
): Snapshot | undefined {
  const logged = metadata["snapshot-log"].findLast((entry) => entry["timestamp-ms"] <= timestampMs);
  if (logged !== undefined) {
    const snapshot = snapshotById(metadata, logged["snapshot-id"]);
    if (snapshot !== undefined) return snapshot;
  }
  const foreign = onlyOnOtherBranches(metadata);
  let newest: Snapshot | undefined;
  for (const snapshot of metadata.snapshots) {
    if (snapshot["timestamp-ms"] > timestampMs || foreign.has(snapshot["snapshot-id"])) continue;
    if (newest === undefined || snapshot["timestamp-ms"] >= newest["timestamp-ms"]) {
      newest = snapshot;
    }
  }
  return newest;
}

function onlyOnOtherBranches(metadata: TableMetadata): Set<bigint> {
  const main = new Set<bigint>();
  const others = new Set<bigint>();
  for (const [name, ref] of Object.entries(metadata.refs)) {
    if (ref.type === "tag") {
      main.add(ref["snapshot-id"]);
      continue;
    }
    const into = name === MAIN_BRANCH ? main : others;
    for (const ancestor of ancestorsOf(metadata, ref["snapshot-id"])) {
      into.add(ancestor["snapshot-id"]);
    }
  }
  return others.difference(main);
}

/**
 * The value of a summary key in the newest ancestor of a branch that has it: what this pipeline wrote last, even
 * if other writers committed since.
 */
export function newestSummaryValue(
  metadata: TableMetadata,
  key: string,
  branch = MAIN_BRANCH,
): { readonly value: string; readonly snapshot: Snapshot } | undefined {
  const ref = metadata.refs[branch];
  if (ref === undefined) return undefined;
  for (const snapshot of ancestorsOf(metadata, ref["snapshot-id"])) {
    const value = snapshot.summary[key];
    if (value !== undefined) return { value, snapshot };
  }
  return undefined;
}

function schemaOf(metadata: TableMetadata, snapshot: Snapshot): Schema {
  const id = snapshot["schema-id"];
  return id === undefined ? currentSchema(metadata) : schemaById(metadata, id);
}

function missing(what: string): IcebergError {
  return new IcebergError(`Cannot read table: there is no ${what}`);
}
