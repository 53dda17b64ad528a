/** Requirements on the current metadata (REST OpenAPI `TableRequirement`), checked by a pure function. */
import type { TableRequirement } from "./changes.ts";
import type { TableMetadata } from "./types.ts";

/**
 * Why a requirement does not hold for the current metadata (undefined: the table does not exist);
 * undefined if it holds. A requirement that fails is a conflict: reload and try again.
 */
export function checkRequirement(
  requirement: TableRequirement,
  metadata: TableMetadata | undefined,
): string | undefined {
  if (requirement.type === "assert-create") {
    return metadata === undefined ? undefined : "the table already exists";
  }
  if (metadata === undefined) return "the table does not exist";
  switch (requirement.type) {
    case "assert-table-uuid": {
      const { uuid } = requirement;
      const same = metadata["table-uuid"].toLowerCase() === uuid.toLowerCase();
      return same ? undefined : differs("table uuid", uuid, metadata["table-uuid"]);
    }
    case "assert-ref-snapshot-id":
      return checkRef(requirement.ref, requirement["snapshot-id"], metadata);
    case "assert-last-assigned-field-id":
      return compare(
        "last assigned field id",
        requirement["last-assigned-field-id"],
        metadata["last-column-id"],
      );
    case "assert-current-schema-id":
      return compare(
        "current schema",
        requirement["current-schema-id"],
        metadata["current-schema-id"],
      );
    case "assert-last-assigned-partition-id":
      return compare(
        "last assigned partition id",
        requirement["last-assigned-partition-id"],
        metadata["last-partition-id"],
      );
    case "assert-default-spec-id":
      return compare(
        "default partition spec",
        requirement["default-spec-id"],
        metadata["default-spec-id"],
      );
    case "assert-default-sort-order-id":
      return compare(
        "default sort order",
        requirement["default-sort-order-id"],
        metadata["default-sort-order-id"],
      );
  }
}

function checkRef(
  name: string,
  expected: bigint | null,
  metadata: TableMetadata,
): string | undefined {
  const ref = Object.hasOwn(metadata.refs, name) ? metadata.refs[name] : undefined;
  if (ref === undefined) {
    return expected === null ? undefined : `ref "${name}" is missing, expected at ${expected}`;
  }
  if (expected === null) return `${ref.type} "${name}" was created meanwhile`;
  return compare(`${ref.type} "${name}"`, expected, ref["snapshot-id"]);
}

function compare<T extends number | bigint>(
  what: string,
  expected: T,
  actual: T,
): string | undefined {
  return expected === actual ? undefined : differs(what, expected, actual);
}

function differs(what: string, expected: unknown, actual: unknown): string {
  return `${what} has changed: expected ${expected}, is ${actual}`;
}
