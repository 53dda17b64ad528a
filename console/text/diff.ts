/** What changes between two texts, line by line, with some lines around it. Pure. */

/** Unchanged lines shown around a change. */
const CONTEXT_LINES = 2;

/** Lengths of the longest common subsequences of all tails. */
function commonTails(a: readonly string[], b: readonly string[]): Uint16Array[] {
  const table = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      table[i]![j] = a[i] === b[j]
        ? table[i + 1]![j + 1]! + 1
        : Math.max(table[i + 1]![j]!, table[i]![j + 1]!);
    }
  }
  return table;
}

/**
 * Lines with `+ `, `- ` or two blanks in front; `…` where unchanged lines are left out.
 *
 * Meant for settings files: it takes memory by the product of the line counts.
 */
export function lineDiff(before: string, after: string): string[] {
  const a = before.split("\n");
  const b = after.split("\n");
  const table = commonTails(a, b);
  const all: string[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      all.push(`  ${a[i]}`);
      i++;
      j++;
    } else if (i < a.length && (j === b.length || table[i + 1]![j]! >= table[i]![j + 1]!)) {
      all.push(`- ${a[i++]}`);
    } else {
      all.push(`+ ${b[j++]}`);
    }
  }
  const near = (at: number): boolean =>
    all.slice(Math.max(0, at - CONTEXT_LINES), at + CONTEXT_LINES + 1)
      .some((line) => !line.startsWith("  "));
  const shown: string[] = [];
  all.forEach((line, at) => {
    if (near(at)) shown.push(line);
    else if (shown.length > 0 && shown.at(-1) !== "…") shown.push("…");
  });
  return shown.at(-1) === "…" ? shown.slice(0, -1) : shown;
}
