/** Requests of transactional producers: InitProducerId, AddPartitionsToTxn, EndTxn (KIP-98). */
import type { Message } from "./kafka_connection.ts";
import { byTopic } from "./kafka_messages_data.ts";

/** A producer session, as the coordinator numbers it. */
export interface ProducerIdentity {
  producerId: number;
  producerEpoch: number;
}

/** InitProducerId v1. Null for a producer outside transactions. */
export function initProducerId(
  transactionalId: string | null,
  transactionTimeoutMs: number,
): Message<ProducerIdentity & { code: number }> {
  return {
    name: "InitProducerId",
    key: 22,
    version: 1,
    write(w) {
      w.string(transactionalId);
      w.int32(transactionTimeoutMs);
    },
    read(r) {
      r.int32(); // throttle
      return { code: r.int16(), producerId: r.int64(), producerEpoch: r.int16() };
    },
  };
}

/** AddPartitionsToTxn v1. */
export function addPartitionsToTxn(
  transactionalId: string,
  producer: ProducerIdentity,
  partitions: readonly { topic: string; partition: number }[],
): Message<{ topic: string; partition: number; code: number }[]> {
  return {
    name: "AddPartitionsToTxn",
    key: 24,
    version: 1,
    write(w) {
      w.string(transactionalId);
      w.int64(producer.producerId);
      w.int16(producer.producerEpoch);
      w.array(byTopic(partitions), ([topic, of]) => {
        w.string(topic);
        w.array(of, ({ partition }) => w.int32(partition));
      });
    },
    read(r) {
      r.int32(); // throttle
      const topics = r.array(() => {
        const topic = r.string();
        return r.array(() => ({ topic, partition: r.int32(), code: r.int16() }));
      });
      return topics.flat();
    },
  };
}

/** EndTxn v1. */
export function endTxn(
  transactionalId: string,
  producer: ProducerIdentity,
  commit: boolean,
): Message<{ code: number }> {
  return {
    name: "EndTxn",
    key: 26,
    version: 1,
    write(w) {
      w.string(transactionalId);
      w.int64(producer.producerId);
      w.int16(producer.producerEpoch);
      w.bool(commit);
    },
    read(r) {
      r.int32(); // throttle
      return { code: r.int16() };
    },
  };
}
