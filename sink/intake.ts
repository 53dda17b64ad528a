/**
 * Fetches a topic's partitions into the batch that is being filled (design sections 5, 6). Positions come
 * from the table alone; Kafka's group offsets are never read.
 */
import {
  type Broker,
  type Fetched,
  OffsetOutOfRangeError,
  type PartitionOffsets,
  type Reader,
} from "../broker/port.ts";
import type { ConsumedOffsets, TableName } from "../contracts/tables.ts";
import type { PartitionStatus } from "../contracts/status.ts";
import { backoff, sleep } from "../runtime/retry.ts";
import { Event } from "./event.ts";
import { type LogIdentity, nextOffset } from "./offsets.ts";
import { LatencySamples } from "./samples.ts";
import type { Stager } from "./stager.ts";
import { type Accept, SpoolBatch, type SpoolLimits } from "./spool.ts";

const FETCH_WAIT_MS = 500;
/** How often a gate that is shut for another reason than a full batch is looked at. */
const GATE_LOOK_MS = 1000;

/** A batch with the times of its records. */
export interface FilledBatch {
  spool: SpoolBatch;
  stager: Stager;
  samples: LatencySamples;
}

/** Options of {@linkcode Intake}. */
export interface IntakeOptions {
  broker: Broker;
  table: TableName;
  identity: LogIdentity;
  partitions: readonly number[];
  /** Partitions that the topic has. */
  topicPartitions: number;
  /** What the table has consumed. */
  offsets: ConsumedOffsets | undefined;
  /** Folder of this table's batches. */
  folder: string;
  limits: SpoolLimits;
  fetchBytesMax: number;
  /** Takes the parts of one batch. */
  newStager: () => Stager;
  /** Which records become rows; all of them if absent. */
  accept?: Accept;
  /** A reason not to take anything now (a full disk). */
  paused: () => string | undefined;
  onError: (error: unknown, partition: number) => void;
}

interface Position {
  offset: number;
  /** The table has no offset of this partition yet. */
  first: boolean;
  state: "running" | "waiting" | "gap" | "paused";
  reason: string | undefined;
  stable: number;
  end: number;
}

/** Numbers the batches of a process, so that no two share a folder. */
let batchCount = 0;

