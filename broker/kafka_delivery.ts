/**
 * Brings the batches of one send to their leaders, exactly once within a producer session: each batch
 * keeps its sequence number through every retry, so that one which had arrived is told as a duplicate.
 * Up to five batches of a partition are under way at once, and after a failure all that are not
 * acknowledged go again in order (the broker refuses one whose predecessor is missing).
 */
import type { KafkaClient, NodePool } from "./kafka_client.ts";
import { BrokerRefusalError, CODE, isRetriable, portError } from "./kafka_errors.ts";
import { produce, type ProduceAnswer } from "./kafka_messages_data.ts";
import type { ProducerIdentity } from "./kafka_messages_txn.ts";
import { BATCH_BYTES_MAX, BATCHES_IN_FLIGHT_MAX } from "./limits.ts";
import type { Appended, Share } from "./port.ts";
import { BatchEncoder, type Chunk } from "./record_batch_encode.ts";
import { RecordFrames } from "./record_frames.ts";

/** A producer session: who writes, and the next sequence number of each partition. */
export interface ProducerState {
  client: KafkaClient;
  pool: NodePool;
  identity: ProducerIdentity;
  transactionalId: string | null;
  deadlineMs: number;
  sequences: Map<string, number>;
}

interface PlannedShare {
  share: Share;
  encoder: BatchEncoder | RecordFrames;
  chunks: Chunk[];
  timestamp: number;
}

/** What is still to be encoded for one partition. */
interface Queue {
  topic: string;
  partition: number;
  shares: PlannedShare[];
}

/** An encoded batch that is not acknowledged. */
interface Outgoing {
  topic: string;
  partition: number;
  records: Uint8Array;
  count: number;
  share: Share;
  acknowledged: boolean;
  baseOffset: number;
  error: unknown;
}

const SEQUENCE_MAX = 0x7fffffff;

/** One send; may be run again after UnreachableError, and then goes on where it stopped. */
export class Delivery {
  readonly #state: ProducerState;
  readonly #queues: Queue[];
  readonly #topics: string[];
  #window: Outgoing[] = [];
  readonly #landed = new Map<Share, Appended[]>();

  /** Plans the batches; throws RangeError where columns differ in length. */
  constructor(state: ProducerState, batches: readonly Share[]) {
    this.#state = state;
    const queues = new Map<string, Queue>();
    for (const share of batches) {
      const { topic, partition, batch } = share;
      const key = partitionKey(topic, partition);
      const queue = queues.get(key) ?? { topic, partition, shares: [] };
      const isFramed = batch instanceof RecordFrames;
      const encoder = isFramed ? batch : new BatchEncoder(batch);
      const timestamp = (isFramed ? undefined : batch.timestamp) ?? Date.now();
      const chunks = encoder.plan(BATCH_BYTES_MAX);
      this.#landed.set(share, []);
      if (chunks.length === 0) continue;
      queue.shares.push({ share, encoder, chunks, timestamp });
      queues.set(key, queue);
    }
    this.#queues = [...queues.values()];
    this.#topics = [...new Set(this.#queues.map((queue) => queue.topic))];
  }

  /** Partitions that this send writes to. */
  get partitions(): { topic: string; partition: number }[] {
    return this.#queues.map(({ topic, partition }) => ({ topic, partition }));
  }

  /** Checks that all partitions exist, before any sequence number is given out. */
  async prepare(): Promise<void> {
    await this.#retrying(() => this.#leaders(this.partitions));
  }

