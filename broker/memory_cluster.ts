/** The state of the in-process broker: topics with their logs, and the transaction coordinator. */
import { PartitionLog } from "./memory_log.ts";
import {
  type Appended,
  FencedError,
  type Share,
  TooLargeError,
  type TopicSpec,
  UnknownTopicError,
} from "./port.ts";
import { BatchEncoder } from "./record_batch_encode.ts";
import { RecordFrames } from "./record_frames.ts";
import { uuidText } from "./wire.ts";

/** Kafka's default of max.message.bytes. */
const MESSAGE_BYTES_MAX = 1_048_588;

/** A topic of the in-process broker. */
export interface MemoryTopic {
  name: string;
  id: string;
  settings: Record<string, string>;
  logs: PartitionLog[];
}

/** What a transactional id is at: Kafka's coordinator keeps the same, in __transaction_state. */
interface TransactionalProducer {
  producerId: number;
  epoch: number;
  timeoutMs: number;
  /** When the open transaction began; undefined when none is open. */
  openSince: number | undefined;
  logs: Set<PartitionLog>;
}

/** Names a producer session: a later one with the same id has a higher epoch. */
export interface ProducerSession {
  transactionalId: string | undefined;
  producerId: number;
  epoch: number;
  /** Next sequence number per log. */
  sequences: Map<PartitionLog, number>;
}

/** Topics, logs and transactions behind every client of one in-process broker. */
export class MemoryCluster {
  readonly #clock: () => number;
  readonly #topics = new Map<string, MemoryTopic>();
  readonly #producers = new Map<string, TransactionalProducer>();
  #producerIds = 0;
  #topicIds = 0;

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** The topic, if it exists. */
  findTopic(name: string): MemoryTopic | undefined {
    return this.#topics.get(name);
  }

  /** The topic. Throws UnknownTopicError. */
  topic(name: string): MemoryTopic {
    const topic = this.#topics.get(name);
    if (topic === undefined) throw new UnknownTopicError(`Cannot find topic "${name}"`);
    return topic;
  }

  /** The log of a partition. Throws UnknownTopicError. */
  log(topic: string, partition: number): PartitionLog {
    const log = this.topic(topic).logs[partition];
    if (log === undefined) {
      throw new UnknownTopicError(`Cannot find partition "${topic}/${partition}"`);
    }
    return log;
  }

  /** Creates a topic unless it is there. A topic made anew has another id. */
  createTopic(spec: TopicSpec): void {
    if (this.#topics.has(spec.name)) return;
    const id = new Uint8Array(16);
    new DataView(id.buffer).setUint32(12, ++this.#topicIds);
    this.#topics.set(spec.name, {
      name: spec.name,
      id: uuidText(id),
      settings: { ...spec.settings },
      logs: Array.from({ length: spec.partitions }, () => new PartitionLog()),
    });
  }

  /** Adds partitions up to `partitions`. Throws RangeError for fewer than there are. */
  growTopic(name: string, partitions: number): void {
    const { logs } = this.topic(name);
    if (partitions < logs.length) {
      throw new RangeError(
        `Cannot grow topic "${name}" to ${partitions} partitions: it has ${logs.length}`,
      );
    }
    while (logs.length < partitions) logs.push(new PartitionLog());
  }

  deleteTopic(name: string): void {
    this.#topics.delete(name);
  }

