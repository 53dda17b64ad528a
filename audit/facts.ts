/** The scratch tables: which facts of records and rows are compared. Pure. */
import type { ScratchColumns } from "./scratch.ts";

/**
 * What each raw record had to lead to. `kind`, `sure`: partition_judge.ts; `flagged`: 0, 1, or 2 where that
 * is not sure; `id`, `version`, `bits`: fingerprint.ts; `bytes`: length of the value.
 */
export const RAW: ScratchColumns = {
  p: "int",
  o: "double",
  kind: "int",
  sure: "int",
  flagged: "int",
  version: "double",
  id: "double",
  bits: "double",
  bytes: "double",
};

/** Alerts that had to be raised (`fired` 1), and those of which that is not sure (`sure` 0). */
export const EXPECTED: ScratchColumns = {
  p: "int",
  o: "double",
  rule: "text",
  severity: "text",
  version: "double",
  fired: "int",
  sure: "int",
};

/**
 * Records of `transactions` (topic 0) and `dead-letter` (topic 1), at their offset `pos`, of the raw record `o`
 * that their trace names (null where it names none). `row_bits`: what the row of it must have.
 */
export const OUTPUT: ScratchColumns = {
  topic: "int",
  p: "int",
  pos: "double",
  o: "double",
  kind: "int",
  flagged: "int",
  version: "double",
  id: "double",
  bits: "double",
  bytes: "double",
  row_bits: "double",
};

/** Records of `alerts`; `id_fits`: alert_id is the UUIDv5 of rule and transaction. */
export const ALERT: ScratchColumns = {
  p: "int",
  pos: "double",
  o: "double",
  rule: "text",
  severity: "text",
  version: "double",
  id: "double",
  id_fits: "int",
  bits: "double",
  row_bits: "double",
};

/** One row per partition: where the view was cut (raw offsets), and how far the tables have read. */
export const CUT: ScratchColumns = {
  p: "int",
  /** First raw offset that is looked at. */
  start: "double",
  /** Next raw offset to be judged, when the view was fixed. */
  position: "double",
  /** The same after the outputs were read: no record of theirs may come from beyond it. */
  position_after: "double",
  /** First traces that are still in the topics; 0 where nothing of them has expired. */
  transactions_first: "double",
  dead_letters_first: "double",
  alerts_first: "double",
  /** Next offset of the topic that the table has not consumed. */
  transactions_next: "double",
  dead_letters_next: "double",
  alerts_next: "double",
};

/** Raw offsets that an operator gave up, from (inclusive) to (exclusive). */
export const GAP: ScratchColumns = { p: "int", from_o: "double", to_o: "double" };

/** Rows of the three tables; null lineage in rows of others. `file`: place in the list of files. */
export const ROW: ScratchColumns = {
  tbl: "int",
  p: "int",
  o: "double",
  /** Code of error_type in dead_letters; 0 elsewhere. */
  kind: "int",
  /** 1 where the row's source is a record of `alerts` itself (an unstorable alert); 0 else. */
  of_alert: "int",
  flagged: "int",
  rule: "text",
  severity: "text",
  version: "double",
  id: "double",
  row_bits: "double",
  file: "int",
};

/** Files of the tables' current snapshots: which snapshot added them. */
export const FILE: ScratchColumns = { tbl: "int", file: "int", snapshot: "text" };

/** Offsets that a snapshot of ours says it consumed, of a partition of the table's topic. */
export const RANGE: ScratchColumns = {
  tbl: "int",
  snapshot: "text",
  p: "int",
  from_at: "double",
  next_at: "double",
};

/** Both joined: what the records of a file's rows must lie in; nothing can where the snapshot moved no offset of `p`. */
export const FILE_RANGE: ScratchColumns = {
  tbl: "int",
  file: "int",
  snapshot: "text",
  p: "int",
  from_at: "double",
  next_at: "double",
};

/** Rows that snapshots of others removed, added or changed. */
export const CHANGE: ScratchColumns = { tbl: "int", p: "int", o: "double", snapshot: "text" };

/**
 * What is wrong: `check_id` is the check's place in checks.ts, `source` the topic's role or the table's name, `o`
 * the raw offset, `pos` the offset in the output topic, `snapshot` the foreign one that explains it.
 */
export const FINDING: ScratchColumns = {
  check_id: "int",
  source: "text",
  p: "int",
  o: "double",
  pos: "double",
  rule: "text",
  detail: "text",
  snapshot: "text",
};

/** Unstorable alerts in dead_letters: their source is the record of `alerts` at `pos`. */
export const UNSTORABLE_ALERT: ScratchColumns = { p: "int", pos: "double" };

/** Filled once, and small enough to be asked as they are. */
export const SMALL_TABLES = {
  cut: CUT,
  gap: GAP,
  table_file: FILE,
  consumed: RANGE,
  file_range: FILE_RANGE,
  foreign_change: CHANGE,
  unstorable_alert: UNSTORABLE_ALERT,
  finding: FINDING,
} as const;

/**
 * As large as the topics. They are filled under the name `all_…`; checks see a slice of them under the plain
 * name: one partition's records and rows of a range of raw offsets (slices.ts).
 */
export const LARGE_TABLES = {
  raw: RAW,
  expected: EXPECTED,
  output: OUTPUT,
  alert: ALERT,
  table_row: ROW,
} as const;

/** The audited tables; their place is `tbl` in the scratch tables. */
export const AUDITED_TABLES = ["transactions", "dead_letters", "alerts"] as const;

/** One of {@linkcode AUDITED_TABLES}. */
export type AuditedTable = typeof AUDITED_TABLES[number];
