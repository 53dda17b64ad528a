/** Whether a stage took a change: shown only when the stage itself says so. Pure. */
import type { StageStatus } from "../../contracts/status.ts";
import type { Model, PendingEdit } from "./model.ts";

/** A stage that says nothing of a change for so long did not take it. */
export const EDIT_ANSWER_MS_MAX = 30_000;

function offsetsOf(stage: StageStatus): string {
  return stage.partitions.map(({ partition, position }) => `${partition}:${position}`).join(" ");
}

/** The answer in a stage's status; undefined while it does not show. */
function answerOf(
  edit: PendingEdit,
  stage: StageStatus,
): { confirmed: boolean; answer: string } | undefined {
  const issue = stage.config.errors[0];
  if (issue !== undefined) {
    const place = issue.line === undefined ? issue.file : `${issue.file}:${issue.line}`;
    return { confirmed: false, answer: `${place}: ${issue.field}: expected ${issue.expected}` };
  }
  const { rulesVersionNot, rate, paused } = edit.expect;
  const { rules_version: version } = stage.config;
  if (rulesVersionNot !== undefined) {
    if (version === null || version === rulesVersionNot) return undefined;
    const all = Object.values(stage.details.rules_version_by_partition ?? {});
    if (all.some((one) => one !== version)) return undefined;
    return { confirmed: true, answer: `rules ${version} in force, by offset ${offsetsOf(stage)}` };
  }
  if (rate !== undefined && stage.details.rate_per_second !== rate) return undefined;
  if (paused !== undefined && stage.details.paused !== paused) return undefined;
  return { confirmed: true, answer: `${edit.stage} runs with it` };
}

/** Looks for answers to the edits that wait. */
export function settleEdits(model: Model, nowMs: number): Model {
  if (model.edits.every(({ state }) => state !== "waiting")) return model;
  const stages = new Map(model.status?.stages.map((stage) => [stage.name, stage]));
  const edits = model.edits.map((edit): PendingEdit => {
    if (edit.state !== "waiting") return edit;
    const stage = stages.get(edit.stage);
    const found = stage && answerOf(edit, stage);
    const tookMs = nowMs - edit.wroteAtMs;
    if (found !== undefined) {
      return {
        ...edit,
        state: found.confirmed ? "confirmed" : "refused",
        answer: found.answer,
        tookMs,
      };
    }
    if (tookMs < EDIT_ANSWER_MS_MAX) return edit;
    const answer = stage === undefined
      ? `${edit.stage} does not answer; it reads the file when it starts`
      : `${edit.stage} has said nothing of it for ${EDIT_ANSWER_MS_MAX / 1000} s`;
    return { ...edit, state: "refused", answer, tookMs };
  });
  return { ...model, edits };
}
