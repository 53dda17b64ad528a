/** Topics and offsets through the Kafka adapter. */
import type { KafkaClient } from "./kafka_client.ts";
import { BrokerRefusalError, CODE, portError, refuse } from "./kafka_errors.ts";
import {
  createPartitions,
  createTopic,
  deleteTopics,
  describeConfigs,
} from "./kafka_messages_cluster.ts";
import type { TopicOutcome } from "./kafka_messages_cluster.ts";
import { EARLIEST, LATEST, listOffsets } from "./kafka_messages_data.ts";
import type { Isolation, PartitionOffsets, TopicInfo, TopicSpec } from "./port.ts";

/** See {@linkcode Broker.clusterId}. */
export async function clusterId(client: KafkaClient): Promise<string> {
  const answer = await client.retrying(
    { action: "ask for the cluster id" },
    () => client.metadata([]),
  );
  return answer.clusterId;
}

/** See {@linkcode Broker.topics}. */
export async function describeTopics(
  client: KafkaClient,
  names: readonly string[],
): Promise<Map<string, TopicInfo>> {
  if (names.length === 0) return new Map();
  const action = "describe topics";
  const answer = await client.retrying({ action, topics: names }, async () => {
    const found = await client.metadata(names);
    for (const { code } of found.topics) {
      if (code !== CODE.unknownTopicOrPartition) refuse(code, action);
    }
    return found;
  });
  return new Map(
    answer.topics.filter(({ code }) => code === 0).map(({ name, id, leaders }) => [
      name,
      { name, id, partitions: leaders.length },
    ]),
  );
}

/** See {@linkcode Broker.topicSettings}. */
export async function describeSettings(
  client: KafkaClient,
  topic: string,
): Promise<Map<string, string>> {
  const action = `ask for the settings of "${topic}"`;
  return await askController(client, action, async (nodeId) => {
    const { code, settings } = await client.control.send(nodeId, describeConfigs(topic));
    if (code === CODE.unknownTopicOrPartition) {
      throw portError(new BrokerRefusalError(code, action));
    }
    refuse(code, action);
    return settings;
  });
}

/** Sends to the controller (in KRaft any node, which forwards). */
function askController<T>(
  client: KafkaClient,
  action: string,
  attempt: (nodeId: number) => Promise<T>,
): Promise<T> {
  return client.retrying({ action }, async () => {
    const { controllerId } = await client.metadata([]);
    return await attempt(controllerId);
  });
}

/** A refusal with what the broker says about it. */
function refuseOutcome({ code, message }: TopicOutcome, action: string): void {
  if (code !== 0) throw new BrokerRefusalError(code, message ? `${action} (${message})` : action);
}

/** See {@linkcode Broker.createTopics}. */
export async function createTopics(
  client: KafkaClient,
  specs: readonly TopicSpec[],
): Promise<void> {
  for (const { name, partitions, replication = 1, settings = {} } of specs) {
    const action = `create topic "${name}"`;
    const message = createTopic({ name, partitions, replication, settings }, client.requestMsMax);
    await askController(client, action, async (nodeId) => {
      const [outcome] = await client.control.send(nodeId, message);
      if (outcome!.code !== CODE.topicAlreadyExists) refuseOutcome(outcome!, action);
    });
  }
  for (const { name } of specs) await awaitLeaders(client, name, 1);
}

/** Waits until a topic has `partitions` partitions, each with a leader. */
async function awaitLeaders(client: KafkaClient, name: string, partitions: number): Promise<void> {
  const action = `wait for the leaders of topic "${name}"`;
  await client.retrying({ action, topics: [name] }, async () => {
    const [topic] = (await client.metadata([name])).topics;
    refuse(topic!.code, action); // UNKNOWN_TOPIC_OR_PARTITION until the news has come round
    if (topic!.leaders.length < partitions || topic!.leaders.some((leader) => leader < 0)) {
      throw new BrokerRefusalError(5, action);
    }
  });
}

/** See {@linkcode Broker.growTopic}. */
export async function growTopic(
  client: KafkaClient,
  name: string,
  partitions: number,
): Promise<void> {
  const action = `grow topic "${name}" to ${partitions} partitions`;
  const message = createPartitions(name, partitions, client.requestMsMax);
  const known = (await describeTopics(client, [name])).get(name);
  if (known?.partitions === partitions) return;
  await askController(client, action, async (nodeId) => {
    const [outcome] = await client.control.send(nodeId, message);
    if (outcome!.code === CODE.unknownTopicOrPartition) {
      throw portError(new BrokerRefusalError(outcome!.code, action));
    }
    refuseOutcome(outcome!, action);
  });
  await awaitLeaders(client, name, partitions);
}

/** See {@linkcode Broker.deleteTopics}. */
export async function removeTopics(client: KafkaClient, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  const message = deleteTopics(names, client.requestMsMax);
  await askController(client, "delete topics", async (nodeId) => {
    for (const { name, code } of await client.control.send(nodeId, message)) {
      if (code !== CODE.unknownTopicOrPartition) refuse(code, `delete topic "${name}"`);
    }
  });
  await client.retrying({ action: "ask for metadata" }, () => client.metadata(names));
}

/** See {@linkcode Broker.offsets}. */
export async function topicOffsets(
  client: KafkaClient,
  topic: string,
): Promise<PartitionOffsets[]> {
  // Grown topics count anew.
  await client.retrying({ action: `describe "${topic}"` }, () => client.metadata([topic]));
  // The end last: what is stable then cannot be beyond it.
  const start = await offsetsAt(client, topic, { timestamp: EARLIEST, isolation: "uncommitted" });
  const stable = await offsetsAt(client, topic, { timestamp: LATEST, isolation: "committed" });
  const end = await offsetsAt(client, topic, { timestamp: LATEST, isolation: "uncommitted" });
  return [...start.keys()].sort((a, b) => a - b).map((partition) => ({
    partition,
    start: start.get(partition)!,
    stable: stable.get(partition)!,
    end: end.get(partition)!,
  }));
}

async function offsetsAt(
  client: KafkaClient,
  topic: string,
  options: { timestamp: typeof EARLIEST | typeof LATEST; isolation: Isolation },
): Promise<Map<number, number>> {
  const action = `ask for the offsets of "${topic}"`;
  return await client.retrying({ action, topics: [topic] }, async () => {
    const { leaders } = await client.topic(topic);
    const byLeader = Map.groupBy(leaders.keys(), (partition) => leaders[partition]!);
    const offsets = new Map<number, number>();
    for (const [nodeId, partitions] of byLeader) {
      if (nodeId < 0) throw new BrokerRefusalError(5, action);
      const message = listOffsets({ topic, partitions, ...options });
      for (const { partition, code, offset } of await client.control.send(nodeId, message)) {
        refuse(code, action);
        offsets.set(partition, offset);
      }
    }
    return offsets;
  });
}
