/** Conformance: topics, offsets, groups. */
import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import {
  type ConformanceCase,
  eventually,
  newTopic,
  readAll,
  share,
} from "./conformance_support.ts";
import { type AssignmentListener, UnknownTopicError } from "./port.ts";

/** Keeps what a member was told. */
class Recorder implements AssignmentListener {
  readonly owned = new Set<number>();
  failure: Error | undefined;

  assigned(partitions: readonly number[]): void {
    for (const partition of partitions) this.owned.add(partition);
  }

  revoked(partitions: readonly number[]): void {
    for (const partition of partitions) this.owned.delete(partition);
  }

  failed(error: Error): void {
    this.failure = error;
  }
}

/** Cases about the cluster. */
export const clusterCases: ConformanceCase[] = [
  {
    name: "topics are created once, described, and get another id when made anew",
    async run(context) {
      const { broker, unique } = context;
      const name = unique("topic");
      const spec = { name, partitions: 3, settings: { "retention.ms": "86400000" } };
      assertEquals((await broker.topics([name])).size, 0);
      await broker.createTopics([spec]);
      await broker.createTopics([spec, { name: `${name}-b`, partitions: 1 }]);
      const infos = await broker.topics([name, `${name}-b`, `${name}-none`]);
      assertEquals([...infos.keys()].sort(), [name, `${name}-b`]);
      const first = infos.get(name)!;
      assertEquals([first.name, first.partitions], [name, 3]);
      assertEquals(first.id.length, 22);
      assertEquals((await broker.topics([name])).get(name), first);
      await broker.deleteTopics([name]);
      await eventually(async () => (await broker.topics([name])).size === 0);
      await broker.createTopics([spec]);
      const second = (await broker.topics([name])).get(name)!;
      assertNotEquals(second.id, first.id);
      assertNotEquals(await broker.clusterId(), "");
      assertEquals(await broker.clusterId(), await broker.clusterId());
    },
  },
  {
    name: "a topic tells its settings, those that it was given and the defaults",
    async run(context) {
      const { broker, unique } = context;
      const name = unique("settings");
      const settings = { "cleanup.policy": "compact", "max.message.bytes": "2000000" };
      await broker.createTopics([
        { name, partitions: 1, settings },
        { name: `${name}-plain`, partitions: 1 },
      ]);
      const given = await broker.topicSettings(name);
      for (const [key, value] of Object.entries(settings)) assertEquals(given.get(key), value);
      const plain = await broker.topicSettings(`${name}-plain`);
      // Kafka's documented defaults.
      assertEquals(plain.get("cleanup.policy"), "delete");
      assertEquals(plain.get("max.message.bytes"), "1048588");
      assertEquals(plain.get("message.timestamp.type"), "CreateTime");
      await assertRejects(() => broker.topicSettings(`${name}-none`), UnknownTopicError);
    },
  },
  {
    name: "a topic grows, keeps what it has, and never shrinks",
    async run(context) {
      const { broker } = context;
      const topic = await newTopic(context, 2);
      const writer = await broker.openWriter();
      await writer.send([share(topic, 1, "a")]);
      await broker.growTopic(topic, 4);
      assertEquals((await broker.topics([topic])).get(topic)!.partitions, 4);
      await writer.send([share(topic, 3, "b")]);
      assertEquals((await readAll(broker, topic, { partition: 1 })).values, ["a"]);
      assertEquals((await readAll(broker, topic, { partition: 3 })).values, ["b"]);
      await assertRejects(() => broker.growTopic(topic, 3));
      await writer.close();
    },
  },
  {
    name: "offsets of every partition, in order",
    async run(context) {
      const { broker } = context;
      const topic = await newTopic(context, 3);
      const writer = await broker.openWriter();
      await writer.send([share(topic, 1, "a", "b")]);
      await writer.close();
      assertEquals(await broker.offsets(topic), [
        { partition: 0, start: 0, stable: 0, end: 0 },
        { partition: 1, start: 0, stable: 2, end: 2 },
        { partition: 2, start: 0, stable: 0, end: 0 },
      ]);
    },
  },
  {
    name: "a group keeps offsets that no member committed",
    async run(context) {
      const { broker } = context;
      const topic = await newTopic(context, 2);
      const group = context.unique("group");
      assertEquals(await broker.groupOffsets(group, topic), [
        { topic, partition: 0, offset: -1 },
        { topic, partition: 1, offset: -1 },
      ]);
      const offsets = [{ topic, partition: 1, offset: 42, metadata: "note" }];
      await broker.commitGroupOffsets(group, offsets);
      assertEquals(await broker.groupOffsets(group, topic), [
        { topic, partition: 0, offset: -1 },
        { topic, partition: 1, offset: 42, metadata: "note" },
      ]);
      const [known, unknown] = await broker.groups([group, `${group}-none`]);
      assertEquals([known!.group, known!.state, known!.members], [group, "Empty", []]);
      assertEquals([unknown!.state, unknown!.members], ["Dead", []]);
    },
  },
  {
    name: "members of a group share the partitions, and one that leaves gives its own back",
    async run(context) {
      const { broker } = context;
      const topic = await newTopic(context, 4);
      const group = context.unique("group");
      const [a, b] = [new Recorder(), new Recorder()];
      const options = { group, topic, sessionTimeoutMs: 10_000 };
      const first = await broker.joinGroup({ ...options, instanceId: "a" }, a);
      await eventually(() => a.owned.size === 4);
      const second = await broker.joinGroup({ ...options, instanceId: "b" }, b);
      await eventually(() => a.owned.size === 2 && b.owned.size === 2);
      assertEquals([...a.owned, ...b.owned].sort(), [0, 1, 2, 3]);
      const [info] = await broker.groups([group]);
      assertEquals([info!.state, info!.members.length], ["Stable", 2]);
      // A mirror of positions goes through while there are members.
      await broker.commitGroupOffsets(group, [{ topic, partition: 0, offset: 5 }]);
      assertEquals((await broker.groupOffsets(group, topic))[0]!.offset, 5);
      await second.leave();
      await eventually(() => a.owned.size === 4);
      assertEquals([...b.owned], []);
      await first.leave();
      assertEquals([a.failure, b.failure], [undefined, undefined]);
    },
  },
  {
    name:
      "a member that comes back under its instance id takes over at once; the old one hears of it",
    async run(context) {
      const { broker } = context;
      const topic = await newTopic(context, 2);
      const options = {
        group: context.unique("group"),
        topic,
        instanceId: "same",
        sessionTimeoutMs: 30_000,
      };
      const [old, fresh] = [new Recorder(), new Recorder()];
      const first = await broker.joinGroup(options, old);
      await eventually(() => old.owned.size === 2);
      const second = await broker.joinGroup(options, fresh);
      await eventually(() => fresh.owned.size === 2 && old.failure !== undefined);
      assert(old.failure !== undefined);
      await second.leave();
      await first.leave();
    },
  },
];
