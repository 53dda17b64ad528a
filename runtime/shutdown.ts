/** How a stage starts and ends as a process. */
import {
  ConfigError,
  EXIT,
  MisuseError,
  printConfigIssue,
  ServiceUnreachableError,
} from "../contracts/errors.ts";
import type { Logger } from "./log.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Aborts on the first SIGINT, SIGTERM or SIGHUP, with the signal's name as reason. The second one
 * ends the process at once with 130: whoever presses Ctrl-C twice means it.
 */
export function shutdownSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of SIGNALS) {
    Deno.addSignalListener(name, () => {
      if (controller.signal.aborted) Deno.exit(EXIT.interrupted);
      controller.abort(name);
    });
  }
  return controller.signal;
}

/** True for errors that say "a service is not there": ours, and the broker port's by name. */
function isUnreachable(error: unknown): boolean {
  // By name: runtime and broker are neighbours and do not import each other.
  return error instanceof ServiceUnreachableError ||
    (error instanceof Error && error.name === "UnreachableError");
}

/** Exit code that an error means (contracts/errors.ts). */
export function exitCodeOf(error: unknown): number {
  if (error instanceof ConfigError || error instanceof MisuseError) return EXIT.misuse;
  if (isUnreachable(error)) return EXIT.unreachable;
  return EXIT.no;
}

function report(log: Logger, error: unknown): number {
  const code = exitCodeOf(error);
  if (error instanceof ConfigError) {
    log.error("config_refused", {
      issues: error.issues,
      messages: error.issues.map(printConfigIssue),
    });
  } else {
    log.error("stage_failed", { error, exit_code: code });
  }
  return code;
}

/**
 * Runs a stage's main function to its end and leaves the process with its code. Every error is
 * logged once: settings and command line 2, services 3, anything else 1, which the supervisor answers
 * with a restart.
 */
export async function runStage(
  main: (signal: AbortSignal) => Promise<number>,
  options: { log: Logger },
): Promise<never> {
  const { log } = options;
  const signal = shutdownSignal();
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    Deno.exit(report(log, event.reason));
  });
  globalThis.addEventListener("error", (event) => {
    event.preventDefault();
    Deno.exit(report(log, event.error));
  });
  let code: number;
  try {
    code = await main(signal);
  } catch (error) {
    code = report(log, error);
  }
  Deno.exit(code);
}
