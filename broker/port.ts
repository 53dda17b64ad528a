/**
 * The broker port: what the pipeline needs of a log, batch-level on purpose (design section 5).
 *
 * A batch of records lies over one buffer on the way in, and is a set of columns on the way out, so
 * that an adapter on a hot path needs no promise, header map or BigInt per record. Adapters:
 * `kafka.ts` (kafkajs's connections) and `memory.ts` (an in-process log with transactions and fault
 * hooks); `conformance.ts` is the contract both pass.
 *
 * Offsets are JavaScript numbers inside the process (asserted below 2^53 when decoded) and strings
 * in every document that leaves it. Broker timestamps are ms since the epoch.
 */

import type { RecordFrames } from "./record_frames.ts";

/** What a reader may see: `committed` hides open and aborted transactions (read_committed). */
export type Isolation = "committed" | "uncommitted";

/** A header column of an outgoing batch: one value for all records, or one per record. */
export interface HeaderColumn {
  name: string;
  values: Uint8Array | readonly Uint8Array[];
}

/** Records to append to one partition, as columns of equal length. */
export interface OutBatch {
  keys: readonly (Uint8Array | null)[];
  /** null is a tombstone. */
  values: readonly (Uint8Array | null)[];
  headers?: readonly HeaderColumn[];
  /** CreateTime in ms; the moment of sending when absent. Ignored by LogAppendTime topics. */
  timestamp?: number;
}

/** One partition's share of a send. */
export interface PartitionBatch {
  topic: string;
  partition: number;
  batch: OutBatch;
}

/** The same of records that are framed already; the frames stay as they are until the send is over. */
export interface PartitionFrames {
  topic: string;
  partition: number;
  batch: RecordFrames;
}

/** What a transactional send takes. */
export type Share = PartitionBatch | PartitionFrames;

/** Visible records of one fetch, over one buffer. Valid until the reader fetches again. */
export interface RecordBatch {
  /** Number of records; every column has this length. */
  readonly count: number;
  /** Holds keys, values and headers of all records. */
  readonly bytes: Uint8Array;
  readonly offsets: Float64Array;
  /** ms; the broker's own time on LogAppendTime topics. */
  readonly timestamps: Float64Array;
  /** -1 where the key is null. */
  readonly keyStart: Int32Array;
  readonly keyEnd: Int32Array;
  /** -1 where the value is null (a tombstone). */
  readonly valueStart: Int32Array;
  readonly valueEnd: Int32Array;
  /** First value of that header of record `index`, decoded on demand; undefined where it has none. */
  header(index: number, name: string): Uint8Array | undefined;
  /** Where that value lies within `bytes`, put into `span`; false where it has none. For hot paths: makes no object. */
  findHeader(index: number, name: string, span: Span): boolean;
}

/** A range of bytes, to be filled again and again. */
export interface Span {
  start: number;
  /** Excluded. */
  end: number;
}

/** Answer to one fetch of one partition. */
export interface Fetched {
  topic: string;
  partition: number;
  /** The offset that was asked for. */
  fetchOffset: number;
  /**
   * Where to fetch next: past everything this answer covered, control batches, aborted records and
   * compacted holes included (tulios/kafkajs#1072). Equal to `fetchOffset` when nothing came.
   */
  nextOffset: number;
  records: RecordBatch;
  /** First offset still in the log. */
  logStart: number;
  /** Last stable offset: readers of committed records get nothing at or beyond it. */
  stable: number;
  /** High watermark. */
  end: number;
}

/** Where a partition begins and ends. */
export interface PartitionOffsets {
  partition: number;
  start: number;
  /** Last stable offset (read_committed end). */
  stable: number;
  /** High watermark. */
  end: number;
}

/** A topic as the broker has it. */
export interface TopicInfo {
  name: string;
  /** The broker's own topic id (a UUID as Kafka prints it): changes when a topic is deleted and made anew. */
  id: string;
  partitions: number;
}

/** A topic to be created. */
export interface TopicSpec {
  name: string;
  partitions: number;
  /** 1 by default. */
  replication?: number;
  settings?: Record<string, string>;
}

/** How a fetch waits. */
export interface FetchOptions {
  offset: number;
  /** @default 4 MiB; the broker still answers one batch larger than that. */
  bytesMax?: number;
  /** How long the broker may hold the request when there is nothing. @default 500 */
  waitMsMax?: number;
  signal?: AbortSignal;
}

/**
 * Reads partitions by explicit assignment, without a group, so that no session timeout stands
 * between a crash and the next fetch. Several partitions may be fetched concurrently.
 *
 * `fetch` throws {@linkcode OffsetOutOfRangeError} and never resets by itself.
 */
export interface Reader {
  fetch(topic: string, partition: number, options: FetchOptions): Promise<Fetched>;
  close(): Promise<void>;
}

/**
 * A transactional producer: begin, send any number of times, commit or abort. After any error the
 * caller throws it away and opens another one with the same id, which settles what was left open
 * (InitProducerId); it never reuses one (tulios/kafkajs#1275; Jepsen's Bufstream analysis).
 *
 * Every method may throw {@linkcode FencedError}: another writer took the id.
 */
