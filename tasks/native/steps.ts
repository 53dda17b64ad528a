/** Progress of a command: a line per step with its time; on a terminal the running step moves. */

/** Where the lines go. */
export interface StepsOutput {
  write(text: string): void;
  /** Columns of the terminal, or undefined when it is none. */
  columns: number | undefined;
}

const SPINNER = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const NAME_WIDTH = 18;
const BAR_WIDTH = 24;
const TICK_MS = 120;

/** One step's line: mark, name, seconds, detail. */
export function stepLine(
  mark: string,
  step: { name: string; tookMs: number; detail: string },
): string {
  const seconds = (step.tookMs / 1000).toFixed(1).padStart(5);
  return `${mark} ${step.name.padEnd(NAME_WIDTH)} ${seconds} s  ${step.detail}`.trimEnd();
}

/** A bar for a share between 0 and 1. */
export function progressBar(share: number): string {
  const full = Math.round(Math.min(Math.max(share, 0), 1) * BAR_WIDTH);
  return `[${"█".repeat(full)}${"·".repeat(BAR_WIDTH - full)}]`;
}

/** Standard output. */
export function terminalOutput(): StepsOutput {
  const encoder = new TextEncoder();
  return {
    write: (text) => void Deno.stdout.writeSync(encoder.encode(text)),
    columns: Deno.stdout.isTerminal() ? Deno.consoleSize().columns : undefined,
  };
}

/** Prints steps as they end, one at a time. */
export class Steps {
  #output: StepsOutput;
  #frame = 0;
  #shown = false;

  constructor(output: StepsOutput = terminalOutput()) {
    this.#output = output;
  }

  /** Runs one step. `work` gets a function that changes what stands beside the running step. */
  async run<T>(
    name: string,
    work: (show: (detail: string) => void) => Promise<{ value: T; detail: string }>,
  ): Promise<T> {
    const began = performance.now();
    let detail = "";
    const timer = setInterval(
      () => this.moving({ name, tookMs: performance.now() - began, detail }),
      TICK_MS,
    );
    try {
      const result = await work((text) => detail = text);
      this.ended("✓", { name, tookMs: performance.now() - began, detail: result.detail });
      return result.value;
    } catch (error) {
      this.ended("✗", { name, tookMs: performance.now() - began, detail: "" });
      throw error;
    } finally {
      clearInterval(timer);
    }
  }

  /** Redraws the running step; nothing where there is no terminal. */
  moving(step: { name: string; tookMs: number; detail: string }): void {
    const { columns } = this.#output;
    if (columns === undefined) return;
    const mark = SPINNER[this.#frame++ % SPINNER.length] ?? "";
    this.#output.write(`\r\x1b[2K${stepLine(mark, step).slice(0, columns - 1)}`);
    this.#shown = true;
  }

  /** Prints a step that is over. */
  ended(mark: "✓" | "✗" | "!", step: { name: string; tookMs: number; detail: string }): void {
    this.line(stepLine(mark, step));
  }

  /** Prints a line of text. */
  line(text: string): void {
    this.#output.write(`${this.#shown ? "\r\x1b[2K" : ""}${text}\n`);
    this.#shown = false;
  }
}
