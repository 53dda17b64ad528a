/** A statement that is ready to run, and the tables that it reads. */
import type { TypedColumn } from "./lines_sql.ts";
import type { PlannedTable } from "./plan.ts";

/** A statement over planned tables. */
export interface Prepared {
  sql: string;
  tables: PlannedTable[];
  /** Statements of ours that run before the lock: views for user SQL. */
  setup: string[];
  /** What --stats says beside the plan: conditions that could not skip anything. */
  scans: string[];
  /** Columns of the answer, where they are known before DuckDB is asked. */
  columns?: TypedColumn[];
}
