/** All sources of the console, started together. A source that fails tells so and goes on trying. */
import type { ConsolePorts } from "../ports.ts";
import type { Fact } from "../store/facts.ts";
import { watchStatus } from "./status_source.ts";

/** Running sources. */
export interface Sources {
  /** Resolves when all have ended; the signal has to be aborted before. */
  close(): Promise<void>;
}

/** Starts them. */
export function startSources(
  ports: ConsolePorts,
  emit: (fact: Fact) => void,
  signal: AbortSignal,
): Sources {
  const running = [watchStatus(ports, emit, signal)];
  return {
    close: async () => {
      await Promise.allSettled(running);
    },
  };
}
