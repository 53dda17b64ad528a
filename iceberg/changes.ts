/** Changes of a table as data, exactly as the REST catalog's OpenAPI spells them (CommitTableRequest). */
import type {
  PartitionSpec,
  PartitionStatisticsFile,
  Schema,
  Snapshot,
  SnapshotRef,
  SortOrder,
  StatisticsFile,
} from "./types.ts";

/**
 * One change of table metadata (OpenAPI `TableUpdate`). An id of -1 in a `set-…` update means "the
 * one added last in this request"; `last-column-id` of add-schema is deprecated there and ignored.
 */
export type TableUpdate =
  | { action: "assign-uuid"; uuid: string }
  | { action: "upgrade-format-version"; "format-version": number }
  | { action: "add-schema"; schema: Schema; "last-column-id"?: number }
  | { action: "set-current-schema"; "schema-id": number }
  | { action: "add-spec"; spec: PartitionSpec }
  | { action: "set-default-spec"; "spec-id": number }
  | { action: "add-sort-order"; "sort-order": SortOrder }
  | { action: "set-default-sort-order"; "sort-order-id": number }
  | { action: "add-snapshot"; snapshot: Snapshot }
  | ({ action: "set-snapshot-ref"; "ref-name": string } & SnapshotRef)
  | { action: "remove-snapshots"; "snapshot-ids": bigint[] }
  | { action: "remove-snapshot-ref"; "ref-name": string }
  | { action: "set-location"; location: string }
  | { action: "set-properties"; updates: Record<string, string> }
  | { action: "remove-properties"; removals: string[] }
  | { action: "set-statistics"; "snapshot-id"?: bigint; statistics: StatisticsFile }
  | { action: "remove-statistics"; "snapshot-id": bigint }
  | { action: "set-partition-statistics"; "partition-statistics": PartitionStatisticsFile }
  | { action: "remove-partition-statistics"; "snapshot-id": bigint }
  | { action: "remove-partition-specs"; "spec-ids": number[] }
  | { action: "remove-schemas"; "schema-ids": number[] };

/** One condition on the current metadata (OpenAPI `TableRequirement`). */
export type TableRequirement =
  | { type: "assert-create" }
  | { type: "assert-table-uuid"; uuid: string }
  /** `snapshot-id` null: the ref must not exist. */
  | { type: "assert-ref-snapshot-id"; ref: string; "snapshot-id": bigint | null }
  | { type: "assert-last-assigned-field-id"; "last-assigned-field-id": number }
  | { type: "assert-current-schema-id"; "current-schema-id": number }
  | { type: "assert-last-assigned-partition-id"; "last-assigned-partition-id": number }
  | { type: "assert-default-spec-id"; "default-spec-id": number }
  | { type: "assert-default-sort-order-id"; "default-sort-order-id": number };
