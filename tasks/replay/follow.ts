/**
 * Follows the processor's outputs and counts the records that came from our own lines, by trace. What
 * it has counted is committed in Kafka; `needed` says how far each table must be for it to be stored.
 */
import { HEADER_TRACE } from "../../contracts/headers.ts";
import type { TopicNames } from "../../contracts/topics.ts";
import { type Broker, type Fetched, type Reader, UnreachableError } from "../../broker/port.ts";
import { sleep } from "../../runtime/retry.ts";
import type { OwnLines } from "./own_lines.ts";

/** Topics that the processor writes for a raw record. */
export const OUTPUT_ROLES = ["transactions", "deadLetter", "alerts"] as const;

/** One of {@linkcode OUTPUT_ROLES}. */
export type OutputRole = typeof OUTPUT_ROLES[number];

/** Where each output partition ended before the first line was sent. */
export type OutputStarts = Record<OutputRole, Map<number, number>>;

/** Partition of an output topic. */
export interface OutputPlace {
  role: OutputRole;
  partition: number;
}

const ZERO = 0x30;
const encoder = new TextEncoder();

/** The offset in a trace of this raw partition; -1 where it is of another. */
export function traceOffset(trace: Uint8Array | undefined, prefix: Uint8Array): number {
  if (trace === undefined || trace.length <= prefix.length) return -1;
  for (let i = 0; i < prefix.length; i++) if (trace[i] !== prefix[i]) return -1;
  let offset = 0;
  for (let i = prefix.length; i < trace.length; i++) {
    const digit = trace[i]! - ZERO;
    if (digit < 0 || digit > 9) return -1;
    offset = offset * 10 + digit;
  }
  return offset;
}

/** Ends of all output partitions now. */
export async function outputEnds(broker: Broker, topics: TopicNames): Promise<OutputStarts> {
  const ends = async (role: OutputRole) =>
    new Map(
      (await broker.offsets(topics[role])).map(({ partition, end }) => [partition, end] as const),
    );
  return {
    transactions: await ends("transactions"),
    deadLetter: await ends("deadLetter"),
    alerts: await ends("alerts"),
  };
}

/** Options of {@linkcode OutputFollower}. */
export interface FollowOptions {
  broker: Broker;
  topics: TopicNames;
  own: OwnLines;
  starts: OutputStarts;
}

/** Counts of own records, and how far they reach. */
export class OutputFollower {
  readonly counts: Record<OutputRole, number> = { transactions: 0, deadLetter: 0, alerts: 0 };
  /** Lines that came out more than once: exactly-once is broken. At most 100 traces. */
  readonly twice: string[] = [];
  /** Offset after the last own record, by role and partition. */
  readonly needed: Record<OutputRole, Map<number, number>> = {
    transactions: new Map(),
    deadLetter: new Map(),
    alerts: new Map(),
  };
  readonly #options: FollowOptions;
  readonly #positions = new Map<string, number>();

  constructor(options: FollowOptions) {
    this.#options = options;
  }

  /** Resolves when every own line has come out as a transaction or a dead letter. */
  async run(signal: AbortSignal): Promise<void> {
    const { broker, own } = this.#options;
    const reader = await broker.openReader({ isolation: "committed" });
    try {
      while (own.accounted < own.count) {
        signal.throwIfAborted();
        let moved = false;
        for (const partition of own.partitions) {
          for (const role of ["transactions", "deadLetter"] as const) {
            moved = await this.#step(reader, { role, partition }, signal) || moved;
          }
        }
        if (!moved) await sleep(50, signal);
      }
      // Alerts of a record are in the same transaction: they are there by now.
      for (const partition of own.partitions) {
        const place: OutputPlace = { role: "alerts", partition };
        while (await this.#step(reader, place, signal));
      }
    } finally {
      await reader.close();
    }
  }

  /** Reads on in one partition; true if there was something. */
  async #step(reader: Reader, place: OutputPlace, signal: AbortSignal): Promise<boolean> {
    const { topics, starts } = this.#options;
    const { role, partition } = place;
    const at = `${role}/${partition}`;
    const offset = this.#positions.get(at) ?? starts[role].get(partition) ?? 0;
    let fetched: Fetched;
    try {
      fetched = await reader.fetch(topics[role], partition, { offset, waitMsMax: 1, signal });
    } catch (error) {
      // A broker that restarts is waited for; the timeout of the whole is the limit.
      if (!(error instanceof UnreachableError)) throw error;
      await sleep(500, signal);
      return false;
    }
    this.#count(fetched, place);
    this.#positions.set(at, fetched.nextOffset);
    return fetched.nextOffset > offset;
  }

  #count({ records }: Fetched, { role, partition }: OutputPlace): void {
    const { own, topics } = this.#options;
    const prefix = encoder.encode(`${topics.raw}/${partition}/`);
    for (let i = 0; i < records.count; i++) {
      const offset = traceOffset(records.header(i, HEADER_TRACE), prefix);
      if (offset < 0 || !own.has(partition, offset)) continue;
      const again = role !== "alerts" && own.mark(partition, offset) === "again";
      if (again && this.twice.length < 100) this.twice.push(`${topics.raw}/${partition}/${offset}`);
      this.counts[role]++;
      this.needed[role].set(partition, records.offsets[i]! + 1);
    }
  }
}
