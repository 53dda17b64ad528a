/** An answer that was computed from what is only supposed goes out when it is confirmed. */
import type { QueryOutput } from "./output/output.ts";

/** What an answer was computed from is not so any more. */
export class OutdatedError extends Error {
  override readonly name = "OutdatedError";
}

/** An output that lets nothing through until it is open. */
export interface Gate extends QueryOutput {
  /** Waits for the confirmation and lets through what waits. @throws {OutdatedError} if it is denied */
  open(): Promise<void>;
}

/** Puts a gate before an output. */
export function gateOf(output: QueryOutput, isConfirmed: () => Promise<boolean>): Gate {
  const held: string[] = [];
  let isOpen = false;
  async function open(): Promise<void> {
    if (isOpen) return;
    if (!await isConfirmed()) throw new OutdatedError("Cannot print: the tables have changed");
    isOpen = true;
    for (const text of held.splice(0)) output.note(text);
  }
  return {
    ...output,
    open,
    async print(data) {
      await open();
      await output.print(data);
    },
    note: (text) => isOpen ? output.note(text) : void held.push(text),
  };
}