export interface TransactionalWriter {
  readonly transactionalId: string;
  begin(): void;
  /** Appends to partitions named by the caller, in order. All of it belongs to the open transaction. */
  send(batches: readonly Share[]): Promise<void>;
  /**
   * Resolves when the outcome is decided. Readers see it a moment later, when the markers are in the
   * partitions: until then `stable` lies before `end`. After {@linkcode UnreachableError} it is unknown.
   */
  commit(): Promise<void>;
  abort(): Promise<void>;
  /** Drops the connection's resources; leaves an open transaction to the broker's timeout. */
  close(): Promise<void>;
}

/** Where one record batch of a send landed: `count` records from `baseOffset` on, without holes. */
export interface Appended {
  topic: string;
  partition: number;
  baseOffset: number;
  count: number;
}

/** An idempotent producer outside transactions: order kept and no duplicates within one session. */
export interface Writer {
  /**
   * Resolves when the broker has acknowledged all (acks=all), with one entry per record batch, in the
   * order of the shares (a share over the batch limit takes several).
   *
   * After an {@linkcode UnreachableError} the same `PartitionBatch` objects may be sent again: each
   * keeps its sequence numbers, so that what the broker has already is acknowledged and not appended
   * twice. Until that worked, nothing else may go to their partitions through this writer. After any
   * other error the writer is dead, and another one is opened.
   */
  send(batches: readonly PartitionBatch[]): Promise<Appended[]>;
  close(): Promise<void>;
}

/** A committed offset of a group. */
export interface GroupOffset {
  topic: string;
  partition: number;
  /** Next offset to read; -1 where the group has none. */
  offset: number;
  metadata?: string;
}

/** A consumer group as the broker describes it. */
export interface GroupInfo {
  group: string;
  state: string;
  members: { memberId: string; clientId: string; host: string }[];
}

/** Called as a group hands partitions to this member or takes them away. */
export interface AssignmentListener {
  assigned(partitions: readonly number[]): void | Promise<void>;
  revoked(partitions: readonly number[]): void | Promise<void>;
  /**
   * The membership broke for good ({@linkcode FencedError}: another process joined under the instance
   * id), and its partitions are gone without a `revoked`. The owner decides whether to join again.
   */
  failed(error: Error): void;
}

/** A broker (cluster), as the pipeline uses it. */
export interface Broker {
  /** Identifies the cluster across restarts. */
  clusterId(): Promise<string>;
  /** Topics that exist among `names`; a missing one is simply absent. */
  topics(names: readonly string[]): Promise<Map<string, TopicInfo>>;
  /** The settings in force of a topic, the broker's defaults included. Throws {@linkcode UnknownTopicError}. */
  topicSettings(topic: string): Promise<Map<string, string>>;
  /** Creates those that do not exist yet, quietly leaves the rest. Resolves when they have leaders. */
  createTopics(specs: readonly TopicSpec[]): Promise<void>;
  /** Grows a topic to `partitions`. */
  growTopic(name: string, partitions: number): Promise<void>;
  deleteTopics(names: readonly string[]): Promise<void>;
  /** Throws {@linkcode UnknownTopicError}. */
  offsets(topic: string): Promise<PartitionOffsets[]>;
  openReader(options?: { isolation?: Isolation }): Promise<Reader>;
  /** Takes the id: fences its predecessor and settles that one's open transaction. */
  openTransactionalWriter(
    transactionalId: string,
    options?: { transactionTimeoutMs?: number },
  ): Promise<TransactionalWriter>;
  openWriter(): Promise<Writer>;
  /** Mirrors positions for lag tools; never read back by the pipeline. */
  commitGroupOffsets(group: string, offsets: readonly GroupOffset[]): Promise<void>;
  groupOffsets(group: string, topic: string): Promise<GroupOffset[]>;
  groups(names: readonly string[]): Promise<GroupInfo[]>;
  /** Joins a group with static membership; only its assignment is used. Returns how to leave. */
  joinGroup(
    options: { group: string; topic: string; instanceId: string; sessionTimeoutMs?: number },
    listener: AssignmentListener,
  ): Promise<{ leave(): Promise<void> }>;
  close(): Promise<void>;
}

/** Another writer has taken the transactional id (INVALID_PRODUCER_EPOCH, PRODUCER_FENCED): give the partition up. */
export class FencedError extends Error {
  override readonly name = "FencedError";
}

/** The position is not in the log: below its start or beyond its end. Never answered by a reset. */
export class OffsetOutOfRangeError extends Error {
  override readonly name = "OffsetOutOfRangeError";
  constructor(
    readonly topic: string,
    readonly partition: number,
    readonly offset: number,
    options?: ErrorOptions,
  ) {
    super(`Cannot fetch "${topic}/${partition}" at offset ${offset}: not in the log`, options);
  }
}

/** The topic or partition does not exist. */
export class UnknownTopicError extends Error {
  override readonly name = "UnknownTopicError";
}

/** The broker refuses the record or batch for its size; retrying cannot help. */
export class TooLargeError extends Error {
  override readonly name = "TooLargeError";
}

/** The broker cannot be reached, or did not answer in time: the outcome of what was sent is unknown. */
export class UnreachableError extends Error {
  override readonly name = "UnreachableError";
}
