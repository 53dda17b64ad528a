/** A statement that is ready to run, and the tables that it reads. */
import type { TypedColumn } from "./lines_sql.ts";
import type { PlannedTable } from "./plan.ts";

/** A statement over planned tables. */
export interface Prepared {
  sql: string;
  tables: PlannedTable[];
  /** Settings of DuckDB that it needs, as statements. */
  settings: string[];
  /** Statements of ours that make the views which user SQL refers to. */
  views: string[];
  /** What --stats says beside the plan: conditions that could not skip anything. */
  scans: string[];
  /** Columns of the answer, where they are known before DuckDB is asked. */
  columns?: TypedColumn[];
}

/** A question that is understood: one statement or, first, a smaller one that probably gives the same answer. */
export interface Preparation {
  shortcut?: Shortcut;
  /** The statement that is right in any case. */
  full(): Promise<Prepared>;
}

/** A statement that gives the whole answer if another one says so. */
export interface Shortcut {
  /** Gives one yes or no, from the same tables as `prepared`. */
  check: string;
  /** Files of the full statement, if they are known by now. */
  fullPaths: readonly string[];
  prepared: Prepared;
}
