/** `deno task tidy`: style that lint cannot see. Exit 1 when something is not tidy. */
import { EXIT } from "../contracts/errors.ts";
import { tidy } from "./tidy_rules.ts";

/** Paths that git tracks or would track, so that ignored folders are never read. */
async function sourcePaths(): Promise<string[]> {
  const { stdout } = await new Deno.Command("git", {
    args: ["ls-files", "--cached", "--others", "--exclude-standard", "*.ts", "*.tsx"],
  }).output();
  return new TextDecoder().decode(stdout).split("\n").filter((path) => path !== "");
}

/** Reads the repository below the working folder and returns what is not tidy. */
export async function findUntidy(): Promise<string[]> {
  const files = [];
  for (const path of await sourcePaths()) {
    try {
      files.push({ path, text: await Deno.readTextFile(path) });
    } catch (error) {
      // Deleted in the working tree but still in the index.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  const findings = tidy(files, await Deno.readTextFile("deno.json"));
  return findings.map(({ path, line, message }) => `${path}:${line}: ${message}`);
}

if (import.meta.main) {
  const findings = await findUntidy();
  for (const finding of findings) console.error(finding);
  console.error(findings.length === 0 ? "tidy" : `${findings.length} not tidy`);
  Deno.exitCode = findings.length === 0 ? EXIT.ok : EXIT.no;
}
