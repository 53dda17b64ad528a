/** One-shot faults of the in-process broker. A test sets one, runs, and asserts that it fired. */
import { UnreachableError } from "./port.ts";

/** Where a fault can strike. `append` is one partition's share of a send, `send` the whole. */
export type FaultPoint =
  | "open"
  | "send"
  | "append"
  | "commit"
  | "abort"
  | "fetch"
  | "offsets"
  | "commitGroupOffsets";

/** A fault to come. */
export interface FaultSpec {
  at: FaultPoint;
  /** `after`: the broker has done it, the caller does not learn so. @default {"before"} */
  when?: "before" | "after";
  /** What the caller gets. @default {UnreachableError}, unless `hold` is given */
  error?: Error;
  /** The call waits for this first, as one of a frozen process would; without `error` it then goes on. */
  hold?: Promise<void>;
  /** Matching calls to let through first. @default {0} */
  skip?: number;
  /** Only calls of this transactional id. */
  transactionalId?: string;
  /** Only calls on this topic (`append`, `fetch`, `offsets`). */
  topic?: string;
  /** Only calls on this partition (`append`, `fetch`). */
  partition?: number;
}

/** A fault that was set. */
export interface Fault {
  readonly spec: FaultSpec;
  /** True once it struck (for `hold`: once a call waits). */
  readonly fired: boolean;
}

/** What a call is about, to match faults against. */
export interface FaultSubject {
  transactionalId?: string;
  topic?: string;
  partition?: number;
}

/** The faults of one broker, oldest first. */
export class MemoryFaults {
  #pending: { spec: FaultSpec; skip: number; fired: boolean }[] = [];

  /** Sets a fault for one call. */
  add(spec: FaultSpec): Fault {
    const fault = { spec, skip: spec.skip ?? 0, fired: false };
    this.#pending.push(fault);
    return fault;
  }

  /** Faults that have not struck yet. */
  get unfired(): readonly Fault[] {
    return this.#pending;
  }

  /** Runs `effect` through the first fault that matches. */
  async around<T>(at: FaultPoint, subject: FaultSubject, effect: () => T | Promise<T>): Promise<T> {
    const fault = this.#take(at, subject);
    if (fault === undefined) return await effect();
    const { when = "before", hold } = fault.spec;
    const error = fault.spec.error ??
      (hold === undefined
        ? new UnreachableError(`Cannot ${at}: a fault was set ${when} it`)
        : undefined);
    if (when === "before") {
      await hold;
      if (error !== undefined) throw error;
      return await effect();
    }
    const result = await effect();
    await hold;
    if (error !== undefined) throw error;
    return result;
  }

  #take(at: FaultPoint, subject: FaultSubject) {
    for (const fault of this.#pending) {
      const { transactionalId, topic, partition } = fault.spec;
      if (
        fault.spec.at !== at ||
        (transactionalId !== undefined && transactionalId !== subject.transactionalId) ||
        (topic !== undefined && topic !== subject.topic) ||
        (partition !== undefined && partition !== subject.partition)
      ) continue;
      if (fault.skip-- > 0) continue;
      fault.fired = true;
      this.#pending = this.#pending.filter((other) => other !== fault);
      return fault;
    }
    return undefined;
  }
}
