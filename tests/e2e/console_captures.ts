/**
 * Writes the six screens, as a real terminal shows them, into docs/console.md: run it after a change of a
 * screen. It attaches to the pipeline that PIPELINE_DATA_DIR names, which has to run.
 *
 *     deno run -A tests/e2e/console_captures.ts
 */
import { join } from "../../runtime/path.ts";
import { projectRoot } from "../../runtime/env.ts";
import { openTerminal } from "../support/terminal.ts";

const PATH = join(projectRoot, "docs", "console.md");

/** Screens by name: key, and what is there once the screen is whole. */
const SCREENS: readonly (readonly [name: string, key: string, whole: RegExp])[] = [
  ["overview", "1", /~\d+s/],
  ["alerts", "2", /> +\d+s \w+ /],
  ["rules", "3", /version in force [0-9a-f]{12}/],
  ["streams", "4", /raw-transactions +0 /],
  ["tables", "5", /finance\.transactions/],
  ["logs", "6", /> \d\d:\d\d:\d\d/],
];

/** The document with what lies between a capture's two marks replaced. */
export function putCapture(document: string, name: string, screen: string): string {
  const begin = `<!-- capture ${name} -->`;
  const end = `<!-- end ${name} -->`;
  const from = document.indexOf(begin);
  const to = document.indexOf(end);
  if (from === -1 || to === -1) throw new Error(`Cannot find the marks of "${name}" in "${PATH}"`);
  return `${document.slice(0, from)}${begin}\n\n\`\`\`text\n${screen}\n\`\`\`\n\n${
    document.slice(to)
  }`;
}

if (import.meta.main) {
  const terminal = await openTerminal({
    columns: 100,
    rows: 30,
    command: "deno task --quiet console",
    env: Deno.env.toObject(),
  });
  try {
    let document = await Deno.readTextFile(PATH);
    await terminal.until(
      "it has counted rows of the table",
      (text) => /= [1-9][\d,]* stored/.test(text),
      60,
    );
    for (const [name, key, whole] of SCREENS) {
      await terminal.press(key);
      const screen = await terminal.until(`${name} is whole`, (text) => whole.test(text));
      // A machine's folders are nobody's business.
      document = putCapture(document, name, screen.replaceAll(/ \/\S+(?= {2}\d\d:)/g, " .data"));
    }
    await Deno.writeTextFile(PATH, document);
    await terminal.press("q");
  } finally {
    await terminal.close();
  }
}
