/** The settings files that the console edits: their text and what it means. */
import { GeneratorConfig } from "../../contracts/generator_config.ts";
import { RuleFile } from "../../rules/rule_file.ts";
import { parseConfigText } from "../../runtime/config_parse.ts";
import { displayPath } from "../../runtime/env.ts";
import type { ConsolePorts } from "../ports.ts";
import type { Fact } from "../store/facts.ts";
import { poll } from "./poll.ts";

const POLL_MS = 1000;

/** Runs until the signal aborts. Ends at once where the files are not here. */
export async function watchFiles(
  { files }: Pick<ConsolePorts, "files">,
  emit: (fact: Fact) => void,
  signal: AbortSignal,
): Promise<void> {
  if (files === undefined) return;
  const seen = { rules: "", generator: "" };
  await poll({
    everyMs: () => POLL_MS,
    signal,
    ask: async () => {
      const rules = await Deno.readTextFile(files.rules);
      if (rules !== seen.rules) {
        seen.rules = rules;
        const path = displayPath(files.rules);
        const parsed = parseConfigText(rules, path, RuleFile);
        const value = parsed.ok ? parsed.value.rules : undefined;
        const issues = parsed.ok ? [] : parsed.issues;
        emit({ type: "rules", file: { path, text: rules, value, issues } });
      }
      const generator = await Deno.readTextFile(files.generator);
      if (generator !== seen.generator) {
        seen.generator = generator;
        const path = displayPath(files.generator);
        const parsed = parseConfigText(generator, path, GeneratorConfig);
        const value = parsed.ok ? parsed.value : undefined;
        const issues = parsed.ok ? [] : parsed.issues;
        emit({ type: "generator", file: { path, text: generator, value, issues } });
      }
    },
    // A file that is away for a moment is being replaced by an editor.
    failed: () => {},
  });
}
