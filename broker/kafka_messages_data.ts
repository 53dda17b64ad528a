/** Requests about records: Produce, Fetch, ListOffsets (https://kafka.apache.org/protocol). */
import type { Message } from "./kafka_connection.ts";
import type { Isolation } from "./port.ts";
import type { AbortedTransaction } from "./record_batch_decode.ts";

/** One partition's batch in a produce request. */
export interface ProducePart {
  topic: string;
  partition: number;
  records: Uint8Array;
}

/** One partition's answer to a produce request. */
export interface ProduceAnswer {
  topic: string;
  partition: number;
  code: number;
  baseOffset: number;
}

/** Groups items by topic, in order of first appearance, as most requests want them. */
export function byTopic<T extends { topic: string }>(items: readonly T[]): [string, T[]][] {
  return [...Map.groupBy(items, (item) => item.topic)];
}

/** Produce v7; at most one batch per partition. */
export function produce(
  options: {
    transactionalId: string | null;
    /** How long the broker may wait for its replicas. */
    ackMsMax: number;
    parts: readonly ProducePart[];
  },
): Message<ProduceAnswer[]> {
  return {
    name: "Produce",
    key: 0,
    version: 7,
    write(w) {
      w.string(options.transactionalId);
      w.int16(-1); // acks: all in-sync replicas
      w.int32(options.ackMsMax);
      w.array(byTopic(options.parts), ([topic, parts]) => {
        w.string(topic);
        w.array(parts, (part) => {
          w.int32(part.partition);
          w.shared(part.records);
        });
      });
    },
    read(r) {
      const answers = r.array(() => {
        const topic = r.string();
        return r.array(() => {
          const answer = { topic, partition: r.int32(), code: r.int16(), baseOffset: r.int64() };
          r.int64(); // log append time
          r.int64(); // log start offset
          return answer;
        });
      });
      return answers.flat();
    },
  };
}

/** What a fetch request asks of one partition. */
export interface FetchRequest {
  topic: string;
  partition: number;
  offset: number;
  bytesMax: number;
  waitMsMax: number;
  isolation: Isolation;
}

/** What the leader answers. */
export interface FetchAnswer {
  code: number;
  throttleMs: number;
  end: number;
  stable: number;
  logStart: number;
  aborted: AbortedTransaction[];
  records: Uint8Array;
}

/** Fetch v11 of one partition, outside fetch sessions. */
export function fetchPartition(request: FetchRequest): Message<FetchAnswer> {
  return {
    name: "Fetch",
    key: 1,
    version: 11,
    write(w) {
      w.int32(-1); // replica id: a consumer
      w.int32(request.waitMsMax);
      w.int32(1); // min bytes
      w.int32(request.bytesMax);
      w.int8(request.isolation === "committed" ? 1 : 0);
      w.int32(0); // session id
      w.int32(-1); // session epoch: none
      w.array([request], ({ topic, partition, offset, bytesMax }) => {
        w.string(topic);
        w.array([partition], () => {
          w.int32(partition);
          w.int32(-1); // leader epoch: unknown
          w.int64(offset);
          w.int64(-1); // log start offset: followers only
          w.int32(bytesMax);
        });
      });
      w.array([], () => {}); // forgotten topics
      w.string(""); // rack
    },
    read(r) {
      const throttleMs = r.int32();
      const wholeCode = r.int16();
      r.int32(); // session id
      const [answer] = r.array(() => {
        r.string(); // topic
        return r.array(() => {
          r.int32(); // partition
          const code = r.int16();
          const [end, stable, logStart] = [r.int64(), r.int64(), r.int64()];
          const aborted = r.array(() => ({ producerId: r.int64(), firstOffset: r.int64() }));
          r.int32(); // preferred read replica
          return { code, throttleMs, end, stable, logStart, aborted, records: r.bytes() };
        })[0]!;
      });
      return answer ?? {
        code: wholeCode === 0 ? -1 : wholeCode,
        throttleMs,
        end: -1,
        stable: -1,
        logStart: -1,
        aborted: [],
        records: new Uint8Array(0),
      };
    },
  };
}

/** Special timestamps of ListOffsets. */
export const EARLIEST = -2;
/** See {@linkcode EARLIEST}; with isolation `committed` the last stable offset, else the high watermark. */
export const LATEST = -1;

/** ListOffsets v2. */
export function listOffsets(
  options: {
    topic: string;
    partitions: readonly number[];
    timestamp: typeof EARLIEST | typeof LATEST;
    isolation: Isolation;
  },
): Message<{ partition: number; code: number; offset: number }[]> {
  return {
    name: "ListOffsets",
    key: 2,
    version: 2,
    write(w) {
      w.int32(-1); // replica id: a consumer
      w.int8(options.isolation === "committed" ? 1 : 0);
      w.array([options.topic], (topic) => {
        w.string(topic);
        w.array(options.partitions, (partition) => {
          w.int32(partition);
          w.int64(options.timestamp);
        });
      });
    },
    read(r) {
      r.int32(); // throttle
      const topics = r.array(() => {
        r.string(); // topic
        return r.array(() => {
          const [partition, code] = [r.int32(), r.int16()];
          r.int64(); // timestamp
          return { partition, code, offset: r.int64() };
        });
      });
      return topics.flat();
    },
  };
}
