/**
 * An in-process broker that keeps Kafka's rules: transactions and their markers, fencing by epoch,
 * last stable offsets, read_committed, compaction with holes, group offsets, membership. It passes the
 * same conformance suite as the Kafka adapter, needs no permissions, and takes faults and a clock.
 *
 * A crash of a client is simulated by dropping its reader and writers and opening new ones.
 */
import { MemoryReader, MemoryTransactionalWriter, MemoryWriter } from "./memory_clients.ts";
import { MemoryCluster } from "./memory_cluster.ts";
import { MemoryFaults } from "./memory_faults.ts";
import { MemoryGroups } from "./memory_groups.ts";
import type { CompactOptions } from "./memory_log.ts";
import type { Broker, PartitionOffsets, TopicInfo } from "./port.ts";
import { TRANSACTION_TIMEOUT_MS } from "./limits.ts";

/** Options of {@linkcode createMemoryBroker}. */
export interface MemoryBrokerOptions {
  /** ms since the epoch; drives transaction timeouts and LogAppendTime. @default {Date.now} */
  clock?: () => number;
  /** @default {"memory"} */
  clusterId?: string;
}

/** The port, and what only a test may do to a broker. */
export interface MemoryBroker extends Broker {
  /** One-shot faults; assert that they fired. */
  readonly faults: MemoryFaults;
  /** Log cleaning of every partition of a topic. */
  compact(topic: string, options?: CompactOptions): void;
  /** Retention: moves a log's start up to `offset`. */
  deleteBefore(topic: string, partition: number, offset: number): void;
  /** Loses a log's tail from `offset` on, as a power cut may. */
  loseFrom(topic: string, partition: number, offset: number): void;
  /** Ends a group member's session by timeout. */
  expireMember(group: string, instanceId: string): Promise<void>;
}

/** A new, empty in-process broker. Every client of the "cluster" shares the one object. */
export function createMemoryBroker(options: MemoryBrokerOptions = {}): MemoryBroker {
  const { clock = Date.now, clusterId = "memory" } = options;
  const cluster = new MemoryCluster(clock);
  const faults = new MemoryFaults();
  const groups = new MemoryGroups((topic) => cluster.topic(topic).logs.length);
  const context = { cluster, faults };

  function topicInfo(name: string): TopicInfo | undefined {
    const topic = cluster.findTopic(name);
    return topic && { name, id: topic.id, partitions: topic.logs.length };
  }

  function offsetsOf(topic: string): PartitionOffsets[] {
    cluster.expireTransactions();
    return cluster.topic(topic).logs.map((log, partition) => ({
      partition,
      start: log.start,
      stable: log.stable,
      end: log.end,
    }));
  }

  return {
    faults,
    clusterId: () => Promise.resolve(clusterId),
    topics: (names) =>
      Promise.resolve(
        new Map(
          names.map(topicInfo).filter((info) => info !== undefined)
            .map((info) => [info.name, info]),
        ),
      ),
    // deno-lint-ignore require-await -- async so that what it throws is a rejection
    topicSettings: async (topic) => cluster.settingsOf(topic),
    // deno-lint-ignore require-await
    createTopics: async (specs) => specs.forEach((spec) => cluster.createTopic(spec)),
    // deno-lint-ignore require-await
    growTopic: async (name, partitions) => cluster.growTopic(name, partitions),
    // deno-lint-ignore require-await
    deleteTopics: async (names) => names.forEach((name) => cluster.deleteTopic(name)),
    offsets: (topic) => faults.around("offsets", { topic }, () => offsetsOf(topic)),
    openReader: ({ isolation = "committed" } = {}) =>
      Promise.resolve(new MemoryReader(context, isolation)),
    openTransactionalWriter: (transactionalId, { transactionTimeoutMs } = {}) =>
      faults.around("open", { transactionalId }, () => {
        const timeoutMs = transactionTimeoutMs ?? TRANSACTION_TIMEOUT_MS;
        const session = cluster.openSession(transactionalId, timeoutMs);
        return new MemoryTransactionalWriter(context, transactionalId, session);
      }),
    openWriter: () =>
      faults.around(
        "open",
        {},
        () => new MemoryWriter(context, cluster.openSession(undefined, 0)),
      ),
    commitGroupOffsets: (group, offsets) =>
      faults.around("commitGroupOffsets", {}, () => groups.commit(group, offsets)),
    // deno-lint-ignore require-await
    groupOffsets: async (group, topic) => groups.committed(group, topic),
    groups: (names) => Promise.resolve(names.map((name) => groups.describe(name))),
    joinGroup: (joinOptions, listener) => groups.join(joinOptions, listener),
    close: () => Promise.resolve(),
    compact: (topic, compactOptions) => {
      for (const log of cluster.topic(topic).logs) log.compact(compactOptions);
    },
    deleteBefore: (topic, partition, offset) => cluster.log(topic, partition).deleteBefore(offset),
    loseFrom: (topic, partition, offset) => cluster.log(topic, partition).loseFrom(offset),
    expireMember: (group, instanceId) => groups.expire(group, instanceId),
  };
}
