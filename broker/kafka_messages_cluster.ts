/** Requests about the cluster: Metadata, FindCoordinator, and topic administration. */
import type { Message } from "./kafka_connection.ts";

/** A node of the cluster. */
export interface NodeInfo {
  id: number;
  host: string;
  port: number;
}

/** A topic in a metadata answer. */
export interface TopicMetadata {
  code: number;
  name: string;
  id: string;
  /** Node id of each partition's leader, by partition; -1 where there is none. */
  leaders: number[];
}

/** The answer to a metadata request. */
export interface ClusterMetadata {
  clusterId: string;
  controllerId: number;
  nodes: NodeInfo[];
  topics: TopicMetadata[];
}

/** Metadata v10: the first with topic ids, which kafkajs (v6) does not speak. */
export function metadata(topics: readonly string[]): Message<ClusterMetadata> {
  return {
    name: "Metadata",
    key: 3,
    version: 10,
    flexible: true,
    write(w) {
      w.compactArray(topics, (topic) => {
        w.raw(new Uint8Array(16)); // topic id: asked by name
        w.compactString(topic);
        w.tags();
      });
      w.bool(false); // allow auto topic creation
      w.bool(false); // include cluster authorized operations
      w.bool(false); // include topic authorized operations
      w.tags();
    },
    read(r) {
      r.int32(); // throttle
      const nodes = r.compactArray(() => {
        const node = { id: r.int32(), host: r.compactString() ?? "", port: r.int32() };
        r.compactString(); // rack
        r.tags();
        return node;
      });
      const clusterId = r.compactString() ?? "";
      const controllerId = r.int32();
      const found = r.compactArray(() => {
        const topic = { code: r.int16(), name: r.compactString() ?? "", id: r.uuid() };
        r.bool(); // internal
        const leaders: number[] = [];
        r.compactArray(() => {
          r.int16(); // error: a missing leader is told by -1
          leaders[r.int32()] = r.int32();
          r.int32(); // leader epoch
          for (let list = 0; list < 3; list++) r.compactArray(() => r.int32()); // replicas
          r.tags();
        });
        r.int32(); // authorized operations
        r.tags();
        return { ...topic, leaders };
      });
      return { clusterId, controllerId, nodes, topics: found };
    },
  };
}

/** What a coordinator is for. */
export type CoordinatorType = "group" | "transaction";

/** FindCoordinator v2. */
export function findCoordinator(
  type: CoordinatorType,
  key: string,
): Message<{ code: number; node: NodeInfo }> {
  return {
    name: "FindCoordinator",
    key: 10,
    version: 2,
    write(w) {
      w.string(key);
      w.int8(type === "group" ? 0 : 1);
    },
    read(r) {
      r.int32(); // throttle
      const code = r.int16();
      r.nullableString(); // error message
      return { code, node: { id: r.int32(), host: r.string(), port: r.int32() } };
    },
  };
}

/** One topic's answer to an administrative request. */
export interface TopicOutcome {
  name: string;
  code: number;
  message: string | null;
}

/** CreateTopics v4 of one topic. */
export function createTopic(
  spec: {
    name: string;
    partitions: number;
    replication: number;
    settings: Record<string, string>;
  },
  waitMsMax: number,
): Message<TopicOutcome[]> {
  return {
    name: "CreateTopics",
    key: 19,
    version: 4,
    write(w) {
      w.array([spec], ({ name, partitions, replication, settings }) => {
        w.string(name);
        w.int32(partitions);
        w.int16(replication);
        w.array([], () => {}); // assignments
        w.array(Object.entries(settings), ([key, value]) => {
          w.string(key);
          w.string(value);
        });
      });
      w.int32(waitMsMax);
      w.bool(false); // validate only
    },
    read(r) {
      r.int32(); // throttle
      return r.array(() => ({ name: r.string(), code: r.int16(), message: r.nullableString() }));
    },
  };
}

/** CreatePartitions v1: grows one topic. */
export function createPartitions(
  name: string,
  partitions: number,
  waitMsMax: number,
): Message<TopicOutcome[]> {
  return {
    name: "CreatePartitions",
    key: 37,
    version: 1,
    write(w) {
      w.array([name], (topic) => {
        w.string(topic);
        w.int32(partitions);
        w.int32(-1); // assignments: the broker's choice
      });
      w.int32(waitMsMax);
      w.bool(false); // validate only
    },
    read(r) {
      r.int32(); // throttle
      return r.array(() => ({ name: r.string(), code: r.int16(), message: r.nullableString() }));
    },
  };
}

/** DeleteTopics v3. */
export function deleteTopics(
  names: readonly string[],
  waitMsMax: number,
): Message<{ name: string; code: number }[]> {
  return {
    name: "DeleteTopics",
    key: 20,
    version: 3,
    write(w) {
      w.array(names, (name) => w.string(name));
      w.int32(waitMsMax);
    },
    read(r) {
      r.int32(); // throttle
      return r.array(() => ({ name: r.string(), code: r.int16() }));
    },
  };
}

/** The resource type of a topic in DescribeConfigs. */
const TOPIC_RESOURCE = 2;

/** DescribeConfigs v1 of one topic: all its settings, defaults included. */
export function describeConfigs(
  topic: string,
): Message<{ code: number; settings: Map<string, string> }> {
  return {
    name: "DescribeConfigs",
    key: 32,
    version: 1,
    write(w) {
      w.array([topic], (name) => {
        w.int8(TOPIC_RESOURCE);
        w.string(name);
        w.int32(-1); // names: all
      });
      w.bool(false); // synonyms
    },
    read(r) {
      r.int32(); // throttle
      const settings = new Map<string, string>();
      const [code] = r.array(() => {
        const code = r.int16();
        r.nullableString(); // error message
        r.int8(); // resource type
        r.string(); // resource name
        r.array(() => {
          const [name, value] = [r.string(), r.nullableString()];
          r.bool(); // read-only
          r.int8(); // source
          r.bool(); // sensitive
          r.array(() => [r.string(), r.nullableString(), r.int8()]); // synonyms
          if (value !== null) settings.set(name, value);
        });
        return code;
      });
      return { code: code ?? -1, settings };
    },
  };
}
