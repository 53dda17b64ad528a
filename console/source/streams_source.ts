/** Offsets of every topic, positions of the groups, and transactions that stay open. */
import type { Broker, GroupInfo, PartitionOffsets } from "../../broker/port.ts";
import type { ConsolePorts } from "../ports.ts";
import type { Fact } from "../store/facts.ts";
import type { GroupView, PartitionView } from "../store/model.ts";
import { poll, type Watching } from "./poll.ts";

/** Pause between two looks where the streams are what the operator looks at, and where not. */
const POLL_MS = 2000;
const POLL_UNSEEN_MS = 5000;
/** A rate is over so long, ms. */
const RATE_MS = 10_000;

/** What is remembered of a partition from one look to the next. */
export interface PartitionMemory {
  /** End offsets and when they were seen, of the last 10 s. */
  ends: readonly { atMs: number; end: number }[];
  /** The stable offset that does not move while the end is beyond it, and since when. */
  held?: { stable: number; sinceMs: number };
}

/** One partition as the screen shows it, and what is to be remembered of it. Pure. */
export function viewPartition(
  topic: string,
  { partition, start, stable, end }: PartitionOffsets,
  memory: PartitionMemory | undefined,
  { nowMs, committed }: { nowMs: number; committed: Readonly<Record<string, number>> },
): { view: PartitionView; memory: PartitionMemory } {
  const ends = [...(memory?.ends ?? []), { atMs: nowMs, end }]
    .filter(({ atMs }) => nowMs - atMs <= RATE_MS);
  const oldest = ends[0]!;
  const seconds = (nowMs - oldest.atMs) / 1000;
  const same = memory?.held?.stable === stable;
  const held = stable >= end
    ? undefined
    : { stable, sinceMs: same ? memory!.held!.sinceMs : nowMs };
  return {
    view: {
      topic,
      partition,
      start,
      stable,
      end,
      rate: seconds > 0 ? Math.max(0, end - oldest.end) / seconds : 0,
      ...(held === undefined ? {} : { openSinceMs: held.sinceMs }),
      committed,
    },
    memory: { ends, ...(held === undefined ? {} : { held }) },
  };
}

/** What a member is called: its id without what the broker put behind it, and its host. Pure. */
export function memberName({ memberId, host }: GroupInfo["members"][number]): string {
  const name = memberId.replace(/-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, "");
  const place = host.replace(/^\//, "");
  return place === "" ? name : `${name} at ${place}`;
}

type Committed = ReadonlyMap<string, Readonly<Record<string, number>>>;

async function committedOffsets(
  broker: Broker,
  pairs: readonly (readonly [group: string, topic: string])[],
): Promise<Committed> {
  const byPartition = new Map<string, Record<string, number>>();
  await Promise.all(pairs.map(async ([group, topic]) => {
    for (const { partition, offset } of await broker.groupOffsets(group, topic)) {
      const key = `${topic}/${partition}`;
      byPartition.set(key, { ...byPartition.get(key), [group]: offset });
    }
  }));
  return byPartition;
}

/** Runs until the signal aborts. */
export async function watchStreams(
  ports: ConsolePorts,
  emit: (fact: Fact) => void,
  { signal, watched }: Watching,
): Promise<void> {
  const { topics, groups, now } = ports;
  const names = [...new Set(Object.values(topics))];
  const pairs = [
    [groups.processor, topics.raw],
    ...[topics.transactions, topics.alerts, topics.deadLetter, topics.sessions]
      .map((topic) => [groups.sink, topic]),
  ] as const as readonly [string, string][];
  const memories = new Map<string, PartitionMemory>();
  let broker: Broker | undefined;

  async function look(open: Broker): Promise<void> {
    const existing = [...(await open.topics(names)).keys()];
    const order = names.filter((name) => existing.includes(name));
    const known = pairs.filter(([, topic]) => existing.includes(topic));
    const [offsets, committed, described] = await Promise.all([
      Promise.all(order.map(async (topic) => [topic, await open.offsets(topic)] as const)),
      committedOffsets(open, known),
      open.groups([groups.processor, groups.sink]),
    ]);
    const nowMs = now();
    const partitions = offsets.flatMap(([topic, all]) =>
      all.toSorted((a, b) => a.partition - b.partition).map((one) => {
        const key = `${topic}/${one.partition}`;
        const seen = viewPartition(topic, one, memories.get(key), {
          nowMs,
          committed: committed.get(key) ?? {},
        });
        memories.set(key, seen.memory);
        return seen.view;
      })
    );
    const views = described.map(({ group, state, members }): GroupView => ({
      group,
      state,
      members: members.map(memberName),
    }));
    emit({ type: "streams", partitions, groups: views });
  }

  await poll({
    everyMs: () => watched() === "streams" ? POLL_MS : POLL_UNSEEN_MS,
    signal,
    ask: async () => {
      broker ??= ports.openBroker();
      try {
        await look(broker);
      } catch (error) {
        await broker.close().catch(() => {});
        broker = undefined;
        throw error;
      }
    },
    failed: (message) => emit({ type: "broker_failed", atMs: now(), message }),
  });
  await broker?.close().catch(() => {});
}
