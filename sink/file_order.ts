/** In which order a data file holds its rows. Pure. */
import type { TablePlan } from "./columns.ts";
import { quoteName } from "./sql_text.ts";

/**
 * Order of a file's rows: by the time column as the tables' sort order says, or with the rows of one value of the lookup
 * column side by side (by time where the table has none), or as they come from a DuckDB that keeps order.
 */
export type FileOrder = "time" | "lookup" | "kept";

/** Whether such a file is sorted as the table's sort order says. */
export function isByTime({ lookup }: TablePlan, order: FileOrder): boolean {
  return order === "time" || lookup === undefined;
}

/** ORDER BY of an order, nulls first as the tables' sort order says. */
export function orderSql(plan: TablePlan, order: FileOrder): string {
  if (order === "kept") return "";
  const { time, lookup } = plan;
  const columns = isByTime(plan, order) ? [time.name] : [lookup!, time.name];
  return ` ORDER BY ${columns.map((name) => `${quoteName(name)} NULLS FIRST`).join(", ")}`;
}
