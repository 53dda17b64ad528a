/** What is generated and not yet acknowledged: bounded, in order, cut into units of one send. */
import { HEADER_INJECTED, HEADER_SCHEMA_VERSION } from "../contracts/headers.ts";
import { SCHEMA_VERSION } from "../contracts/services.ts";
import type { PartitionBatch } from "../broker/port.ts";
import { Bell } from "./bell.ts";

/** A record on its way. */
export interface OutgoingRecord {
  partition: number;
  key: Uint8Array;
  value: Uint8Array;
  injected: string;
}

/** What goes out in one send. Its shares stay the same objects until all of it is acknowledged. */
export interface SendUnit {
  shares: PartitionBatch[];
  count: number;
}

/** Options of {@linkcode Outbox}. */
export interface OutboxOptions {
  topic: string;
  /** Most records that are held. @default {10_000} */
  messagesMax?: number;
  /** Most records in one send. @default {2_000} */
  unitMessagesMax?: number;
}

const encoder = new TextEncoder();
const SCHEMA_VERSION_BYTES = encoder.encode(SCHEMA_VERSION);

/** A share of a unit. */
export function toShare(
  topic: string,
  partition: number,
  records: readonly OutgoingRecord[],
): PartitionBatch {
  return {
    topic,
    partition,
    batch: {
      keys: records.map((record) => record.key),
      values: records.map((record) => record.value),
      headers: [
        { name: HEADER_SCHEMA_VERSION, values: SCHEMA_VERSION_BYTES },
        {
          name: HEADER_INJECTED,
          values: records.map((record) => encoder.encode(record.injected)),
        },
      ],
    },
  };
}

/** A bounded queue of records in the order they were generated. */
export class Outbox {
  /** Rings when records came in. */
  readonly filled = new Bell();
  /** Rings when records went out. */
  readonly drained = new Bell();
  readonly #topic: string;
  readonly #messagesMax: number;
  readonly #unitMessagesMax: number;
  #waiting: OutgoingRecord[] = [];
  #unit: SendUnit | undefined;
  #unitRecords = 0;

  constructor(options: OutboxOptions) {
    this.#topic = options.topic;
    this.#messagesMax = options.messagesMax ?? 10_000;
    this.#unitMessagesMax = options.unitMessagesMax ?? 2_000;
  }

  /** Records held, those of the unit under way included. */
  get size(): number {
    return this.#waiting.length + this.#unitRecords;
  }

  /** Records that may be added. */
  get room(): number {
    return this.#messagesMax - this.size;
  }

  /** Adds a record. Throws RangeError when there is no room: the caller asked for it before. */
  push(record: OutgoingRecord): void {
    if (this.room <= 0) throw new RangeError(`Cannot hold more than ${this.#messagesMax} records`);
    this.#waiting.push(record);
    this.filled.ring();
  }

  /** The unit to send; the same one until it is acknowledged. Undefined when nothing is held. */
  head(): SendUnit | undefined {
    if (this.#unit === undefined && this.#waiting.length > 0) {
      const records = this.#waiting.splice(0, this.#unitMessagesMax);
      const byPartition = Map.groupBy(records, (record) => record.partition);
      this.#unit = {
        shares: [...byPartition].map(([partition, some]) => toShare(this.#topic, partition, some)),
        count: records.length,
      };
      this.#unitRecords = records.length;
    }
    return this.#unit;
  }

  /** The head's records are in the log, all but those of `rest`, which becomes the head. */
  acknowledge(rest?: SendUnit): void {
    this.#unit = rest === undefined || rest.count === 0 ? undefined : rest;
    this.#unitRecords = this.#unit?.count ?? 0;
    this.drained.ring();
  }
}
