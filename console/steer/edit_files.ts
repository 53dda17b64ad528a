/** Edits of the settings files: checked as the stage checks them, atomic, and refused if the file changed. */
import { GeneratorConfig } from "../../contracts/generator_config.ts";
import type { ConfigIssue } from "../../contracts/errors.ts";
import { RuleFile } from "../../rules/rule_file.ts";
import { editConfigFile, editConfigText } from "../../runtime/config_edit.ts";
import { parseConfigText } from "../../runtime/config_parse.ts";
import { displayPath } from "../../runtime/env.ts";
import type { ConsolePorts } from "../ports.ts";
import type { PendingEdit } from "../store/model.ts";
import type { State } from "../store/state.ts";
import type { TextEdit } from "../store/ui.ts";

/** A settings file that can be edited here. */
type Files = NonNullable<ConsolePorts["files"]>;

function issuesOf(path: string, text: string, file: keyof Files): ConfigIssue[] {
  const schema = file === "rules" ? RuleFile : GeneratorConfig;
  const parsed = parseConfigText<unknown>(text, displayPath(path), schema);
  return parsed.ok ? [] : parsed.issues;
}

/** Sets one value of generator.yaml. */
export async function editGenerator(
  files: Files,
  field: "rate_per_second" | "paused",
  value: number | "max" | boolean,
): Promise<void> {
  await editConfigFile(files.generator, {
    edit: (text) => editConfigText(text, [field], value),
    validate: (text) => issuesOf(files.generator, text, "generator"),
  });
}

/** Writes a text that was shown as a diff; refused where the file is no longer what the diff began with. */
export async function writeEdit(files: Files, { file, before, after }: TextEdit): Promise<void> {
  await editConfigFile(files[file], {
    edit: () => after,
    expectText: before,
    validate: (text) => issuesOf(files[file], text, file),
  });
}

/** What waits for the processor's word after the rule file was written. */
export function pendingRules(edit: TextEdit, state: State, nowMs: number): PendingEdit {
  const processor = state.model.status?.stages.find(({ name }) => name === "processor");
  const version = processor?.config.rules_version ?? "none yet";
  return {
    id: nowMs,
    what: edit.what,
    stage: "processor",
    wroteAtMs: nowMs,
    expect: { rulesVersionNot: version },
    state: "waiting",
  };
}
