/** Lines for terminals and fonts without anything beyond ASCII. Pure. */
import { cellWidth } from "./cells.ts";
import type { Line } from "./span.ts";

const PLAIN = /^[\u0020-\u007e]*$/;

/** What stands for the console's own symbols: one cell for one cell. */
const SYMBOLS: Readonly<Record<string, string>> = {
  "→": ">",
  "…": "~",
  "↓": "v",
  "↑": "^",
  "·": ".",
  "×": "x",
  "–": "-",
  "—": "-",
  "’": "'",
  "‘": "'",
  "“": '"',
  "”": '"',
};

function asciiChar(char: string): string {
  if (PLAIN.test(char)) return char;
  const known = SYMBOLS[char];
  if (known !== undefined) return known;
  // A letter with an accent is that letter.
  const base = char.normalize("NFD")[0]!;
  return PLAIN.test(base) ? base : "?".repeat(cellWidth(char));
}

/** `text` in ASCII, as wide as before. */
export function asciiText(text: string): string {
  return PLAIN.test(text) ? text : [...text].map(asciiChar).join("");
}

/** A line in ASCII, as wide as before. */
export function asciiLine(line: Line): Line {
  return line.map(({ text, tone }) => ({ text: asciiText(text), tone }));
}