  /** Resolves when every batch is acknowledged, with the places of each share's batches. */
  async run(): Promise<ReadonlyMap<Share, Appended[]>> {
    while (true) {
      if (this.#window.length === 0) this.#fill();
      if (this.#window.length === 0) return this.#landed;
      await this.#retrying(() => this.#attempt());
      for (const { share, topic, partition, baseOffset, count } of this.#window) {
        this.#landed.get(share)!.push({ topic, partition, baseOffset, count });
      }
      this.#window = [];
    }
  }

  #retrying<T>(attempt: () => Promise<T>): Promise<T> {
    const { client, deadlineMs } = this.#state;
    const action = `produce to ${this.#topics.map((topic) => `"${topic}"`).join(", ")}`;
    return client.retrying({ action, topics: this.#topics, deadlineMs }, attempt);
  }

  async #leaders(of: { topic: string; partition: number }[]): Promise<Map<string, number>> {
    const leaders = new Map<string, number>();
    for (const { topic, partition } of of) {
      const key = partitionKey(topic, partition);
      leaders.set(key, await this.#state.client.leaderOf(topic, partition));
    }
    return leaders;
  }

  /** Encodes the next few batches of each partition. */
  #fill(): void {
    for (const queue of this.#queues) {
      for (let i = 0; i < BATCHES_IN_FLIGHT_MAX; i++) {
        const share = queue.shares[0];
        const chunk = share?.chunks.shift();
        if (share === undefined || chunk === undefined) break;
        if (share.chunks.length === 0) queue.shares.shift();
        this.#window.push(this.#encode(queue, share, chunk));
      }
    }
  }

  #encode(queue: Queue, share: PlannedShare, chunk: Chunk): Outgoing {
    const { identity, sequences, transactionalId } = this.#state;
    const { topic, partition } = queue;
    const key = partitionKey(topic, partition);
    const baseSequence = sequences.get(key) ?? 0;
    const count = chunk.to - chunk.from;
    sequences.set(key, nextSequence(baseSequence, count));
    const records = share.encoder.encode(chunk, {
      timestamp: share.timestamp,
      ...identity,
      baseSequence,
      transactional: transactionalId !== null,
    });
    const unsent = { acknowledged: false, baseOffset: -1, error: undefined };
    return { topic, partition, records, count, share: share.share, ...unsent };
  }

  /** Sends all that is not acknowledged, in order; throws the error that decides what to do. */
  async #attempt(): Promise<void> {
    const waiting = this.#window.filter((batch) => !batch.acknowledged);
    for (const batch of waiting) batch.error = undefined;
    const leaders = await this.#leaders(waiting);
    const connections = new Map(
      await Promise.all(
        [...new Set(leaders.values())].map(async (nodeId) =>
          [nodeId, await this.#state.pool.connection(nodeId)] as const
        ),
      ),
    );
    const sends = rounds(waiting).flatMap((round) => {
      const byLeader = Map.groupBy(
        round,
        (batch) => leaders.get(partitionKey(batch.topic, batch.partition))!,
      );
      return [...byLeader].map(async ([nodeId, batches]) => {
        const message = produce({
          transactionalId: this.#state.transactionalId,
          ackMsMax: this.#state.client.requestMsMax,
          parts: batches,
        });
        try {
          acknowledge(batches, await connections.get(nodeId)!.send(message));
        } catch (error) {
          for (const batch of batches) batch.error = error;
        }
      });
    });
    await Promise.all(sends);
    const error = decidingError(waiting);
    if (error !== undefined) throw error;
  }
}

/** Names a partition in maps. */
export function partitionKey(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}

/** Sequence numbers go from 2^31 - 1 on to 0. */
export function nextSequence(sequence: number, count: number): number {
  const next = sequence + count;
  return next > SEQUENCE_MAX ? next - SEQUENCE_MAX - 1 : next;
}

/** The k-th batch of every partition, for each k: a request takes one batch per partition. */
function rounds(batches: Outgoing[]): Outgoing[][] {
  const result: Outgoing[][] = [];
  const taken = new Map<string, number>();
  for (const batch of batches) {
    const key = partitionKey(batch.topic, batch.partition);
    const round = taken.get(key) ?? 0;
    taken.set(key, round + 1);
    (result[round] ??= []).push(batch);
  }
  return result;
}

function acknowledge(
  batches: Outgoing[],
  answers: readonly ProduceAnswer[],
): void {
  for (const batch of batches) {
    const { topic, partition } = batch;
    const answer = answers.find((each) => each.topic === topic && each.partition === partition);
    const code = answer?.code ?? -1;
    // A duplicate among a partition's last five batches is answered with the place it has.
    if (code === 0 || code === CODE.duplicateSequence) {
      batch.acknowledged = true;
      batch.baseOffset = answer!.baseOffset;
    } else batch.error = new BrokerRefusalError(code, `produce to "${topic}/${partition}"`);
  }
}

/**
 * The first error of each partition is the real one (those behind it are refused as out of order);
 * among partitions one that is final goes before one that can be retried.
 */
function decidingError(batches: Outgoing[]): unknown {
  const firsts = new Map<string, unknown>();
  for (const { topic, partition, acknowledged, error } of batches) {
    const key = partitionKey(topic, partition);
    if (!acknowledged && !firsts.has(key)) firsts.set(key, error);
  }
  const errors = [...firsts.values()];
  const final = errors.find((error) => !isRetriable(error));
  return final === undefined ? errors[0] : portError(final);
}
