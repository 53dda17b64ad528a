/** Where a step writes: framed records of the output topics and of the changelog, in buffers used in turn. */
import type { Compression } from "../broker/packing.ts";
import { RecordFrames } from "../broker/record_frames.ts";
import { HEADER_SCHEMA_VERSION, HEADER_TRACE } from "../contracts/headers.ts";
import { SCHEMA_VERSION } from "../contracts/services.ts";
import type { ChangeSink } from "../rules/state_change.ts";

const SHARED = [{
  name: HEADER_SCHEMA_VERSION,
  value: new TextEncoder().encode(SCHEMA_VERSION),
}];

/** Records of a topic, each with the trace of its raw record. */
function tracedFrames(compression: Compression): RecordFrames {
  return new RecordFrames({ shared: SHARED, own: HEADER_TRACE }, { compression });
}

/** What one step writes. */
export interface StepOutputs {
  readonly transactions: RecordFrames;
  readonly alerts: RecordFrames;
  readonly deadLetters: RecordFrames;
  /** Records of the changelog: last value per key. */
  readonly changes: RecordFrames;
}

/** Empty outputs. The changelog stays plain: to pack it spares nothing, and the broker's cleaner would unpack it. */
export function createStepOutputs(compression: Compression = "none"): StepOutputs {
  return {
    transactions: tracedFrames(compression),
    alerts: tracedFrames(compression),
    deadLetters: tracedFrames(compression),
    changes: new RecordFrames({ shared: SHARED }),
  };
}

/**
 * Two sets of outputs in turn: while one is on its way to the broker, the next batch is judged into the
 * other.
 */
export class AlternatingOutputs {
  #next: StepOutputs;
  #last: StepOutputs;

  constructor(compression?: Compression) {
    this.#next = createStepOutputs(compression);
    this.#last = createStepOutputs(compression);
  }

  /** The other set, emptied. What it held before is gone. */
  next(): StepOutputs {
    const outputs = this.#next;
    this.#next = this.#last;
    this.#last = outputs;
    outputs.transactions.reset();
    outputs.alerts.reset();
    outputs.deadLetters.reset();
    outputs.changes.reset();
    return outputs;
  }
}

/** Frames changes of the state. */
export class FramedChanges implements ChangeSink {
  readonly #frames: RecordFrames;

  constructor(frames: RecordFrames) {
    this.#frames = frames;
  }

  change(key: Uint8Array, keyEnd: number, value: Uint8Array | null, valueEnd: number): void {
    const at = this.#frames.open(key, 0, keyEnd, value === null ? -1 : valueEnd);
    if (value === null) return;
    const { bytes } = this.#frames;
    for (let i = 0; i < valueEnd; i++) bytes[at + i] = value[i]!;
  }
}
