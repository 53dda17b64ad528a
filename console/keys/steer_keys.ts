/** Steering: rate, rules, verbs. Everything here becomes an edit of a file or a `deno task` verb. Pure. */
import { editConfigText } from "../../runtime/config_edit.ts";
import { parseConfigText } from "../../runtime/config_parse.ts";
import { printConfigIssue } from "../../contracts/errors.ts";
import { RuleFile } from "../../rules/rule_file.ts";
import { selectedRow } from "../rows/screen.ts";
import { changedFields, formOf, readFieldValue, type RuleForm } from "../store/rule_form.ts";
import type { State } from "../store/state.ts";
import { lineDiff } from "../text/diff.ts";
import { type Command, effect, toast, ui, type VerbOffer } from "./commands.ts";

/** 1-2-5 steps. */
const STEPS = [1, 2, 5];

/** The next rate up or down in 1-2-5 steps, between 0.1 and 1,000,000. */
export function nextRate(rate: number, direction: 1 | -1): number {
  const all = Array.from({ length: 8 }, (_, power) => STEPS.map((step) => step * 10 ** (power - 1)))
    .flat().map((value) => Number(value.toPrecision(1))).filter((value) => value <= 1_000_000);
  const next = direction === 1
    ? all.find((value) => value > rate * 1.0001)
    : all.findLast((value) => value < rate * 0.9999);
  return next ?? rate;
}

/** Changes the generator's rate by one step. */
export function stepRate(state: State, direction: 1 | -1): Command[] {
  const value = state.model.generator?.value;
  if (value === undefined) {
    return [toast("generator.yaml is not valid: see the line above", "bad", state.nowMs)];
  }
  if (value.rate_per_second === "max") {
    return [toast("the rate is max; R types a number", "warn", state.nowMs)];
  }
  return [effect({ kind: "rate", rate: nextRate(value.rate_per_second, direction) })];
}

/** Pauses the generator or lets it go on. */
export function togglePauseGenerator(state: State): Command[] {
  const paused = state.model.generator?.value?.paused;
  return paused === undefined ? [] : [effect({ kind: "pause_generator", paused: !paused })];
}

function selectedRule(state: State) {
  const id = selectedRow(state)?.id;
  const rules = state.model.rules?.value ?? [];
  const index = rules.findIndex(({ rule_name }) => rule_name === id);
  return index === -1 ? undefined : { rule: rules[index]!, index };
}

/** A change of the rule file: shown as a diff where it is valid, refused with the reason where not. */
function proposeRules(state: State, what: string, after: string): Command[] {
  const { text: before, path } = state.model.rules!;
  if (after === before) return [toast("nothing changed", "warn", state.nowMs)];
  return [ui({
    type: "overlay",
    overlay: {
      kind: "diff",
      title: `${what}: write ${path}?`,
      diff: lineDiff(before, after),
      edit: { file: "rules", what, before, after },
    },
  })];
}

/** Switches the rule under the cursor on or off. */
export function toggleRule(state: State): Command[] {
  const selected = selectedRule(state);
  if (selected === undefined) return [];
  const { rule, index } = selected;
  const after = editConfigText(
    state.model.rules!.text,
    ["rules", index, "enabled"],
    !rule.enabled,
  );
  return proposeRules(state, `${rule.rule_name} ${rule.enabled ? "off" : "on"}`, after);
}

/** Opens the form of the rule under the cursor. */
export function openForm(state: State): Command[] {
  const selected = selectedRule(state);
  if (selected === undefined) return [];
  const form = formOf(selected.rule, selected.index);
  return [ui({ type: "overlay", overlay: { kind: "form", form } })];
}

/** Checks the form as the processor does; shows the diff, or the errors in the form. */
export function submitForm(state: State, form: RuleForm): Command[] {
  const file = state.model.rules;
  if (file === undefined) return [];
  const changed = changedFields(form);
  if (changed.length === 0) return [ui({ type: "overlay", overlay: undefined })];
  const after = changed.reduce(
    (text, { path, text: typed }) =>
      editConfigText(text, ["rules", form.index, ...path], readFieldValue(typed)),
    file.text,
  );
  const parsed = parseConfigText(after, file.path, RuleFile);
  if (!parsed.ok) {
    const errors = parsed.issues.map(printConfigIssue);
    return [ui({ type: "overlay", overlay: { kind: "form", form: { ...form, errors } } })];
  }
  const what = `${form.ruleName} ${changed.map(({ label, text }) => `${label}=${text}`).join(" ")}`;
  return proposeRules(state, what, after);
}

/** Proposes the text that the last change replaced. */
export function revertRules(state: State): Command[] {
  const { rules: file, rulesBefore } = state.model;
  const before = rulesBefore.at(-1);
  if (file === undefined || before === undefined) {
    return [toast("no earlier version in this session", "warn", state.nowMs)];
  }
  return proposeRules(state, "revert to the version before", before);
}

/** Asks for the name and then runs the verb. Verbs that do not exist are not offered. */
export function confirmVerb(state: State, offer: VerbOffer): Command[] {
  const [verb] = offer.words;
  if (!state.settings.verbs.has(verb!)) {
    return [toast(`deno task ${verb} does not exist here`, "warn", state.nowMs)];
  }
  return [ui({ type: "overlay", overlay: { kind: "confirm", ...offer, typed: "" } })];
}
