/**
 * Gives the terminal back however the console ends: signals, throws and rejections included. Under Deno an
 * uncaught error ends the process without Ink's exit hook, and leaves the alternate screen on (L4).
 */
import process from "node:process";
import { EXIT } from "../contracts/errors.ts";

/** Leaves the alternate screen, shows the cursor, ends bracketed paste and colours. */
export const RESTORE = "\x1b[?1049l\x1b[?25h\x1b[?2004l\x1b[0m";

/** What {@linkcode guardTerminal} returns. */
export interface TerminalGuard {
  /** 0, or what ended it. */
  exitCode(): number;
  /** Takes the handlers off. */
  release(): void;
}

/** Installs the handlers. `unmount` takes the screen down, `stop` ends everything else. */
export function guardTerminal(
  { unmount, stop }: { unmount: () => void; stop: () => void },
): TerminalGuard {
  let code: number = EXIT.ok;

  function crashed(error: unknown): void {
    // The terminal itself is gone: nobody is left to be told.
    if (/\b(EPIPE|EIO)\b|os error (5|32)\b/.test(String(error))) {
      code = EXIT.interrupted;
      stop();
      return;
    }
    code = EXIT.no;
    unmount();
    process.stdout.write(RESTORE);
    console.error(error instanceof Error ? error.stack ?? error.message : String(error));
    stop();
  }
  const onError = (event: ErrorEvent): void => {
    event.preventDefault();
    crashed(event.error ?? event.message);
  };
  const onRejection = (event: PromiseRejectionEvent): void => {
    event.preventDefault();
    crashed(event.reason);
  };
  const onSignal = (): void => {
    code = EXIT.interrupted;
    stop();
  };
  globalThis.addEventListener("error", onError);
  globalThis.addEventListener("unhandledrejection", onRejection);
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const name of signals) Deno.addSignalListener(name, onSignal);
  return {
    exitCode: () => code,
    release() {
      globalThis.removeEventListener("error", onError);
      globalThis.removeEventListener("unhandledrejection", onRejection);
      for (const name of signals) Deno.removeSignalListener(name, onSignal);
    },
  };
}
