/** The progress bar of a replay, on a terminal's last line. */

/** How far a replay is. */
export interface Progress {
  phase: string;
  /** 0 to 1; undefined where the whole is not known. */
  share: number | undefined;
  lines: number;
  /** Since the phase began. */
  seconds: number;
}

const BAR_CELLS = 24;
const DRAW_MS = 100;

/** `sending  [██████░░░░░░]  50 %  12,345 lines  1,234/s`, at most `columns` wide. Pure. */
export function printProgress(progress: Progress, columns: number): string {
  const { phase, share, lines, seconds } = progress;
  const count = `${lines.toLocaleString("en-US")} lines`;
  const rate = seconds > 0 ? `  ${Math.round(lines / seconds).toLocaleString("en-US")}/s` : "";
  if (share === undefined) return `${phase}  ${count}${rate}`.slice(0, columns);
  const clamped = Math.min(1, Math.max(0, share));
  const full = Math.round(clamped * BAR_CELLS);
  const bar = "█".repeat(full) + "░".repeat(BAR_CELLS - full);
  const percent = `${Math.floor(clamped * 100)} %`.padStart(5);
  return `${phase}  [${bar}] ${percent}  ${count}${rate}`.slice(0, columns);
}

/** Draws progress; draws nothing where stderr is no terminal. */
export interface ProgressBar {
  /** Draws, at most ten times a second. */
  draw(progress: Progress): void;
  /** Clears the line. */
  clear(): void;
}

/** A bar on stderr, so that stdout stays clean for what is printed at the end. */
export function createProgressBar(): ProgressBar {
  if (!Deno.stderr.isTerminal()) return { draw: () => {}, clear: () => {} };
  const encoder = new TextEncoder();
  let lastMs = -Infinity;
  const write = (text: string) => Deno.stderr.writeSync(encoder.encode(text));
  return {
    draw(progress) {
      const now = performance.now();
      if (now - lastMs < DRAW_MS) return;
      lastMs = now;
      const { columns } = Deno.consoleSize();
      write(`\r\x1b[K${printProgress(progress, columns - 1)}`);
    },
    clear: () => void write("\r\x1b[K"),
  };
}
