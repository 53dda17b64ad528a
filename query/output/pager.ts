/** A pager between the answer and the terminal, as git has it: nothing is shown by it that fits a screen. */
import type { Destination } from "./destination.ts";
import { writeAll } from "./destination.ts";

/** Pagers that may be started; Deno's permissions name the same. */
export const PAGERS = ["less", "more"] as const;

/** `PAGER` as words if it is one of {@linkcode PAGERS}, else plain less; none if it is empty or `cat`. */
export function pagerCommand(variable: string | undefined): string[] | undefined {
  if (variable === "" || variable === "cat") return undefined;
  const words = (variable ?? "").trim().split(/\s+/);
  return (PAGERS as readonly string[]).includes(words[0]!) ? words : ["less"];
}

/** Starts the pager; undefined where there is none. */
export function pagerDestination(command: readonly string[]): Destination | undefined {
  const [program = "", ...args] = command;
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(program, {
      args,
      // Quit if it fits one screen, keep colours, leave the screen as it is; unless the user says otherwise.
      env: { LESS: Deno.env.get("LESS") ?? "FRX" },
      stdin: "piped",
    }).spawn();
  } catch (error) {
    const missing = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotCapable;
    if (missing) return undefined;
    throw error;
  }
  const stdin = child.stdin.getWriter();
  async function end(): Promise<void> {
    await stdin.close().catch(() => {});
    await child.status;
  }
  return {
    write: (bytes) =>
      writeAll({
        async write(part) {
          await stdin.write(part);
          return part.length;
        },
      }, bytes),
    finish: end,
    // What it shows already stays until its user leaves it.
    abandon: end,
  };
}
