/** The status of the pipeline, once a second. */
import { pipelineStatus } from "../../runtime/pipeline_status.ts";
import type { ConsolePorts } from "../ports.ts";
import type { Fact } from "../store/facts.ts";
import { poll } from "./poll.ts";

/** Time between two questions, ms. */
export const STATUS_POLL_MS = 1000;

/** Runs until the signal aborts. */
export function watchStatus(
  { collect, now }: Pick<ConsolePorts, "collect" | "now">,
  emit: (fact: Fact) => void,
  signal: AbortSignal,
): Promise<void> {
  return poll({
    everyMs: () => STATUS_POLL_MS,
    signal,
    ask: async () => {
      const parts = await collect();
      const document = pipelineStatus(parts);
      emit({ type: "status", atMs: now(), document, stages: parts.stages });
    },
    failed: (message) => emit({ type: "status_failed", atMs: now(), message }),
  });
}
