/** Lines as plain data: text with a tone. What a tone looks like is the view's business. Pure. */
import { cellWidth, cleanText, clipText } from "./cells.ts";

/** What a piece of text means. Never the only sign of it: a word or a symbol says the same. */
export type Tone =
  | "plain"
  | "dim"
  | "ok"
  | "warn"
  | "bad"
  | "accent"
  | "title"
  | "badge"
  | "selected"
  | "added"
  | "removed";

/** A piece of text. */
export interface Span {
  text: string;
  tone: Tone;
}

/** One line of a screen. */
export type Line = readonly Span[];

/** A piece of text; strangers' text is cleaned here. */
export function span(text: string | number, tone: Tone = "plain"): Span {
  return { text: cleanText(String(text)), tone };
}

/** A line of one piece. */
export function lineOf(text: string, tone: Tone = "plain"): Line {
  return [span(text, tone)];
}

/** Cells that a line takes. */
export function lineWidth(line: Line): number {
  return line.reduce((sum, { text }) => sum + cellWidth(text), 0);
}

/** A line without its tones. */
export function plainText(line: Line): string {
  return line.map(({ text }) => text).join("");
}

/** A line cut to `width` cells. */
export function clipLine(line: Line, width: number): Line {
  if (lineWidth(line) <= width) return line;
  const kept: Span[] = [];
  let room = width;
  for (const { text, tone } of line) {
    if (room <= 0) break;
    const clipped = clipText(text, room);
    kept.push({ text: clipped, tone });
    room -= cellWidth(clipped);
  }
  return kept;
}

/** A line in exactly `width` cells. */
export function fitLine(line: Line, width: number): Line {
  const clipped = clipLine(line, width);
  const missing = width - lineWidth(clipped);
  return missing > 0 ? [...clipped, { text: " ".repeat(missing), tone: "plain" }] : clipped;
}

/** `left` and `right` at the two ends of `width` cells; the left gives way. */
export function spread(left: Line, right: Line, width: number): Line {
  const rightClipped = clipLine(right, width);
  return [...fitLine(left, Math.max(0, width - lineWidth(rightClipped))), ...rightClipped];
}
