/** Boxes side by side with arrows between them, as lines. Pure. */
import { fitText } from "../text/cells.ts";
import { fitLine, type Line, lineWidth, type Span, span, type Tone } from "../text/span.ts";

/** A box: a title in its upper edge and lines within. */
export interface BoxContent {
  title: Line;
  lines: readonly Line[];
  /** Tone of the frame. */
  tone: Tone;
}

interface Frame {
  corners: readonly [string, string, string, string];
  horizontal: string;
  vertical: string;
}

const UNICODE: Frame = { corners: ["╭", "╮", "╰", "╯"], horizontal: "─", vertical: "│" };
const ASCII: Frame = { corners: ["+", "+", "+", "+"], horizontal: "-", vertical: "|" };

/** Draws a box of `width` cells. */
export function drawBox(
  { title, lines, tone }: BoxContent,
  { width, ascii }: { width: number; ascii: boolean },
): Line[] {
  const { corners, horizontal, vertical } = ascii ? ASCII : UNICODE;
  const edge = (text: string): Span => ({ text, tone });
  const room = Math.max(0, width - 5);
  const titleLine = lineWidth(title) > room ? fitLine(title, room) : title;
  const rest = Math.max(0, width - lineWidth(titleLine) - 5);
  return [
    [
      edge(`${corners[0]}${horizontal} `),
      ...titleLine,
      edge(` ${horizontal.repeat(rest)}${corners[1]}`),
    ],
    ...lines.map((line): Line => [
      edge(`${vertical} `),
      ...fitLine(line, width - 4),
      edge(` ${vertical}`),
    ]),
    [edge(corners[2] + horizontal.repeat(Math.max(0, width - 2)) + corners[3])],
  ];
}

/** Puts blocks of equal height side by side. */
export function beside(blocks: readonly (readonly Line[])[], widths: readonly number[]): Line[] {
  const height = Math.max(...blocks.map((block) => block.length));
  return Array.from(
    { length: height },
    (_, row) => blocks.flatMap((block, index) => [...fitLine(block[row] ?? [], widths[index]!)]),
  );
}

/** What stands between two boxes: a text over an arrow and one under it, centred. */
export function arrowBlock(
  { over, under, tone }: { over: string; under: string; tone: Tone },
  { width, height, ascii }: { width: number; height: number; ascii: boolean },
): Line[] {
  const centre = (text: string): string =>
    fitText(" ".repeat(Math.max(0, Math.floor((width - text.length) / 2))) + text, width);
  const shaft = (ascii ? "-" : "─").repeat(Math.max(1, width - 3)) + (ascii ? ">" : "▶");
  const middle = Math.floor(height / 2);
  return Array.from({ length: height }, (_, row): Line => {
    if (row === middle - 1) return [span(centre(over), tone)];
    if (row === middle) return [span(` ${shaft} `, tone)];
    if (row === middle + 1) return [span(centre(under), tone)];
    return [span(" ".repeat(width))];
  });
}
