/** Asks again and again; what goes wrong is told and tried again, never thrown. */
import type { ScreenName } from "../store/ui.ts";

/** How a source runs: until the signal aborts, more often for the screen that is looked at. */
export interface Watching {
  signal: AbortSignal;
  watched: () => ScreenName;
}

/** Options of {@linkcode poll}. */
export interface PollOptions {
  /** Pause between two questions, ms; asked for anew each time. */
  everyMs: () => number;
  signal: AbortSignal;
  ask: () => Promise<void>;
  /** Told of each failure; the next try comes as usual. */
  failed: (message: string) => void;
}

/** Resolves after `ms`, or at once when the signal aborts. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done, { once: true });
  });
}

/** Runs until the signal aborts. One question at a time. */
export async function poll({ everyMs, signal, ask, failed }: PollOptions): Promise<void> {
  while (!signal.aborted) {
    try {
      await ask();
    } catch (error) {
      if (!signal.aborted) failed(error instanceof Error ? error.message : String(error));
    }
    await pause(everyMs(), signal);
  }
}