/** Reads until its signal aborts. */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #positions = new Map<number, Position>();
  /** The batch changed, or was taken. */
  readonly changed = new Event();
  #filling: FilledBatch;

  private constructor(options: IntakeOptions) {
    this.#options = options;
    this.#filling = this.#newBatch();
  }

  /** Looks where each partition stands: from the table's offset, or from the log's start where it has none. */
  static async open(options: IntakeOptions): Promise<Intake> {
    const intake = new Intake(options);
    const known = await options.broker.offsets(options.identity.topic);
    for (const partition of options.partitions) {
      const log = known.find((one) => one.partition === partition);
      if (log === undefined) continue;
      const stored = nextOffset(options.offsets, options.identity.topic, partition);
      intake.#positions.set(partition, startPosition(stored, log));
    }
    return intake;
  }

  /** Fetches all partitions; resolves when the signal has aborted and all of them have stopped. */
  async run(signal: AbortSignal): Promise<void> {
    const reader = await this.#options.broker.openReader({ isolation: "committed" });
    try {
      const partitions = [...this.#positions.keys()];
      await Promise.all(partitions.map((partition) => this.#follow(reader, partition, signal)));
    } finally {
      await reader.close();
    }
  }

  /** The log that is read. */
  get identity(): LogIdentity {
    return this.#options.identity;
  }

  /** Partitions that the topic had when this began. */
  get partitionsKnown(): number {
    return this.#options.topicPartitions;
  }

  /** Drops what is being filled. */
  async drop(): Promise<void> {
    await this.#filling.stager.cancel();
    await this.#filling.spool.remove();
  }

  /** What is being filled. */
  get filling(): SpoolBatch {
    return this.#filling.spool;
  }

  /** Takes the batch away and begins the next one. */
  take(): FilledBatch {
    const taken = this.#filling;
    for (const partition of taken.spool.offsets.partitions.keys()) {
      this.#positions.get(partition)!.first = false;
    }
    this.#filling = this.#newBatch();
    this.changed.notify();
    return taken;
  }

  /** True if all that was committed to the topic before now is in the batches. */
  async caughtUp(): Promise<boolean> {
    const { broker, identity } = this.#options;
    const logs = await broker.offsets(identity.topic);
    return logs.every((log) => {
      const position = this.#positions.get(log.partition);
      return position === undefined || position.state === "gap" || position.offset >= log.stable;
    });
  }

  /** Where lag tools should see us: what is in the table, and past what never becomes a row. */
  mirror(): { topic: string; partition: number; offset: number }[] {
    const waiting = this.#filling.spool.records > 0;
    return [...this.#positions].map(([partition, position]) => ({
      topic: this.#options.identity.topic,
      partition,
      offset: waiting ? this.#mirrored(partition, position) : position.offset,
    }));
  }

  #mirrored(partition: number, position: Position): number {
    return this.#filling.spool.offsets.partitions.get(partition)?.from ?? position.offset;
  }

  /** For /status. */
  status(): PartitionStatus[] {
    return [...this.#positions].map(([partition, position]) => ({
      topic: this.#options.identity.topic,
      partition,
      state: position.state,
      position: String(position.offset),
      stable: String(position.stable),
      end: String(position.end),
      ...(position.reason === undefined ? {} : { reason: position.reason }),
    }));
  }

  /** True where a partition stands before a gap. */
  get hasGap(): boolean {
    return [...this.#positions.values()].some(({ state }) => state === "gap");
  }

  /** True if the table's offsets have left the place of a gap: an operator has accepted it. */
  gapLeft(offsets: ConsumedOffsets | undefined): boolean {
    const { topic } = this.#options.identity;
    return [...this.#positions].some(([partition, { state, offset }]) =>
      state === "gap" && nextOffset(offsets, topic, partition) !== offset
    );
  }

  /** Reasons why partitions do not move. */
  reasons(): string[] {
    return [...this.#positions].flatMap(([partition, { reason }]) =>
      reason === undefined ? [] : [`${this.#options.identity.topic}/${partition}: ${reason}`]
    );
  }

  #newBatch(): FilledBatch {
    const { table, identity, folder, limits } = this.#options;
    const stager = this.#options.newStager();
    const spool = new SpoolBatch({
      table,
      identity,
      limits,
      folder: `${folder}/${++batchCount}`,
      onPart: (part) => stager.add(part),
    });
    return { spool, stager, samples: new LatencySamples({ events: table === "transactions" }) };
  }

  async #follow(reader: Reader, partition: number, signal: AbortSignal): Promise<void> {
    const position = this.#positions.get(partition)!;
    const waits = backoff({ initialMs: 200, maxMs: 10_000 });
    while (!signal.aborted && position.state !== "gap") {
      if (!await this.#gateOpen(position, signal)) continue;
      let fetched: Fetched;
      try {
        fetched = await reader.fetch(this.#options.identity.topic, partition, {
          offset: position.offset,
          bytesMax: this.#options.fetchBytesMax,
          waitMsMax: FETCH_WAIT_MS,
          signal,
        });
        waits.reset();
      } catch (error) {
        if (signal.aborted) return;
        this.#failed(partition, position, error);
        await sleep(waits.next(), signal).catch(() => {});
        continue;
      }
      // What fails in here (a full disk) leaves a batch that holds part of a fetch: it ends the session.
      if (!signal.aborted) this.#take(partition, position, fetched);
    }
  }

  /** Waits while the batch is full or writing is paused; false if it waited. */
  async #gateOpen(position: Position, signal: AbortSignal): Promise<boolean> {
    const paused = this.#options.paused();
    if (paused === undefined && !this.#filling.spool.full) return true;
    position.state = paused === undefined ? position.state : "paused";
    position.reason = paused;
    await this.changed.wait(GATE_LOOK_MS, signal);
    return false;
  }

  #take(partition: number, position: Position, fetched: Fetched): void {
    // Another offset than asked for would skip or repeat records (design section 5, gaps).
    if (fetched.fetchOffset !== position.offset) {
      throw new Error(
        `Cannot take a fetch of "${fetched.topic}/${partition}": asked for offset ` +
          `${position.offset}, got ${fetched.fetchOffset}`,
      );
    }
    const { spool, samples } = this.#filling;
    const range = { from: position.offset, next: fetched.nextOffset, first: position.first };
    const before = spool.records;
    spool.add(partition, range, fetched.records, this.#options.accept);
    if (fetched.records.count > 0) samples.add(fetched.records);
    position.offset = fetched.nextOffset;
    position.stable = fetched.stable;
    position.end = fetched.end;
    position.state = "running";
    position.reason = undefined;
    if (spool.full || (before === 0 && spool.records > 0)) this.changed.notify();
  }

  #failed(partition: number, position: Position, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    position.reason = message;
    if (error instanceof OffsetOutOfRangeError) {
      position.state = "gap";
      position.reason = `offset ${position.offset} is not in the log any more; ` +
        "`deno task resume --accept-gap` goes on behind the gap and records it";
    } else {
      position.state = "waiting";
    }
    this.#options.onError(error, partition);
  }
}

/** No stored offset: the log's start, never its end. A stored one must be in the log. */
function startPosition(stored: number | undefined, log: PartitionOffsets): Position {
  const { start, stable, end } = log;
  const position: Position = {
    offset: stored ?? start,
    first: stored === undefined,
    state: "running",
    reason: undefined,
    stable,
    end,
  };
  if (stored === undefined || (stored >= start && stored <= stable)) return position;
  const where = stored < start
    ? `records ${stored} to ${start - 1} are gone from the log`
    : `the log ends at ${stable}, before what the table has consumed (${stored})`;
  return {
    ...position,
    state: "gap",
    reason: `${where}; \`deno task resume --accept-gap\` goes on behind the gap and records it`,
  };
}
