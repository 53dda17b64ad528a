/** The answer's way out: data to its destination, notes to standard error, never between each other. */
import type { Destination } from "./destination.ts";

/** Where an answer and what is said about it go. */
export interface QueryOutput {
  /** Rejects with BrokenPipe when nobody reads any more. */
  print(data: string | Uint8Array): Promise<void>;
  /** Notes beside the data: the snapshot that was chosen, statistics. */
  note(text: string): void;
  /** Width of the terminal; absent: nothing is cut. */
  width?: number;
  /** @default {false} */
  color?: boolean;
}

/** A `QueryOutput` over a destination. */
export interface DestinationOutput extends QueryOutput {
  finish(): Promise<void>;
  abandon(): Promise<void>;
}

/** Options of {@linkcode destinationOutput}. */
export interface OutputOptions {
  destination: Destination;
  note: (text: string) => void;
  /** Keep notes until the end: they would be lost behind a pager. */
  holdNotes: boolean;
  width?: number;
  color: boolean;
}

const encoder = new TextEncoder();

/** Makes the output of one query. */
export function destinationOutput(options: OutputOptions): DestinationOutput {
  const { destination, note, holdNotes, width, color } = options;
  const held: string[] = [];
  async function end(how: "finish" | "abandon"): Promise<void> {
    await destination[how]();
    for (const text of held.splice(0)) note(text);
  }
  return {
    async print(data) {
      const bytes = typeof data === "string" ? encoder.encode(data) : data;
      await destination.write(bytes);
    },
    note: (text) => holdNotes ? void held.push(text) : note(text),
    ...(width === undefined ? {} : { width }),
    color,
    finish: () => end("finish"),
    abandon: () => end("abandon"),
  };
}