  /** InitProducerId: fences the id's predecessor and aborts what it left open. */
  openSession(transactionalId: string | undefined, timeoutMs: number): ProducerSession {
    const sequences = new Map<PartitionLog, number>();
    if (transactionalId === undefined) {
      return { transactionalId, producerId: ++this.#producerIds, epoch: 0, sequences };
    }
    this.expireTransactions();
    const known = this.#producers.get(transactionalId);
    if (known === undefined) {
      const producerId = ++this.#producerIds;
      this.#producers.set(transactionalId, {
        producerId,
        epoch: 0,
        timeoutMs,
        openSince: undefined,
        logs: new Set(),
      });
      return { transactionalId, producerId, epoch: 0, sequences };
    }
    known.epoch++;
    known.timeoutMs = timeoutMs;
    this.#finish(known, false);
    return { transactionalId, producerId: known.producerId, epoch: known.epoch, sequences };
  }

  /** Throws FencedError when a later session has taken the id. */
  check(session: ProducerSession): TransactionalProducer | undefined {
    this.expireTransactions();
    if (session.transactionalId === undefined) return undefined;
    const producer = this.#producers.get(session.transactionalId);
    if (producer === undefined || producer.epoch !== session.epoch) {
      throw new FencedError(
        `Cannot write as "${session.transactionalId}": another writer has taken the id`,
      );
    }
    return producer;
  }

  /** Appends one partition's share, in batches of at most `bytesMax` bytes. Returns where they are. */
  append(session: ProducerSession, share: Share, bytesMax: number): Appended[] {
    const appended: Appended[] = [];
    const producer = this.check(session);
    const topic = this.topic(share.topic);
    const log = this.log(share.topic, share.partition);
    refuseNullKeys(topic, share.batch);
    const { batch } = share;
    const isFramed = batch instanceof RecordFrames;
    const encoder = isFramed ? batch : new BatchEncoder(batch);
    const timestamp = (isFramed ? undefined : batch.timestamp) ?? this.#clock();
    const now = this.#clock();
    const messageBytesMax = Number(topic.settings["max.message.bytes"] ?? MESSAGE_BYTES_MAX);
    const logAppendTime = topic.settings["message.timestamp.type"] === "LogAppendTime";
    for (const chunk of encoder.plan(bytesMax)) {
      const baseSequence = session.sequences.get(log) ?? 0;
      const bytes = encoder.encode(chunk, {
        timestamp,
        producerId: session.producerId,
        producerEpoch: session.epoch,
        baseSequence,
        transactional: producer !== undefined,
      });
      // As a broker does, of the batch as it comes: packed, where it is packed.
      if (bytes.length > messageBytesMax) {
        throw new TooLargeError(
          `Cannot append to "${share.topic}/${share.partition}": a batch of ${bytes.length} bytes, at most ${messageBytesMax}`,
        );
      }
      if (producer !== undefined) {
        producer.openSince ??= now;
        producer.logs.add(log);
      }
      session.sequences.set(log, baseSequence + chunk.to - chunk.from);
      const count = chunk.to - chunk.from;
      appended.push({ topic: share.topic, partition: share.partition, baseOffset: log.end, count });
      // Frames lie in a buffer that is used again, as a request's bytes are.
      log.append(isFramed ? bytes.slice() : bytes, count, {
        producerId: session.producerId,
        transactional: producer !== undefined,
        ...(logAppendTime ? { logAppendTime: now } : {}),
      });
    }
    return appended;
  }

  /** A topic's settings, with the defaults of those that this cluster obeys. */
  settingsOf(topic: string): Map<string, string> {
    return new Map(Object.entries({
      "cleanup.policy": "delete",
      "max.message.bytes": String(MESSAGE_BYTES_MAX),
      "message.timestamp.type": "CreateTime",
      ...this.topic(topic).settings,
    }));
  }

  /** EndTxn. */
  endTransaction(session: ProducerSession, commit: boolean): void {
    const producer = this.check(session);
    if (producer !== undefined) this.#finish(producer, commit);
  }

  /** Aborts transactions that are open for longer than their timeout and fences their writers. */
  expireTransactions(): void {
    const now = this.#clock();
    for (const producer of this.#producers.values()) {
      if (producer.openSince !== undefined && now - producer.openSince > producer.timeoutMs) {
        producer.epoch++;
        this.#finish(producer, false);
      }
    }
  }

  #finish(producer: TransactionalProducer, commit: boolean): void {
    for (const log of producer.logs) {
      log.endTransaction({
        producerId: producer.producerId,
        producerEpoch: producer.epoch,
        commit,
        timestamp: this.#clock(),
      });
    }
    producer.logs.clear();
    producer.openSince = undefined;
  }
}

/** Kafka answers INVALID_RECORD: a compacted topic cannot keep what has no key. */
function refuseNullKeys(topic: MemoryTopic, batch: Share["batch"]): void {
  const hasNullKey = batch instanceof RecordFrames ? batch.hasNullKey : batch.keys.includes(null);
  if (topic.settings["cleanup.policy"]?.includes("compact") && hasNullKey) {
    throw new Error(`Cannot append to "${topic.name}": a compacted topic takes no null keys`);
  }
}
