/** Branches and tags (spec "Snapshot References"), and rolling back. */

import { IcebergError } from "../errors.ts";
import { ancestorsOf, MAIN_BRANCH, snapshotById } from "../metadata.ts";
import type { SnapshotRef, TableMetadata, TableUpdate } from "../types.ts";
import type { CommitOptions, CommitOutcome } from "./loop.ts";
import { commitMetadata, type MetadataChange } from "./metadata_changes.ts";
import type { Table } from "./table.ts";

/** A branch or tag to make. */
export interface RefRequest {
  readonly name: string;
  /** @default {the current snapshot} */
  readonly snapshotId?: bigint;
  /** The ref goes when its snapshot is older; never if absent. Milliseconds. */
  readonly maxRefAgeMs?: number;
}

/** How long a branch keeps its snapshots. */
export interface BranchRetention {
  readonly minSnapshotsToKeep?: number;
  /** Milliseconds. */
  readonly maxSnapshotAgeMs?: number;
}

/** The update that sets a tag; give it to an append's `updates` to tag in the same commit. */
export function tagUpdate(request: RefRequest & { readonly snapshotId: bigint }): TableUpdate {
  return setRef(request.name, {
    type: "tag",
    "snapshot-id": request.snapshotId,
    ...(request.maxRefAgeMs === undefined ? {} : { "max-ref-age-ms": request.maxRefAgeMs }),
  });
}

/** Makes a tag, or moves it. @throws {IcebergError} if the snapshot is not there or the name is a branch */
export function setTag(table: Table, options: CommitOptions & RefRequest): Promise<CommitOutcome> {
  return commitRef(table, options, (base) => {
    const ref = base.refs[options.name];
    if (ref?.type === "branch") {
      throw new IcebergError(`Cannot set tag "${options.name}": there is a branch of that name`);
    }
    const snapshotId = targetOf(base, options);
    if (ref?.["snapshot-id"] === snapshotId && ref["max-ref-age-ms"] === options.maxRefAgeMs) {
      return undefined;
    }
    return tagUpdate({ ...options, snapshotId });
  });
}

/** Makes a branch. @throws {IcebergError} if the snapshot is not there or the name is taken by another ref */
export function createBranch(
  table: Table,
  options: CommitOptions & RefRequest & BranchRetention,
): Promise<CommitOutcome> {
  const { name, minSnapshotsToKeep, maxSnapshotAgeMs, maxRefAgeMs } = options;
  return commitRef(table, options, (base) => {
    const snapshotId = targetOf(base, options);
    const ref = base.refs[name];
    if (ref?.type === "branch" && ref["snapshot-id"] === snapshotId) return undefined;
    if (ref !== undefined) {
      throw new IcebergError(`Cannot create branch "${name}": there is a ${ref.type} of that name`);
    }
    return setRef(name, {
      type: "branch",
      "snapshot-id": snapshotId,
      ...(minSnapshotsToKeep === undefined ? {} : { "min-snapshots-to-keep": minSnapshotsToKeep }),
      ...(maxSnapshotAgeMs === undefined ? {} : { "max-snapshot-age-ms": maxSnapshotAgeMs }),
      ...(maxRefAgeMs === undefined ? {} : { "max-ref-age-ms": maxRefAgeMs }),
    });
  });
}

/** Drops a branch or tag; one that is not there is fine. @throws {IcebergError} for main */
export function dropRef(
  table: Table,
  options: CommitOptions & { readonly name: string },
): Promise<CommitOutcome> {
  const { name } = options;
  if (name === MAIN_BRANCH) throw new IcebergError(`Cannot drop branch "${name}"`);
  return commitRef(
    table,
    options,
    (base) =>
      base.refs[name] === undefined
        ? undefined
        : { action: "remove-snapshot-ref", "ref-name": name },
  );
}

/** Moves a branch to the head of another ref, of which its own head must be an ancestor. @throws {IcebergError} */
export function fastForward(
  table: Table,
  options: CommitOptions & { readonly name: string; readonly to: string },
): Promise<CommitOutcome> {
  const { name, to } = options;
  return commitRef(table, options, (base) => {
    const target = base.refs[to];
    if (target === undefined) throw new IcebergError(`Cannot fast-forward to "${to}": no such ref`);
    const ref = base.refs[name];
    if (ref?.type === "tag") throw new IcebergError(`Cannot fast-forward "${name}": it is a tag`);
    const snapshotId = target["snapshot-id"];
    if (ref?.["snapshot-id"] === snapshotId) return undefined;
    if (ref !== undefined && !isAncestor(base, ref["snapshot-id"], snapshotId)) {
      throw new IcebergError(
        `Cannot fast-forward "${name}": snapshot ${
          ref["snapshot-id"]
        } is no ancestor of ${snapshotId}`,
      );
    }
    return setRef(name, { ...ref, type: "branch", "snapshot-id": snapshotId });
  });
}

/**
 * Makes an ancestor the branch's head again. Later snapshots stay until they expire.
 *
 * @throws {IcebergError} if the snapshot is not an ancestor of the head
 */
export function rollback(
  table: Table,
  options: CommitOptions & { readonly snapshotId: bigint; readonly branch?: string },
): Promise<CommitOutcome> {
  const { snapshotId, branch: name = MAIN_BRANCH } = options;
  return commitRef(table, { ...options, name }, (base) => {
    const ref = base.refs[name];
    if (ref === undefined) throw new IcebergError(`Cannot roll back "${name}": no such branch`);
    if (ref["snapshot-id"] === snapshotId) return undefined;
    if (!isAncestor(base, snapshotId, ref["snapshot-id"])) {
      throw new IcebergError(
        `Cannot roll back "${name}": snapshot ${snapshotId} is no ancestor of ${
          ref["snapshot-id"]
        }`,
      );
    }
    return setRef(name, { ...ref, "snapshot-id": snapshotId });
  });
}

/** True if `ancestor` is `descendant` or lies before it in the same line. */
export function isAncestor(
  metadata: TableMetadata,
  ancestor: bigint,
  descendant: bigint,
): boolean {
  for (const snapshot of ancestorsOf(metadata, descendant)) {
    if (snapshot["snapshot-id"] === ancestor) return true;
  }
  return false;
}

function setRef(name: string, ref: SnapshotRef): TableUpdate {
  return { ...ref, action: "set-snapshot-ref", "ref-name": name };
}

function targetOf(base: TableMetadata, { name, snapshotId }: RefRequest): bigint {
  const id = snapshotId ?? base["current-snapshot-id"];
  if (id === null) throw new IcebergError(`Cannot make "${name}": the table has no snapshot`);
  if (snapshotById(base, id) === undefined) {
    throw new IcebergError(`Cannot make "${name}": there is no snapshot ${id}`);
  }
  return id;
}

/** One update of one ref, refused if somebody moved that ref meanwhile. */
function commitRef(
  table: Table,
  options: CommitOptions & { readonly name: string },
  update: (base: TableMetadata) => TableUpdate | undefined,
): Promise<CommitOutcome> {
  return commitMetadata(table, {
    ...options,
    change: (base): MetadataChange | undefined => {
      const made = update(base);
      if (made === undefined) return undefined;
      const snapshotId = base.refs[options.name]?.["snapshot-id"] ?? null;
      return {
        requirements: [
          { type: "assert-ref-snapshot-id", ref: options.name, "snapshot-id": snapshotId },
        ],
        updates: [made],
      };
    },
  });
}
