/** The Kafka adapter's reader: fetches by explicit assignment, without a group. */
import { countFetched } from "./crc32c_addon.ts";
import type { KafkaClient, NodePool } from "./kafka_client.ts";
import { CODE, refuse } from "./kafka_errors.ts";
import { type FetchAnswer, fetchPartition, type FetchRequest } from "./kafka_messages_data.ts";
import { FETCH_BYTES_MAX, FETCH_WAIT_MS_MAX } from "./limits.ts";
import {
  type Fetched,
  type FetchOptions,
  type Isolation,
  OffsetOutOfRangeError,
  type Reader,
} from "./port.ts";
import { decodeRecordBatches } from "./record_batch_decode.ts";
import { ColumnMemory } from "./record_columns.ts";

/** A partition's own connection: a fetch that waits holds up nobody else's, and may use the memory of the one before. */
interface Lane {
  pool: NodePool;
  columns: ColumnMemory;
  /** Of the last answer: what `bytesMax` limits is memory, and what the broker counts is the log. */
  expansion: number;
  /** An answer without records although there should be some, and how far it reached. */
  hole: { offset: number; readable: number } | undefined;
}

/** See {@linkcode Reader}. */
export class KafkaReader implements Reader {
  readonly #client: KafkaClient;
  readonly #isolation: Isolation;
  readonly #checkCrc: boolean;
  readonly #lanes = new Map<string, Lane>();
  readonly #closed = new AbortController();

  constructor(client: KafkaClient, options: { isolation: Isolation; checkCrc: boolean }) {
    this.#client = client;
    this.#isolation = options.isolation;
    this.#checkCrc = options.checkCrc;
  }

  fetch(topic: string, partition: number, options: FetchOptions): Promise<Fetched> {
    const { offset, bytesMax = FETCH_BYTES_MAX, waitMsMax = FETCH_WAIT_MS_MAX } = options;
    const signal = options.signal === undefined
      ? this.#closed.signal
      : AbortSignal.any([options.signal, this.#closed.signal]);
    const lane = this.#lane(topic, partition);
    const isolation = this.#isolation;
    const request = { topic, partition, offset, bytesMax, waitMsMax, isolation };
    const action = `fetch "${topic}/${partition}" at offset ${offset}`;
    return this.#client.retrying({ action, topics: [topic], signal }, async () => {
      const leader = await this.#client.leaderOf(topic, partition);
      const sent = lane.pool.send(leader, fetchPartition(asLog(request, lane)), {
        waitMs: waitMsMax,
      });
      const answer = await untilAborted(sent, signal);
      if (answer.code === CODE.offsetOutOfRange) {
        throw new OffsetOutOfRangeError(topic, partition, offset);
      }
      refuse(answer.code, action);
      return this.#fetched(lane, request, answer);
    });
  }

  #lane(topic: string, partition: number): Lane {
    const key = `${topic}/${partition}`;
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      lane = {
        pool: this.#client.openPool("reused"),
        columns: new ColumnMemory(),
        expansion: 1,
        hole: undefined,
      };
      this.#lanes.set(key, lane);
    }
    return lane;
  }

  #fetched(lane: Lane, request: FetchRequest, answer: FetchAnswer): Fetched {
    const { topic, partition, offset } = request;
    const { logStart, stable, end, aborted } = answer;
    countFetched(answer.records.length);
    const { records, nextOffset, expansion } = decodeRecordBatches(answer.records, {
      fetchOffset: offset,
      isolation: this.#isolation,
      aborted,
      checkCrc: this.#checkCrc,
      columns: lane.columns,
      unpackedBytesMax: request.bytesMax,
    });
    if (records.count > 0) lane.expansion = expansion;
    return {
      topic,
      partition,
      fetchOffset: offset,
      nextOffset: answer.records.length > 0 ? nextOffset : this.#afterEmpty(lane, request, answer),
      records,
      logStart,
      stable,
      end,
    };
  }

  /**
   * Cleaning may have removed everything between the offset and the end, and the broker then answers
   * nothing for ever (its end was taken before its read, so records cannot have come between). Believed
   * at the second such answer in a row, and never of a throttled one, which is empty for another reason.
   */
  #afterEmpty(lane: Lane, { offset }: FetchRequest, answer: FetchAnswer): number {
    const readable = this.#isolation === "committed" ? answer.stable : answer.end;
    if (answer.throttleMs > 0 || offset >= readable) {
      lane.hole = undefined;
      return offset;
    }
    const seen = lane.hole;
    lane.hole = { offset, readable };
    return seen?.offset === offset ? seen.readable : offset;
  }

  async close(): Promise<void> {
    this.#closed.abort(new Error("Cannot fetch: the reader is closed"));
    await Promise.all([...this.#lanes.values()].map(({ pool }) => pool.close()));
  }
}

/** The request with `bytesMax` in bytes of the log, as the broker counts. */
function asLog(request: FetchRequest, { expansion }: Lane): FetchRequest {
  return { ...request, bytesMax: Math.ceil(request.bytesMax / expansion) };
}

/** The value, or the signal's reason. What is given up is dropped when it comes. */
function untilAborted<T>(value: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    const stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    value.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}
