/** A real terminal for full-screen programs: tmux with a server of its own, driven by keys and read by lines. */
import { projectRoot } from "../../runtime/env.ts";

/** Options of {@linkcode openTerminal}. */
export interface TerminalOptions {
  columns: number;
  rows: number;
  /** Run by a shell in the project's folder; `EXIT <code>` is printed behind it. */
  command: string;
  env: Record<string, string>;
}

/** A terminal with a program in it. */
export interface Terminal {
  /** The lines that are on the screen, without blanks at their ends. */
  screen(): Promise<string[]>;
  /** Presses keys, by tmux's names (`Enter`, `Escape`, `C-c`) or as characters. */
  press(...keys: string[]): Promise<void>;
  /** Types text. */
  type(text: string): Promise<void>;
  resize(columns: number, rows: number): Promise<void>;
  /** Polls the screen until `done`; throws with the last screen after `seconds`. */
  until(what: string, done: (text: string) => boolean, seconds?: number): Promise<string>;
  /** Whether the alternate screen is on, and whether the cursor is shown. */
  modes(): Promise<{ alternate: boolean; cursor: boolean }>;
  /** Pid of the shell that runs the program. */
  pid(): Promise<number>;
  /** Ends the terminal and what runs in it. */
  close(): Promise<void>;
}

async function tmux(socket: string, args: string[], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await new Deno.Command("tmux", {
    args: ["-L", socket, "-f", "/dev/null", ...args],
    env: { ...env, TERM: "xterm-256color", LC_ALL: "C.UTF-8" },
    cwd: projectRoot,
  }).output();
  const text = new TextDecoder();
  if (code !== 0) throw new Error(`Cannot run "tmux ${args[0]}": ${text.decode(stderr)}`);
  return text.decode(stdout);
}

/** Opens a terminal. */
export async function openTerminal(options: TerminalOptions): Promise<Terminal> {
  const { columns, rows, command, env } = options;
  const socket = `pipeline-${crypto.randomUUID().slice(0, 8)}`;
  const run = (...args: string[]): Promise<string> => tmux(socket, args);
  await tmux(socket, [
    "new-session",
    "-d",
    "-x",
    String(columns),
    "-y",
    String(rows),
    // What it leaves behind stays to be read.
    `${command}; echo EXIT $?; exec sleep 600`,
  ], env);

  async function screen(): Promise<string[]> {
    return (await run("capture-pane", "-p")).split("\n").slice(0, -1).map((line) => line.trimEnd());
  }

  return {
    screen,
    press: async (...keys) => {
      for (const key of keys) await run("send-keys", key);
    },
    type: async (text) => void await run("send-keys", "-l", text),
    resize: async (toColumns, toRows) =>
      void await run("resize-window", "-x", String(toColumns), "-y", String(toRows)),
    async until(what, done, seconds = 30) {
      const deadline = performance.now() + seconds * 1000;
      while (true) {
        const text = (await screen()).join("\n");
        if (done(text)) return text;
        if (performance.now() > deadline) {
          throw new Error(`Cannot see that ${what} within ${seconds} s:\n${text}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    },
    async modes() {
      const text = await run("display-message", "-p", "#{alternate_on} #{cursor_flag}");
      const [alternate, cursor] = text.trim().split(" ");
      return { alternate: alternate === "1", cursor: cursor === "1" };
    },
    pid: async () => Number((await run("display-message", "-p", "#{pane_pid}")).trim()),
    close: async () => void await run("kill-server").catch(() => {}),
  };
}
