/** Conformance: transactions, fencing, and what read_committed may see. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  bytesOf,
  type ConformanceCase,
  newTopic,
  readAll,
  settled,
  share,
  valueText,
} from "./conformance_support.ts";
import { FencedError } from "./port.ts";

/** Cases about transactional writers. */
export const transactionCases: ConformanceCase[] = [
  {
    name: "a transaction is seen when it is committed, all of it and in all topics",
    async run(context) {
      const { broker } = context;
      const [one, two] = [await newTopic(context, 2), await newTopic(context)];
      const writer = await broker.openTransactionalWriter(context.unique("tx"));
      writer.begin();
      await writer.send([share(one, 0, "a"), share(one, 1, "b")]);
      await writer.send([share(two, 0, "c"), share(one, 0, "d")]);
      assertEquals((await readAll(broker, one)).values, []);
      assertEquals((await readAll(broker, one, { isolation: "uncommitted" })).values, ["a", "d"]);
      const [open] = await broker.offsets(one);
      assertEquals([open!.stable, open!.end], [0, 2]);
      await writer.commit();
      await settled(broker, one, two);
      assertEquals((await readAll(broker, one)).values, ["a", "d"]);
      assertEquals((await readAll(broker, one, { partition: 1 })).values, ["b"]);
      assertEquals((await readAll(broker, two)).values, ["c"]);
      // The marker has an offset of its own.
      const [done] = await broker.offsets(one);
      assertEquals([done!.stable, done!.end], [3, 3]);
      await writer.close();
    },
  },
  {
    name: "an aborted transaction is never seen, and a reader gets past it",
    async run(context) {
      const { broker } = context;
      const topic = await newTopic(context);
      const writer = await broker.openTransactionalWriter(context.unique("tx"));
      writer.begin();
      await writer.send([share(topic, 0, "a", "b")]);
      await writer.abort();
      await settled(broker, topic);
      const empty = await readAll(broker, topic);
      assertEquals([empty.values, empty.nextOffset], [[], 3]);
      writer.begin();
      await writer.send([share(topic, 0, "c")]);
      await writer.commit();
      await settled(broker, topic);
      const { values, offsets, nextOffset } = await readAll(broker, topic);
      assertEquals([values, offsets, nextOffset], [["c"], [3], 5]);
      await writer.close();
    },
  },
  {
    name: "an open transaction holds back what others wrote after it",
    async run(context) {
      const { broker } = context;
      const topic = await newTopic(context);
      const plain = await broker.openWriter();
      const writer = await broker.openTransactionalWriter(context.unique("tx"));
      await plain.send([share(topic, 0, "before")]);
      writer.begin();
      await writer.send([share(topic, 0, "inside")]);
      await plain.send([share(topic, 0, "after")]);
      assertEquals((await readAll(broker, topic)).values, ["before"]);
      const [open] = await broker.offsets(topic);
      assertEquals([open!.start, open!.stable, open!.end], [0, 1, 3]);
      const reader = await broker.openReader();
      const held = await reader.fetch(topic, 0, { offset: 1, waitMsMax: 20 });
      assertEquals([held.records.count, held.nextOffset, held.stable, held.end], [0, 1, 1, 3]);
      const waiting = reader.fetch(topic, 0, { offset: 1, waitMsMax: 20_000 });
      await writer.commit();
      assertEquals(valueText((await waiting).records, 0), "inside");
      await settled(broker, topic);
      assertEquals((await readAll(broker, topic)).values, ["before", "inside", "after"]);
      await reader.close();
      await plain.close();
      await writer.close();
    },
  },
  {
    name: "two writers that abort on one partition hide their own records only",
    async run(context) {
      const { broker } = context;
      const topic = await newTopic(context);
      const first = await broker.openTransactionalWriter(context.unique("first"));
      const second = await broker.openTransactionalWriter(context.unique("second"));
      const expected: [number, string][] = [];
      // Interleaved so that the later transaction ends first, and each aborts and commits in turn.
      for (let round = 0; round < 4; round++) {
        const [firstCommits, secondCommits] = [round % 2 === 1, round >= 2];
        first.begin();
        second.begin();
        await first.send([share(topic, 0, `1a${round}`)]);
        await second.send([share(topic, 0, `2a${round}`, `2b${round}`)]);
        await first.send([share(topic, 0, `1b${round}`)]);
        await (secondCommits ? second.commit() : second.abort());
        second.begin();
        await second.send([share(topic, 0, `2c${round}`)]);
        await (firstCommits ? first.commit() : first.abort());
        await second.commit();
        const base = round * 8; // 5 records and 3 markers a round
        if (firstCommits) expected.push([base, `1a${round}`]);
        if (secondCommits) expected.push([base + 1, `2a${round}`], [base + 2, `2b${round}`]);
        if (firstCommits) expected.push([base + 3, `1b${round}`]);
        expected.push([base + 5, `2c${round}`]);
      }
      await settled(broker, topic);
      // From every offset, and with every size of a fetch, the same records.
      for (const bytesMax of [1, 300, 1 << 20]) {
        for (let offset = 0; offset <= 32; offset++) {
          const read = await readAll(broker, topic, { offset, bytesMax });
          const wanted = expected.filter(([at]) => at >= offset);
          assertEquals(read.values, wanted.map(([, value]) => value), `from ${offset}`);
          assertEquals(read.offsets, wanted.map(([at]) => at), `from ${offset}`);
        }
      }
      await first.close();
      await second.close();
    },
  },
  {
    name: "a key that looks like an abort marker is data",
    async run(context) {
      const { broker } = context;
      const topic = await newTopic(context);
      const writer = await broker.openTransactionalWriter(context.unique("tx"));
      const lookalike = {
        topic,
        partition: 0,
        batch: { keys: [new Uint8Array(4)], values: [bytesOf("lookalike")] },
      };
      writer.begin();
      await writer.send([lookalike]);
      await writer.send([share(topic, 0, "aborted")]);
      await writer.abort();
      writer.begin();
      await writer.send([lookalike]);
      await writer.commit();
      await settled(broker, topic);
      assertEquals((await readAll(broker, topic)).values, ["lookalike"]);
      await writer.close();
    },
  },
  {
    name: "a writer that takes an id fences the one before and settles its transaction",
    async run(context) {
      const { broker } = context;
      const topic = await newTopic(context);
      const id = context.unique("tx");
      const [sending, ending, idle] = [
        await broker.openTransactionalWriter(id),
        await broker.openTransactionalWriter(`${id}-2`),
        await broker.openTransactionalWriter(`${id}-3`),
      ];
      sending.begin();
      await sending.send([share(topic, 0, "lost 1")]);
      ending.begin();
      await ending.send([share(topic, 0, "lost 2")]);
      const successor = await broker.openTransactionalWriter(id);
      const successor2 = await broker.openTransactionalWriter(`${id}-2`);
      const successor3 = await broker.openTransactionalWriter(`${id}-3`);
      // Nothing is open any more: a restore may begin.
      const [offsets] = await broker.offsets(topic);
      assertEquals(offsets!.stable, offsets!.end);
      await assertRejects(() => sending.send([share(topic, 0, "zombie")]), FencedError);
      await assertRejects(() => sending.commit(), FencedError);
      await assertRejects(() => ending.commit(), FencedError);
      assertThrows(() => ending.begin(), FencedError);
      idle.begin();
      await assertRejects(() => idle.send([share(topic, 0, "zombie")]), FencedError);
      successor.begin();
      await successor.send([share(topic, 0, "kept")]);
      await successor.commit();
      await settled(broker, topic);
      assertEquals((await readAll(broker, topic)).values, ["kept"]);
      for (const writer of [sending, ending, idle, successor, successor2, successor3]) {
        await writer.close();
      }
    },
  },
  {
    name: "a crashed writer's transaction is settled by the next with its id",
    async run(context) {
      const { broker } = context;
      const topic = await newTopic(context);
      const id = context.unique("tx");
      const crashed = await broker.openTransactionalWriter(id);
      crashed.begin();
      await crashed.send([share(topic, 0, "lost")]);
      await crashed.close();
      const [open] = await broker.offsets(topic);
      assert(open!.stable < open!.end);
      const next = await broker.openTransactionalWriter(id);
      const [after] = await broker.offsets(topic);
      assertEquals([after!.stable, after!.end], [2, 2]);
      next.begin();
      await next.send([share(topic, 0, "kept")]);
      await next.commit();
      await settled(broker, topic);
      assertEquals((await readAll(broker, topic)).values, ["kept"]);
      await next.close();
    },
  },
  {
    name: "an empty transaction ends, and misuse is refused",
    async run(context) {
      const { broker } = context;
      const topic = await newTopic(context);
      const writer = await broker.openTransactionalWriter(context.unique("tx"));
      await assertRejects(() => writer.send([share(topic, 0, "x")]), Error, "idle");
      await assertRejects(() => writer.commit(), Error, "idle");
      writer.begin();
      assertThrows(() => writer.begin(), Error, "open");
      await writer.commit();
      writer.begin();
      await writer.abort();
      writer.begin();
      await writer.send([]);
      await writer.commit();
      writer.begin();
      await writer.send([share(topic, 0, "kept")]);
      await writer.commit();
      await settled(broker, topic);
      assertEquals((await readAll(broker, topic)).values, ["kept"]);
      await writer.close();
      assertThrows(() => writer.begin(), Error, "closed");
    },
  },
  {
    name: "a writer whose send failed is dead, and its transaction leaves nothing",
    async run(context) {
      const { broker } = context;
      const topic = await newTopic(context, 1, { "max.message.bytes": "10000" });
      const id = context.unique("tx");
      const writer = await broker.openTransactionalWriter(id);
      writer.begin();
      await writer.send([share(topic, 0, "small")]);
      await assertRejects(() => writer.send([share(topic, 0, "x".repeat(20_000))]));
      await assertRejects(() => writer.commit(), Error, "dead");
      await assertRejects(() => writer.abort(), Error, "dead");
      const next = await broker.openTransactionalWriter(id);
      assertEquals((await readAll(broker, topic)).values, []);
      await writer.close();
      await next.close();
    },
  },
  {
    name: "many transactions one after the other keep order and lose nothing",
    async run(context) {
      const { broker } = context;
      const topic = await newTopic(context);
      const writer = await broker.openTransactionalWriter(context.unique("tx"));
      const expected: string[] = [];
      for (let i = 0; i < 40; i++) {
        writer.begin();
        await writer.send([share(topic, 0, `${i}a`, `${i}b`)]);
        if (i % 3 === 0) await writer.abort();
        else {
          await writer.commit();
          expected.push(`${i}a`, `${i}b`);
        }
      }
      await settled(broker, topic);
      assertEquals((await readAll(broker, topic)).values, expected);
      await writer.close();
    },
  },
];
