/** Text measured in terminal cells. Everything that is shown comes through here: log lines and merchant
 * names are strangers' text, and an escape sequence among them must not reach the terminal. Pure. */

/** Code points that take two cells: CJK, Hangul, full-width forms, most emoji. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u;

/** Code points that take none: combining marks, joiners, variation selectors. */
const ZERO = /[\u0300-\u036f\u200b-\u200d\u20d0-\u20f0\ufe00-\ufe0f\ufe20-\ufe2f]/u;

/** C0 and C1 controls, and the bidirectional overrides that can make a line read as another one. */
// deno-lint-ignore no-control-regex -- these are what must not reach a terminal
const HARMFUL = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** The fast path: printable ASCII needs no care. */
const PLAIN = /^[\u0020-\u007e]*$/;

/** `text` with everything that could act on a terminal replaced by `·`; tabs and line ends by a blank. */
export function cleanText(text: string): string {
  if (PLAIN.test(text)) return text;
  return text.replace(
    HARMFUL,
    (char) => char === "\t" || char === "\n" || char === "\r" ? " " : "·",
  );
}

function charWidth(char: string): number {
  return ZERO.test(char) ? 0 : WIDE.test(char) ? 2 : 1;
}

/** Cells that `text` takes. */
export function cellWidth(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const char of text) width += charWidth(char);
  return width;
}

/** The start of `text` that fits into `width` cells, ending in `…` where something was cut. */
export function clipText(text: string, width: number): string {
  if (width <= 0) return "";
  if (cellWidth(text) <= width) return text;
  if (PLAIN.test(text)) return text.slice(0, width - 1) + "…";
  let used = 0;
  let end = "";
  for (const char of text) {
    const next = charWidth(char);
    if (used + next > width - 1) break;
    used += next;
    end += char;
  }
  return end + "…";
}

/** `text` in exactly `width` cells. */
export function fitText(text: string, width: number, align: "left" | "right" = "left"): string {
  const clipped = clipText(text, width);
  const blanks = " ".repeat(Math.max(0, width - cellWidth(clipped)));
  return align === "left" ? clipped + blanks : blanks + clipped;
}

/** `text` broken at blanks into lines of at most `width` cells; a longer word is broken anywhere. */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of cleanText(text).split(" ")) {
    let rest = word;
    while (cellWidth(rest) > width) {
      if (line !== "") lines.push(line);
      line = "";
      const head = [...rest].slice(0, Math.max(1, width)).join("");
      lines.push(head);
      rest = rest.slice(head.length);
    }
    const longer = line === "" ? rest : `${line} ${rest}`;
    if (cellWidth(longer) > width) {
      lines.push(line);
      line = rest;
    } else {
      line = longer;
    }
  }
  return [...lines, line];
}
