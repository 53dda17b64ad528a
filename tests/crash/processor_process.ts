/** A processor as a process of its own, which a test kills, freezes and wakes; its log is kept. */
import { projectRoot } from "../../runtime/env.ts";
import { join } from "../../runtime/path.ts";

/** Log lines kept for a failure's message. */
const LINES_MAX = 400;

/** Longest wait for a line, in ms. */
const LINE_MS_MAX = 120_000;

/** One line of its log. */
export interface LogLine {
  event: string;
  level: string;
  [field: string]: unknown;
}

/** A running processor. */
export class ProcessorProcess {
  readonly lines: LogLine[] = [];
  readonly ended: Promise<Deno.CommandStatus>;
  readonly #child: Deno.ChildProcess;
  readonly #read: Promise<void>;
  readonly #listeners = new Set<(line: LogLine) => void>();

  constructor(env: Record<string, string>) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", join(projectRoot, "processor", "main.ts")],
      env,
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.ended = this.#child.status;
    this.#read = this.#readLines();
  }

  async #readLines(): Promise<void> {
    let rest = "";
    for await (const chunk of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop()!;
      for (const text of lines) {
        const line = JSON.parse(text) as LogLine;
        this.lines.push(line);
        if (this.lines.length > LINES_MAX) this.lines.shift();
        for (const listener of this.#listeners) listener(line);
      }
    }
  }

  /**
   * Resolves with the next line that fits; with undefined when the process ends before. Rejects when none
   * has come for {@linkcode LINE_MS_MAX}: a suite that hangs says nothing.
   */
  async next(fits: (line: LogLine) => boolean): Promise<LogLine | undefined> {
    const found = Promise.withResolvers<LogLine | undefined>();
    const listener = (line: LogLine) => {
      if (fits(line)) found.resolve(line);
    };
    this.#listeners.add(listener);
    this.#read.then(() => found.resolve(undefined), found.reject);
    const timer = setTimeout(() => {
      const last = this.lines.slice(-10).map((line) => JSON.stringify(line)).join("\n");
      found.reject(
        new Error(`Cannot see the line in ${LINE_MS_MAX / 1000} s; the last ones:\n${last}`),
      );
    }, LINE_MS_MAX);
    try {
      return await found.promise;
    } finally {
      clearTimeout(timer);
      this.#listeners.delete(listener);
    }
  }

  /** SIGKILL; resolves when it is gone and its log is read to the end. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.ended;
    await this.#read;
  }

  /** SIGSTOP: not an instruction more until `wake`. */
  freeze(): void {
    this.#child.kill("SIGSTOP");
  }

  /** SIGCONT. */
  wake(): void {
    this.#child.kill("SIGCONT");
  }

  /** SIGTERM, and waits for the end in order. */
  async stop(): Promise<Deno.CommandStatus> {
    this.#child.kill("SIGTERM");
    const status = await this.ended;
    await this.#read;
    return status;
  }
}
