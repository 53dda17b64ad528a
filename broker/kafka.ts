/**
 * The broker port on Apache Kafka (3.x; the request versions in use are also in 4.x). kafkajs 2.2.4 makes
 * the connections; requests and record batches are ours (docs/decisions/0003-record-batch-codec.md).
 */
import type { ConnectionOptions } from "node:tls";
import type { SASLOptions } from "kafkajs";
import {
  clusterId,
  createTopics,
  describeSettings,
  describeTopics,
  growTopic,
  removeTopics,
  topicOffsets,
} from "./kafka_admin.ts";
import { KafkaClient } from "./kafka_client.ts";
import type { Address, KafkaLog } from "./kafka_connection.ts";
import { KafkaGroups } from "./kafka_groups.ts";
import { KafkaReader } from "./kafka_reader.ts";
import { KafkaTransactionalWriter, KafkaWriter } from "./kafka_writers.ts";
import { CONNECT_MS_MAX, DEADLINE_MS, REQUEST_MS_MAX, TRANSACTION_TIMEOUT_MS } from "./limits.ts";
import type { Broker } from "./port.ts";

export type { KafkaLog } from "./kafka_connection.ts";

/** Options of {@linkcode createKafkaBroker}. */
export interface KafkaOptions {
  /** `host:port` of some of the cluster's nodes. */
  brokers: readonly string[];
  /** Appears in the broker's logs, quotas and group descriptions. */
  clientId: string;
  /** Takes what the client library has to say; by default nothing is logged. */
  log?: KafkaLog;
  ssl?: ConnectionOptions | boolean;
  sasl?: SASLOptions;
  /** Where to connect instead of an address that the cluster advertises: tunnels, port mappings. */
  route?: (advertised: Address) => Address;
  /** How long an operation is retried before UnreachableError. @default {15000} */
  deadlineMs?: number;
  /** How long one request may take beyond the time that the broker was told to wait. @default {15000} */
  requestMsMax?: number;
  /** Check the CRC-32C of every fetched batch. @default {true} */
  checkCrc?: boolean;
}

/** `host:port` taken apart; IPv6 addresses in brackets. */
function parseAddress(text: string): Address {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port < 1 || port > 65535) {
    throw new TypeError(`Cannot use broker address "${text}": expected host:port`);
  }
  return { host: (match[1] ?? match[2])!, port };
}

/** A broker over Kafka. Connects on first use. Throws TypeError for an address that is none. */
export function createKafkaBroker(options: KafkaOptions): Broker {
  const { brokers, clientId, ssl, sasl, checkCrc = true } = options;
  if (brokers.length === 0) throw new TypeError(`Cannot use brokers "": expected host:port`);
  const client = new KafkaClient({
    bootstrap: brokers.map(parseAddress),
    route: options.route ?? ((advertised) => advertised),
    clientId,
    ...(ssl === undefined ? {} : { ssl }),
    ...(sasl === undefined ? {} : { sasl }),
    connectMsMax: Math.min(CONNECT_MS_MAX, options.requestMsMax ?? REQUEST_MS_MAX),
    requestMsMax: options.requestMsMax ?? REQUEST_MS_MAX,
    deadlineMs: options.deadlineMs ?? DEADLINE_MS,
    log: options.log ?? (() => {}),
  });
  const groups = new KafkaGroups(client);
  return {
    clusterId: () => clusterId(client),
    topics: (names) => describeTopics(client, names),
    topicSettings: (topic) => describeSettings(client, topic),
    createTopics: (specs) => createTopics(client, specs),
    growTopic: (name, partitions) => growTopic(client, name, partitions),
    deleteTopics: (names) => removeTopics(client, names),
    offsets: (topic) => topicOffsets(client, topic),
    openReader: ({ isolation = "committed" } = {}) =>
      Promise.resolve(new KafkaReader(client, { isolation, checkCrc })),
    openTransactionalWriter: (transactionalId, { transactionTimeoutMs } = {}) =>
      KafkaTransactionalWriter.open(
        client,
        transactionalId,
        transactionTimeoutMs ?? TRANSACTION_TIMEOUT_MS,
      ),
    openWriter: () => Promise.resolve(new KafkaWriter(client)),
    commitGroupOffsets: (group, offsets) => groups.commit(group, offsets),
    groupOffsets: (group, topic) => groups.committed(group, topic),
    groups: (names) => groups.describe(names),
    joinGroup: (joinOptions, listener) => groups.join(joinOptions, listener),
    close: async () => {
      await groups.close();
      await client.close();
    },
  };
}
