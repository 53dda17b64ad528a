/**
 * The life of a transactional writer, the same for every adapter: idle, open, ending, and dead after
 * the first error. There is no way back from dead: what an end that failed has done is unknown, and a
 * delayed end could finish a later transaction of a writer that went on (tulios/kafkajs#1275; Jepsen's
 * Bufstream analysis). A new writer with the same id settles it.
 */
import { FencedError } from "./port.ts";

type Phase = "idle" | "open" | "ending" | "dead" | "closed";

/** Guards the calls of one writer, and runs them one at a time in the order of the calls. */
export class WriterPhase {
  readonly #id: string;
  #phase: Phase = "idle";
  #cause: unknown;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(transactionalId: string) {
    this.#id = transactionalId;
  }

  /** idle → open. Throws in any other phase. */
  begin(): void {
    this.#expect("begin", "idle");
    this.#phase = "open";
  }

  /** Runs a send of the open transaction. */
  async send(effect: () => Promise<void>): Promise<void> {
    this.#expect("send", "open");
    await this.#run("send", effect);
  }

  /** open → ending → idle. */
  async end(action: "commit" | "abort", effect: () => Promise<void>): Promise<void> {
    this.#expect(action, "open");
    this.#phase = "ending";
    await this.#run(action, effect);
    if (this.#phase === "ending") this.#phase = "idle";
  }

  /** Nothing works any more. */
  close(): void {
    if (this.#phase !== "dead") this.#phase = "closed";
  }

  #run(action: string, effect: () => Promise<void>): Promise<void> {
    const done = this.#tail.then(async () => {
      if (this.#phase === "dead" || this.#phase === "closed") throw this.#refusal(action);
      try {
        await effect();
      } catch (error) {
        this.#phase = "dead";
        this.#cause = error;
        throw error;
      }
    });
    this.#tail = done.catch(() => {}); // the caller has it; the next call finds the phase
    return done;
  }

  #expect(action: string, phase: Phase): void {
    if (this.#phase !== phase) throw this.#refusal(action);
  }

  #refusal(action: string): Error {
    const text = `Cannot ${action} as "${this.#id}": the writer is ${this.#phase}`;
    return this.#cause instanceof FencedError
      ? new FencedError(text, { cause: this.#cause })
      : new Error(text, { cause: this.#cause });
  }
}
