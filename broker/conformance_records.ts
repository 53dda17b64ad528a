/** Conformance: what is written is what is read, and a reader always knows where it is. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  bytesOf,
  type ConformanceCase,
  keyText,
  newTopic,
  readAll,
  share,
  valueText,
} from "./conformance_support.ts";
import { OffsetOutOfRangeError, TooLargeError, UnknownTopicError } from "./port.ts";
import { RecordFrames } from "./record_frames.ts";

/** Cases about records, offsets and waiting. */
export const recordCases: ConformanceCase[] = [
  {
    name: "keys, values, headers, tombstones, null keys and timestamps come back as sent",
    async run(context) {
      const { broker } = context;
      const topic = await newTopic(context);
      const writer = await broker.openWriter();
      await writer.send([{
        topic,
        partition: 0,
        batch: {
          keys: [bytesOf("a"), null, bytesOf(""), bytesOf("ключ")],
          values: [bytesOf("1"), bytesOf(""), null, bytesOf("x".repeat(20_000))],
          headers: [
            { name: "schema_version", values: bytesOf("1") },
            { name: "trace", values: ["t/0/0", "t/0/1", "t/0/2", "t/0/3"].map(bytesOf) },
          ],
          timestamp: 1_700_000_000_123,
        },
      }]);
      await writer.close();
      const reader = await broker.openReader();
      const { records, nextOffset, ...rest } = await reader.fetch(topic, 0, { offset: 0 });
      assertEquals(records.count, 4);
      assertEquals([...records.offsets], [0, 1, 2, 3]);
      assertEquals([...records.timestamps], Array(4).fill(1_700_000_000_123));
      assertEquals([0, 1, 2, 3].map((i) => keyText(records, i)), ["a", null, "", "ключ"]);
      const values = [0, 1, 2, 3].map((i) => valueText(records, i));
      assertEquals(values, ["1", "", null, "x".repeat(20_000)]);
      assertEquals(records.keyEnd[1], -1);
      assertEquals(records.valueEnd[2], -1);
      for (let i = 0; i < 4; i++) {
        assertEquals(new TextDecoder().decode(records.header(i, "trace")), `t/0/${i}`);
        assertEquals(new TextDecoder().decode(records.header(i, "schema_version")), "1");
        assertEquals(records.header(i, "other"), undefined);
      }
      assertEquals(nextOffset, 4);
      assertEquals(rest, { topic, partition: 0, fetchOffset: 0, logStart: 0, stable: 4, end: 4 });
      await reader.close();
    },
  },
  {
    name: "framed batches that are packed come back as sent, beside plain ones and aborted ones",
    async run(context) {
      const { broker } = context;
      const topic = await newTopic(context);
      const writer = await broker.openTransactionalWriter(context.unique("packer"));
      const frames = new RecordFrames(
        { shared: [{ name: "schema_version", value: bytesOf("1") }], own: "trace" },
        { bytesMax: 100_000, compression: "zstd" },
      );
      const expected: string[] = [];
      for (
        const [count, commits] of [[3, true], [2000, true], [1500, false], [1800, true]] as const
      ) {
        frames.reset();
        for (let i = 0; i < count; i++) {
          const text = `${count}-${i}-${"again and ".repeat(i % 20)}`;
          frames.add(bytesOf(`k${i}`), bytesOf(text), bytesOf(`t/0/${i}`));
          if (commits) expected.push(text);
        }
        writer.begin();
        await writer.send([{ topic, partition: 0, batch: frames }]);
        await (commits ? writer.commit() : writer.abort());
      }
      await writer.close();
      const reader = await broker.openReader();
      const found: string[] = [];
      for (let offset = 0;;) {
        const { records, nextOffset, stable } = await reader.fetch(topic, 0, {
          offset,
          bytesMax: 64 * 1024,
        });
        for (let i = 0; i < records.count; i++) {
          const text = valueText(records, i)!;
          const number = text.split("-")[1];
          assertEquals(keyText(records, i), `k${number}`);
          assertEquals(new TextDecoder().decode(records.header(i, "trace")), `t/0/${number}`);
          found.push(text);
        }
        offset = nextOffset;
        // Markers settle a moment after the answer to the commit.
        if (offset >= stable && found.length >= expected.length) break;
      }
      assertEquals(found, expected);
      await reader.close();
    },
  },
  {
    name: "a fetch from within a batch gives nothing below the asked offset",
    async run(context) {
      const topic = await newTopic(context);
      const writer = await context.broker.openWriter();
      await writer.send([share(topic, 0, "0", "1", "2", "3")]);
      await writer.close();
      const { values, offsets } = await readAll(context.broker, topic, { offset: 2 });
      assertEquals([values, offsets], [["2", "3"], [2, 3]]);
    },
  },
  {
    name: "a send over the batch limit is split, in order, without a loss",
    async run(context) {
      const topic = await newTopic(context, 2);
      const writer = await context.broker.openWriter();
      const pad = "p".repeat(30_000);
      const values = Array.from({ length: 100 }, (_, i) => `${i}-${pad}`);
      await writer.send([
        share(topic, 0, ...values),
        share(topic, 1, "other"),
        share(topic, 0, "last"),
      ]);
      await writer.close();
      const read = await readAll(context.broker, topic);
      assertEquals(read.values.map((value) => value!.split("-")[0]), [
        ...Array.from({ length: 100 }, (_, i) => `${i}`),
        "last",
      ]);
      assertEquals(read.offsets, Array.from({ length: 101 }, (_, i) => i));
      assertEquals((await readAll(context.broker, topic, { partition: 1 })).values, ["other"]);
      // One batch at a time, however small the limit.
      const again = await readAll(context.broker, topic, { bytesMax: 1 });
      assertEquals(again.values.length, 101);
    },
  },
  {
    name: "a send says where its records are, and the same share sent again is not appended twice",
    async run(context) {
      const topic = await newTopic(context, 2);
      const writer = await context.broker.openWriter();
      const first = share(topic, 1, "0", "1");
      assertEquals(await writer.send([first, share(topic, 0, "a")]), [
        { topic, partition: 1, baseOffset: 0, count: 2 },
        { topic, partition: 0, baseOffset: 0, count: 1 },
      ]);
      assertEquals(await writer.send([first]), [
        { topic, partition: 1, baseOffset: 0, count: 2 },
      ]);
      assertEquals(await writer.send([share(topic, 1, "2")]), [
        { topic, partition: 1, baseOffset: 2, count: 1 },
      ]);
      await writer.close();
      assertEquals((await readAll(context.broker, topic, { partition: 1 })).values, [
        "0",
        "1",
        "2",
      ]);
    },
  },
  {
    name: "a fetch at the end answers nothing, stays there, and wakes on an append",
    async run(context) {
      const { broker } = context;
      const topic = await newTopic(context);
      const writer = await broker.openWriter();
      await writer.send([share(topic, 0, "0")]);
      const reader = await broker.openReader();
      const empty = await reader.fetch(topic, 0, { offset: 1, waitMsMax: 10 });
      assertEquals([empty.records.count, empty.nextOffset, empty.end], [0, 1, 1]);
      const waiting = reader.fetch(topic, 0, { offset: 1, waitMsMax: 20_000 });
      await writer.send([share(topic, 0, "1")]);
      const woken = await waiting;
      assertEquals([valueText(woken.records, 0), woken.nextOffset], ["1", 2]);
      await reader.close();
      await writer.close();
    },
  },
  {
    name: "a fetch outside the log throws and resets nothing",
    async run(context) {
      const topic = await newTopic(context);
      const reader = await context.broker.openReader();
      const error = await assertRejects(
        () => reader.fetch(topic, 0, { offset: 7 }),
        OffsetOutOfRangeError,
      );
      assertEquals([error.topic, error.partition, error.offset], [topic, 0, 7]);
      const fine = await reader.fetch(topic, 0, { offset: 0, waitMsMax: 1 });
      assertEquals(fine.nextOffset, 0);
      await reader.close();
    },
  },
  {
    name: "what does not exist is said to be unknown",
    async run(context) {
      const { broker } = context;
      const topic = await newTopic(context);
      const missing = context.unique("missing");
      const reader = await broker.openReader();
      const writer = await broker.openWriter();
      await assertRejects(() => reader.fetch(missing, 0, { offset: 0 }), UnknownTopicError);
      await assertRejects(() => reader.fetch(topic, 1, { offset: 0 }), UnknownTopicError);
      await assertRejects(() => writer.send([share(missing, 0, "0")]), UnknownTopicError);
      await assertRejects(() => broker.offsets(missing), UnknownTopicError);
      await reader.close();
      await writer.close();
    },
  },
  {
    name: "a record over the topic's limit is refused as too large",
    async run(context) {
      const topic = await newTopic(context, 1, { "max.message.bytes": "10000" });
      const writer = await context.broker.openWriter();
      await assertRejects(
        () => writer.send([share(topic, 0, "x".repeat(20_000))]),
        TooLargeError,
      );
      await writer.close();
      const other = await context.broker.openWriter();
      await other.send([share(topic, 0, "small")]);
      await other.close();
      assertEquals((await readAll(context.broker, topic)).values, ["small"]);
    },
  },
  {
    name: "a waiting fetch ends when its signal aborts",
    async run(context) {
      const topic = await newTopic(context);
      const reader = await context.broker.openReader();
      const stop = new AbortController();
      const reason = new Error("enough");
      const waiting = reader.fetch(topic, 0, { offset: 0, waitMsMax: 20_000, signal: stop.signal });
      const refused = assertRejects(() => waiting, Error, "enough");
      stop.abort(reason);
      await refused;
      await reader.close();
    },
  },
  {
    name: "a LogAppendTime topic carries the broker's time, not the producer's",
    async run(context) {
      const topic = await newTopic(context, 1, { "message.timestamp.type": "LogAppendTime" });
      const writer = await context.broker.openWriter();
      const before = Date.now();
      await writer.send([{
        topic,
        partition: 0,
        batch: { keys: [null], values: [bytesOf("0")], timestamp: 1_000 },
      }]);
      await writer.close();
      const reader = await context.broker.openReader();
      const { records } = await reader.fetch(topic, 0, { offset: 0 });
      assert(records.timestamps[0]! >= before, `${records.timestamps[0]} is before ${before}`);
      await reader.close();
    },
  },
  {
    name: "sends of one writer that are not awaited keep their order",
    async run(context) {
      const topic = await newTopic(context);
      const writer = await context.broker.openWriter();
      const values = Array.from({ length: 30 }, (_, i) => `${i}`);
      await Promise.all(values.map((value) => writer.send([share(topic, 0, value)])));
      await writer.close();
      assertEquals((await readAll(context.broker, topic)).values, values);
    },
  },
];
