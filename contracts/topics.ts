/** The topics: one table for every program that creates, writes or reads them (design section 3). */

/** Role of a topic; its name may be overridden in config/pipeline.yaml. */
export const TOPIC_ROLES = [
  "raw",
  "transactions",
  "alerts",
  "deadLetter",
  "state",
  "sessions",
] as const;

/** One of {@linkcode TOPIC_ROLES}. */
export type TopicRole = typeof TOPIC_ROLES[number];

/** Names in force, by role. */
export type TopicNames = Record<TopicRole, string>;

/** One row of the table. */
export interface TopicDefinition {
  role: TopicRole;
  /** Name by default. */
  name: string;
  /** `all`: as many partitions as raw-transactions; a number: exactly that. */
  partitions: "all" | number;
  settings: Record<string, string>;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MIB = 1024 * 1024;

/** Partitions of raw-transactions and of the processor's outputs by default. */
export const PARTITIONS_DEFAULT = 4;

/** Largest raw record batch the broker takes, in bytes. */
export const RAW_MESSAGE_BYTES_MAX = 2 * MIB;

/** Largest batch of every other topic, in bytes. */
export const OUTPUT_MESSAGE_BYTES_MAX = MIB;

const output = {
  "cleanup.policy": "delete",
  "max.message.bytes": String(OUTPUT_MESSAGE_BYTES_MAX),
};

/** Every topic of the pipeline. */
export const TOPICS: readonly TopicDefinition[] = [
  {
    role: "raw",
    name: "raw-transactions",
    partitions: "all",
    settings: {
      "cleanup.policy": "delete",
      "retention.ms": String(7 * DAY_MS),
      // The verdict on "in the future" reads the broker's time of the record, never a machine's clock.
      "message.timestamp.type": "LogAppendTime",
      "max.message.bytes": String(RAW_MESSAGE_BYTES_MAX),
    },
  },
  {
    role: "transactions",
    name: "transactions",
    partitions: "all",
    settings: { ...output, "retention.ms": String(7 * DAY_MS) },
  },
  {
    role: "alerts",
    name: "alerts",
    partitions: "all",
    settings: { ...output, "retention.ms": String(30 * DAY_MS) },
  },
  {
    role: "deadLetter",
    name: "dead-letter",
    partitions: "all",
    settings: { ...output, "retention.ms": String(30 * DAY_MS) },
  },
  {
    role: "state",
    name: "processor-state",
    partitions: "all",
    settings: {
      "cleanup.policy": "compact",
      "max.message.bytes": String(OUTPUT_MESSAGE_BYTES_MAX),
      "segment.bytes": String(16 * MIB),
      "segment.ms": String(10 * 60_000),
      "max.compaction.lag.ms": String(10 * 60_000),
      "min.cleanable.dirty.ratio": "0.5",
      // Tombstones, and each transaction's marker, stay this long: at 50 units a second that is most of
      // the log. A restore has to be over by then (processor/take_partition.ts sees to it).
      "delete.retention.ms": String(HOUR_MS),
    },
  },
  {
    role: "sessions",
    name: "pipeline-sessions",
    partitions: 1,
    settings: { ...output, "retention.ms": String(30 * DAY_MS) },
  },
];

/** Names by default, by role. */
export const TOPIC_NAMES_DEFAULT: TopicNames = Object.fromEntries(
  TOPICS.map((topic) => [topic.role, topic.name]),
) as TopicNames;

/** The table with names and partition counts in force filled in. */
export function topicSpecs(
  names: TopicNames,
  partitions: number,
): { name: string; partitions: number; settings: Record<string, string> }[] {
  return TOPICS.map((topic) => ({
    name: names[topic.role],
    partitions: topic.partitions === "all" ? partitions : topic.partitions,
    settings: topic.settings,
  }));
}
