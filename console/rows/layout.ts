/** How much fits: three sizes of the same screens (100×30, 80×24, and one line below that). Pure. */

/** Sizes of terminal. */
export type Size = "full" | "compact" | "line";

/** Lines around the body: title, tabs, message, keys. */
export const CHROME_ROWS = 4;

/** The size that a terminal is used at. */
export function sizeOf(columns: number, rows: number): Size {
  if (columns < 80 || rows < 24) return "line";
  return columns < 100 || rows < 30 ? "compact" : "full";
}
