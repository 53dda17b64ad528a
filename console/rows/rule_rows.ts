/** Rules as rows and in full, and what became of changes to them. Pure. */
import type { Fired, PendingEdit } from "../store/model.ts";
import type { State } from "../store/state.ts";
import { wrapText } from "../text/cells.ts";
import { age, milliseconds } from "../text/format.ts";
import { type Line, lineOf, type Span, span } from "../text/span.ts";
import { type Column, pairs, type Row } from "../text/table.ts";
import { printFieldValue } from "../store/rule_form.ts";
import { SEVERITY_RANK, SEVERITY_TONES, symbolsOf } from "./status_marks.ts";

/** Columns of the rules screen. */
export const RULE_COLUMNS: readonly Column[] = [
  { key: "state", title: "state", width: 5 },
  { key: "rule", title: "rule", width: 18 },
  { key: "type", title: "type", width: 11 },
  { key: "severity", title: "severity", width: 9 },
  { key: "fired", title: "per min", width: 7, align: "right" },
  { key: "total", title: "seen", width: 7, align: "right", from: 98 },
  { key: "last", title: "last", width: 6, align: "right" },
  { key: "parameters", title: "parameters", flex: 1, from: 78 },
];

/** How often a rule fired in the last minute, by the broker's time. */
export function perMinute(fired: Fired | undefined, nowMs: number): number {
  const from = Math.floor(nowMs / 1000) - 60;
  return fired?.seconds.reduce((sum, [at, n]) => sum + (at > from ? n : 0), 0) ?? 0;
}

function parameterText(parameters: unknown): string {
  return Object.entries(parameters as Record<string, unknown>)
    .filter(([, value]) => JSON.stringify(value) !== "{}")
    .map(([name, value]) => `${name}=${printFieldValue(value)}`).join(" ");
}

/** Rows of the rules screen. */
export function ruleRows(state: State): Row[] {
  const { model, nowMs } = state;
  return (model.rules?.value ?? []).map((rule, index): Row => {
    const fired = model.fired[rule.rule_name];
    const recent = perMinute(fired, nowMs);
    return {
      id: rule.rule_name,
      cells: {
        state: rule.enabled ? span("on", "ok") : span("off", "dim"),
        rule: span(rule.rule_name, rule.enabled ? "title" : "dim"),
        type: span(rule.rule_type),
        severity: span(rule.severity, SEVERITY_TONES[rule.severity]),
        fired: span(recent),
        total: span(fired?.total ?? 0),
        last: span(age(fired?.lastMs, nowMs), "dim"),
        parameters: span(parameterText(rule.parameters), "dim"),
      },
      sort: {
        order: index,
        fired: recent,
        total: fired?.total ?? 0,
        severity: SEVERITY_RANK[rule.severity],
      },
    };
  });
}

function editMark(edit: PendingEdit, state: State): Span {
  const { ok, warn, bad } = symbolsOf(state.settings.ascii);
  if (edit.state === "waiting") return span(`${warn} waiting`, "warn");
  return edit.state === "confirmed" ? span(`${ok} in force`, "ok") : span(`${bad} refused`, "bad");
}

/** The version in force, the file's errors, and the last changes with the stage's answers. */
export function rulesFooter(state: State): Line[] {
  const { model, nowMs } = state;
  const processor = model.status?.stages.find(({ name }) => name === "processor");
  const version = processor?.config.rules_version ?? "not known: the processor does not answer";
  const appliedAt = processor?.config.applied_at ?? null;
  const bySide = processor?.details.rules_version_of_file;
  const issues = model.rules?.issues ?? [];
  const edits = model.edits.slice(-4).reverse();
  return [
    [
      span("version in force ", "dim"),
      span(version, "title"),
      span(
        bySide === undefined || bySide === null || bySide === version
          ? ""
          : `  file ${bySide} comes next`,
        "warn",
      ),
      span(appliedAt === null ? "" : `  applied ${age(Date.parse(appliedAt), nowMs)} ago`, "dim"),
      span("  (fired: since attached)", "dim"),
    ],
    ...issues.slice(0, 3).map((issue): Line => [
      span(
        `${symbolsOf(state.settings.ascii).bad} line ${issue.line ?? "?"} ${issue.field}`,
        "bad",
      ),
      span(`: expected ${issue.expected}, got ${issue.value}; nothing of the file is in force`),
    ]),
    ...edits.map((edit): Line => [
      editMark(edit, state),
      span(`  ${edit.what}`),
      span(
        edit.state === "waiting"
          ? `  written ${age(edit.wroteAtMs, nowMs)} ago`
          : `  ${edit.state === "confirmed" ? `after ${milliseconds(edit.tookMs)}: ` : ""}${
            edit.answer ?? ""
          }`,
        "dim",
      ),
    ]),
  ];
}

/** A rule in full. */
export function ruleDetail(state: State, name: string, width: number): Line[] {
  const rule = state.model.rules?.value?.find(({ rule_name }) => rule_name === name);
  if (rule === undefined) return [lineOf("this rule is no longer in the file", "dim")];
  return [
    [span(rule.rule_name, "title"), span(`  ${rule.rule_type}`, "dim")],
    [],
    ...wrapText(rule.description, width).map((text) => lineOf(text)),
    [],
    ...pairs([
      ["enabled", span(String(rule.enabled))],
      ["severity", span(rule.severity, SEVERITY_TONES[rule.severity])],
      ...Object.entries(rule.parameters as Record<string, unknown>).map(([key, value]) =>
        [key, span(printFieldValue(value))] as const
      ),
    ]),
  ];
}
