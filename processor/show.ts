/** What the processor shows over HTTP: readiness and /status. */
import type { StageStatus } from "../contracts/status.ts";
import type { Readiness } from "../runtime/http.ts";
import type { StageFigures } from "../runtime/stage_status.ts";
import { printPartitionView, type ProcessorContext, type RuleSource } from "./context.ts";
import type { Figures } from "./figures.ts";
import type { Processor } from "./run.ts";

/** What there is to be shown. */
export interface Shown<State, Compiled> {
  processor: Processor<State, Compiled>;
  rules: RuleSource<Compiled>;
  stage: StageFigures;
  figures: Figures;
  context: Pick<ProcessorContext<State, Compiled>, "topics" | "settings" | "group">;
}

/** The version in force on all partitions; the file's where they do not agree yet; null where none is. */
function versionInForce<State, Compiled>(
  { processor, rules }: Shown<State, Compiled>,
): string | null {
  const versions = new Set([...processor.views.values()].map((view) => view.rulesVersion));
  versions.delete(null);
  const [only] = versions;
  return versions.size === 1 ? only! : rules.current()?.version ?? null;
}

/** The functions that a stage's server calls. */
export function shownBy<State, Compiled>(
  shown: Shown<State, Compiled>,
): { status: () => StageStatus; readiness: () => Readiness } {
  const { processor, rules, stage, figures, context } = shown;
  const readiness = () => processor.readiness();
  return {
    readiness,
    status: () => {
      const views = [...processor.views.values()].sort((a, b) => a.partition - b.partition);
      return stage.status({
        ...readiness(),
        partitions: views.map((view) => printPartitionView(view, context.topics.raw)),
        rulesVersion: versionInForce(shown),
        details: {
          group: context.group,
          rules_version_of_file: rules.current()?.version ?? null,
          rules_version_by_partition: Object.fromEntries(
            views.map((view) => [view.partition, view.rulesVersion]),
          ),
          validation_failures_by_minute: figures.failuresByMinute(),
        },
      });
    },
  };
}
