/** The Kafka adapter's writers: producer sessions over our own requests. */
import type { KafkaClient, NodePool } from "./kafka_client.ts";
import type { Message } from "./kafka_connection.ts";
import { Delivery, partitionKey, type ProducerState } from "./kafka_delivery.ts";
import { CODE, ConnectionLostError, refuse } from "./kafka_errors.ts";
import { addPartitionsToTxn, endTxn, initProducerId } from "./kafka_messages_txn.ts";
import {
  type Appended,
  type PartitionBatch,
  type Share,
  type TransactionalWriter,
  UnreachableError,
  type Writer,
} from "./port.ts";
import { WriterPhase } from "./writer_phase.ts";

/** Transactions: one coordinator, one session, no way back after an error. */
export class KafkaTransactionalWriter implements TransactionalWriter {
  readonly transactionalId: string;
  readonly #state: ProducerState;
  readonly #phase: WriterPhase;
  /** Partitions of the open transaction. */
  readonly #partitions = new Set<string>();

  private constructor(transactionalId: string, state: ProducerState) {
    this.transactionalId = transactionalId;
    this.#state = state;
    this.#phase = new WriterPhase(transactionalId);
  }

  /**
   * InitProducerId: the epoch it gets fences every earlier writer of the id; it answers only when the
   * predecessor's transaction is settled (until then CONCURRENT_TRANSACTIONS, retried).
   */
  static async open(
    client: KafkaClient,
    transactionalId: string,
    transactionTimeoutMs: number,
  ): Promise<KafkaTransactionalWriter> {
    const pool = client.openPool();
    try {
      const { producerId, producerEpoch } = await client.askCoordinator(
        initProducerId(transactionalId, transactionTimeoutMs),
        {
          action: `open a writer as "${transactionalId}"`,
          coordinator: { type: "transaction", key: transactionalId },
          pool,
        },
        ({ code }) => refuse(code, `open a writer as "${transactionalId}"`),
      );
      return new KafkaTransactionalWriter(transactionalId, {
        client,
        pool,
        identity: { producerId, producerEpoch },
        transactionalId,
        deadlineMs: Math.min(client.deadlineMs, transactionTimeoutMs),
        sequences: new Map(),
      });
    } catch (error) {
      await pool.close();
      throw error;
    }
  }

  begin(): void {
    this.#phase.begin();
  }

  send(batches: readonly Share[]): Promise<void> {
    return this.#phase.send(async () => {
      const delivery = new Delivery(this.#state, batches);
      await delivery.prepare();
      await this.#addPartitions(delivery.partitions);
      await delivery.run();
    });
  }

  async #addPartitions(all: { topic: string; partition: number }[]): Promise<void> {
    const added = all.filter(({ topic, partition }) =>
      !this.#partitions.has(partitionKey(topic, partition))
    );
    if (added.length === 0) return;
    const action = `add partitions to the transaction of "${this.transactionalId}"`;
    await this.#ask(
      action,
      addPartitionsToTxn(this.transactionalId, this.#state.identity, added),
      (answers) => {
        // OPERATION_NOT_ATTEMPTED only says that another partition was refused.
        const refused = answers.filter(({ code }) => code !== 0);
        const real = refused.find(({ code }) => code !== CODE.operationNotAttempted) ?? refused[0];
        refuse(real?.code ?? 0, action);
      },
    );
    for (const { topic, partition } of added) this.#partitions.add(partitionKey(topic, partition));
  }

  commit(): Promise<void> {
    return this.#end(true);
  }

  abort(): Promise<void> {
    return this.#end(false);
  }

  #end(commit: boolean): Promise<void> {
    const name = commit ? "commit" : "abort";
    return this.#phase.end(name, async () => {
      if (this.#partitions.size === 0) return; // the coordinator knows of no transaction
      const action = `${name} the transaction of "${this.transactionalId}"`;
      await this.#ask(
        action,
        endTxn(this.transactionalId, this.#state.identity, commit),
        ({ code }) => refuse(code, action),
        // An end that is still on its way could end a later transaction: never sent twice.
        { retryLost: false },
      );
      this.#partitions.clear();
    });
  }

  #ask<T>(
    action: string,
    message: Message<T>,
    check: (answer: T) => void,
    options: { retryLost?: boolean } = {},
  ): Promise<T> {
    const { client, pool, deadlineMs } = this.#state;
    const coordinator = { type: "transaction", key: this.transactionalId } as const;
    return client.askCoordinator(
      message,
      { action, coordinator, pool, deadlineMs, ...options },
      check,
    );
  }

  async close(): Promise<void> {
    this.#phase.close();
    await this.#state.pool.close();
  }
}

/**
 * An idempotent producer. Its session begins with the first send, so opening needs no broker.
 *
 * What UnreachableError leaves undone stays here, under its sequence numbers, and goes first at the
 * next send.
 */
export class KafkaWriter implements Writer {
  readonly #client: KafkaClient;
  readonly #pool: NodePool;
  #state: ProducerState | undefined;
  /** Shares that are in the log, and where: a share sent again is answered from here. */
  readonly #landed = new WeakMap<Share, Appended[]>();
  #unfinished: Delivery | undefined;
  #failure: unknown;
  #closed = false;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(client: KafkaClient) {
    this.#client = client;
    this.#pool = client.openPool();
  }

  send(batches: readonly PartitionBatch[]): Promise<Appended[]> {
    const done = this.#tail.then(() => this.#send(batches));
    this.#tail = done.catch(() => {}); // the caller has it
    return done;
  }

  async #send(batches: readonly PartitionBatch[]): Promise<Appended[]> {
    if (this.#closed) throw new Error("Cannot send: the writer is closed");
    if (this.#failure !== undefined) {
      throw new Error("Cannot send: the writer is dead", { cause: this.#failure });
    }
    try {
      await this.#finish();
      const fresh = batches.filter((share) => !this.#landed.has(share));
      if (fresh.length > 0) {
        this.#state ??= await this.#open();
        const delivery = new Delivery(this.#state, fresh);
        await delivery.prepare();
        this.#unfinished = delivery;
        await this.#finish();
      }
      return batches.flatMap((share) => this.#landed.get(share) ?? []);
    } catch (error) {
      if (!(error instanceof UnreachableError)) this.#failure = error;
      throw error;
    }
  }

  async #finish(): Promise<void> {
    if (this.#unfinished === undefined) return;
    for (const [share, places] of await this.#unfinished.run()) this.#landed.set(share, places);
    this.#unfinished = undefined;
  }

  async #open(): Promise<ProducerState> {
    const client = this.#client;
    const pool = this.#pool;
    const identity = await client.retrying({ action: "open a writer" }, async () => {
      const { nodes } = await client.metadata([]);
      const node = nodes[0];
      if (node === undefined) throw new ConnectionLostError("Cannot open a writer: no nodes");
      const answer = await pool.send(node.id, initProducerId(null, client.deadlineMs));
      refuse(answer.code, "open a writer");
      return { producerId: answer.producerId, producerEpoch: answer.producerEpoch };
    });
    return {
      client,
      pool,
      identity,
      transactionalId: null,
      deadlineMs: client.deadlineMs,
      sequences: new Map(),
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#pool.close();
  }
}
