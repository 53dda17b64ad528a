/** Reader and writers of the in-process broker. */
import type { MemoryCluster, ProducerSession } from "./memory_cluster.ts";
import type { MemoryFaults } from "./memory_faults.ts";
import type { PartitionLog } from "./memory_log.ts";
import {
  type Appended,
  type Fetched,
  type FetchOptions,
  type Isolation,
  OffsetOutOfRangeError,
  type PartitionBatch,
  type Reader,
  type Share,
  type TransactionalWriter,
  UnreachableError,
  type Writer,
} from "./port.ts";
import { decodeRecordBatches } from "./record_batch_decode.ts";
import { ColumnMemory } from "./record_columns.ts";
import { BATCH_BYTES_MAX, FETCH_BYTES_MAX, FETCH_WAIT_MS_MAX } from "./limits.ts";
import { WriterPhase } from "./writer_phase.ts";

/** What every client of the in-process broker shares. */
export interface MemoryContext {
  cluster: MemoryCluster;
  faults: MemoryFaults;
}

/** See {@linkcode Reader}. */
export class MemoryReader implements Reader {
  readonly #context: MemoryContext;
  readonly #isolation: Isolation;
  readonly #closed = new AbortController();
  /** Bytes and columns of each partition's last fetch. */
  readonly #lent = new Map<string, { bytes: Uint8Array; columns: ColumnMemory }>();

  constructor(context: MemoryContext, isolation: Isolation) {
    this.#context = context;
    this.#isolation = isolation;
  }

  fetch(topic: string, partition: number, options: FetchOptions): Promise<Fetched> {
    const { cluster, faults } = this.#context;
    this.#takeBack(topic, partition);
    return faults.around("fetch", { topic, partition }, async () => {
      const { offset, waitMsMax = FETCH_WAIT_MS_MAX, bytesMax = FETCH_BYTES_MAX, signal } = options;
      const signals = [this.#closed.signal, ...(signal === undefined ? [] : [signal])];
      const deadline = performance.now() + waitMsMax;
      while (true) {
        for (const each of signals) each.throwIfAborted();
        cluster.expireTransactions();
        const log = cluster.log(topic, partition);
        if (!log.has(offset)) throw new OffsetOutOfRangeError(topic, partition, offset);
        const slice = log.read(offset, { isolation: this.#isolation, bytesMax });
        const waitMs = deadline - performance.now();
        if (slice.bytes.length > 0 || slice.hole || waitMs <= 0) {
          const bytes = slice.bytes.slice();
          const place = `${topic}/${partition}`;
          const columns = this.#lent.get(place)?.columns ?? new ColumnMemory();
          this.#lent.set(place, { bytes, columns });
          const decoded = decodeRecordBatches(bytes, {
            fetchOffset: offset,
            isolation: this.#isolation,
            aborted: slice.aborted,
            columns,
          });
          const { start: logStart, stable, end } = log;
          const readable = this.#isolation === "committed" ? stable : end;
          return {
            topic,
            partition,
            fetchOffset: offset,
            nextOffset: slice.hole ? readable : decoded.nextOffset,
            records: decoded.records,
            logStart,
            stable,
            end,
          };
        }
        await changed(log, waitMs, signals);
      }
    });
  }

  /** Spoils what was lent by the fetch before, as Kafka's reader overwrites it: who kept a view of it is found out. */
  #takeBack(topic: string, partition: number): void {
    this.#lent.get(`${topic}/${partition}`)?.bytes.fill(0xff);
  }

  close(): Promise<void> {
    this.#closed.abort(new Error("Cannot fetch: the reader is closed"));
    return Promise.resolve();
  }
}

/** Resolves at the log's next change, after `waitMs`, or when a signal aborts. */
async function changed(
  log: PartitionLog,
  waitMs: number,
  signals: readonly AbortSignal[],
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const forget = log.onChange(resolve);
  const timer = setTimeout(resolve, waitMs);
  for (const signal of signals) signal.addEventListener("abort", () => resolve(), { once: true });
  try {
    await promise;
  } finally {
    forget();
    clearTimeout(timer);
  }
}

/** Shares that reached a log already, and where they are: what sequence numbers tell a real broker. */
type Landed = WeakMap<Share, Appended[]>;

async function appendAll(
  context: MemoryContext,
  session: ProducerSession,
  options: { batches: readonly Share[]; landed: Landed },
): Promise<void> {
  const { transactionalId } = session;
  const { batches, landed } = options;
  for (const share of batches) {
    if (landed.has(share)) continue;
    const { topic, partition } = share;
    const subject = transactionalId === undefined
      ? { topic, partition }
      : { transactionalId, topic, partition };
    await context.faults.around("append", subject, () => {
      landed.set(share, context.cluster.append(session, share, BATCH_BYTES_MAX));
    });
  }
}

/** See {@linkcode TransactionalWriter}. */
export class MemoryTransactionalWriter implements TransactionalWriter {
  readonly transactionalId: string;
  readonly #context: MemoryContext;
  readonly #session: ProducerSession;
  readonly #phase: WriterPhase;

  constructor(context: MemoryContext, transactionalId: string, session: ProducerSession) {
    this.#context = context;
    this.transactionalId = transactionalId;
    this.#session = session;
    this.#phase = new WriterPhase(transactionalId);
  }

  begin(): void {
    this.#phase.begin();
  }

  send(batches: readonly Share[]): Promise<void> {
    const { transactionalId } = this;
    return this.#phase.send(() =>
      this.#context.faults.around(
        "send",
        { transactionalId },
        // Within a transaction nothing is sent again: an error ends it.
        () => appendAll(this.#context, this.#session, { batches, landed: new WeakMap() }),
      )
    );
  }

  commit(): Promise<void> {
    return this.#end("commit");
  }

  abort(): Promise<void> {
    return this.#end("abort");
  }

  #end(action: "commit" | "abort"): Promise<void> {
    const { transactionalId } = this;
    return this.#phase.end(action, () =>
      this.#context.faults.around(
        action,
        { transactionalId },
        () => this.#context.cluster.endTransaction(this.#session, action === "commit"),
      ));
  }

  close(): Promise<void> {
    this.#phase.close();
    return Promise.resolve();
  }
}

/** See {@linkcode Writer}: what UnreachableError leaves undone goes first at the next send. */
export class MemoryWriter implements Writer {
  readonly #context: MemoryContext;
  readonly #session: ProducerSession;
  readonly #landed: Landed = new WeakMap();
  #unfinished: readonly PartitionBatch[] = [];
  #failure: unknown;
  #closed = false;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(context: MemoryContext, session: ProducerSession) {
    this.#context = context;
    this.#session = session;
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
    const all = [...this.#unfinished, ...batches];
    try {
      await this.#context.faults.around(
        "send",
        {},
        () => appendAll(this.#context, this.#session, { batches: all, landed: this.#landed }),
      );
    } catch (error) {
      if (error instanceof UnreachableError) this.#unfinished = all;
      else this.#failure = error;
      throw error;
    }
    this.#unfinished = [];
    return batches.flatMap((share) => this.#landed.get(share) ?? []);
  }

  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }
}
