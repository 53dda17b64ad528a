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
  /** Opened by the first byte, so that a failed query starts no pager and touches no file. */
  open: () => Destination | Promise<Destination>;
  note: (text: string) => void;
  /** Open it even if there is nothing to write: an empty answer's file must be there all the same. */
  always: boolean;
  /** Keep notes until the end: they would be lost behind a pager. */
  holdNotes: boolean;
  width?: number;
  color: boolean;
}

const encoder = new TextEncoder();

/** Makes the output of one query. */
export function destinationOutput(options: OutputOptions): DestinationOutput {
  const { open, note, always, holdNotes, width, color } = options;
  let destination: Promise<Destination> | undefined;
  const held: string[] = [];
  const ready = (): Promise<Destination> => destination ??= Promise.resolve(open());
  async function end(how: "finish" | "abandon"): Promise<void> {
    if (how === "abandon") await (await destination?.catch(() => undefined))?.abandon();
    else if (always || destination !== undefined) await (await ready()).finish();
    for (const text of held.splice(0)) note(text);
  }
  return {
    async print(data) {
      const bytes = typeof data === "string" ? encoder.encode(data) : data;
      await (await ready()).write(bytes);
    },
    note: (text) => holdNotes ? void held.push(text) : note(text),
    ...(width === undefined ? {} : { width }),
    color,
    finish: () => end("finish"),
    abandon: () => end("abandon"),
  };
}
