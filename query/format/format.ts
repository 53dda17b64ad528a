/** What a text format is. */
import type { AnswerColumn, Cell } from "../engine.ts";

/** Turns rows into text; each function returns what to print next. */
export interface FormatWriter {
  rows(rows: Cell[][]): string;
  end(): string;
}

/** What a format may need to know. */
export interface FormatOptions {
  columns: readonly AnswerColumn[];
  /** Width of the terminal; absent: nothing is cut. */
  width?: number;
  /** Colours, for a terminal. @default {false} */
  color?: boolean;
}
