import { assert, assertEquals, assertRejects } from "@std/assert";
import { formatTrace } from "../../contracts/ids.ts";
import { OFFSETS_PROPERTY, TABLE_NAMES, TABLES } from "../../contracts/tables.ts";
import { TOPIC_NAMES_DEFAULT as topics } from "../../contracts/topics.ts";
import { createMemoryBroker, type MemoryBroker } from "../../broker/memory.ts";
import { UnknownTopicError } from "../../broker/port.ts";
import { systemClock } from "../../generator/clock.ts";
import { MemoryCatalog } from "../../iceberg/catalog/memory.ts";
import type { Catalog } from "../../iceberg/catalog/port.ts";
import { printReport } from "./report.ts";
import { replay, type ReplayOptions, type ReplayResult, succeeded } from "./run.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** What came of the raw records, one letter each: t(ransaction), d(ead letter), 2 (a transaction twice). */
type Fate = (value: string) => "t" | "d" | "2" | "nothing";

/** A stand-in for the processor: passes records on as told, with their traces, and one alert per `!`. */
async function process(broker: MemoryBroker, fate: Fate, signal: AbortSignal): Promise<void> {
  const reader = await broker.openReader();
  const positions = [0, 0];
  let round = 0;
  while (!signal.aborted) {
    for (const partition of [0, 1]) {
      const { records, nextOffset } = await reader.fetch(topics.raw, partition, {
        offset: positions[partition]!,
        waitMsMax: 1,
      });
      positions[partition] = nextOffset;
      if (records.count === 0) continue;
      const writer = await broker.openTransactionalWriter(`p-${partition}-${round++}`);
      writer.begin();
      for (let i = 0; i < records.count; i++) {
        const value = records.bytes.slice(records.valueStart[i]!, records.valueEnd[i]!);
        const trace = encoder.encode(formatTrace(topics.raw, partition, records.offsets[i]!));
        const headers = [{ name: "trace", values: trace }];
        const send = (topic: string) =>
          writer.send([{ topic, partition, batch: { keys: [null], values: [value], headers } }]);
        const text = decoder.decode(value);
        const end = fate(text);
        if (end === "t" || end === "2") await send(topics.transactions);
        if (end === "2") await send(topics.transactions);
        if (end === "d") await send(topics.deadLetter);
        if (text.includes("!")) await send(topics.alerts);
      }
      await writer.commit();
      await writer.close();
    }
  }
  await reader.close();
}

/** A stand-in for the sink: tables that have consumed everything up to the ends. */
async function store(broker: MemoryBroker, catalog: Catalog): Promise<void> {
  for (const name of TABLE_NAMES) {
    const topic = topics[TABLES[name].source];
    const next: Record<string, string> = {};
    for (const { partition, end } of await broker.offsets(topic)) next[partition] = String(end);
    const offsets = { cluster: "memory", topics: { [topic]: { id: "x", from: {}, next } } };
    const ident = { namespace: ["finance"], name };
    const { metadata } = await catalog.loadTable(ident);
    const parent = metadata["current-snapshot-id"];
    const id = (parent ?? 0n) + 1n;
    const snapshot = {
      "snapshot-id": id,
      ...(parent === null ? {} : { "parent-snapshot-id": parent }),
      "sequence-number": id,
      "timestamp-ms": 0,
      "manifest-list": "memory://none",
      summary: { operation: "append" as const, [OFFSETS_PROPERTY]: JSON.stringify(offsets) },
      "schema-id": 0,
    };
    await catalog.commitTable(ident, {
      requirements: [],
      updates: [
        { action: "add-snapshot", snapshot },
        { action: "set-snapshot-ref", "ref-name": "main", type: "branch", "snapshot-id": id },
      ],
    });
  }
}

interface World {
  broker: MemoryBroker;
  catalog: Catalog;
}

async function createWorld(): Promise<World> {
  const broker = createMemoryBroker();
  const names = [topics.raw, topics.transactions, topics.deadLetter, topics.alerts];
  await broker.createTopics([...names, topics.sessions].map((name) => ({ name, partitions: 2 })));
  const catalog = new MemoryCatalog({ nowMs: () => 0 });
  await catalog.createNamespace(["finance"]);
  for (const name of TABLE_NAMES) {
    const schema = { "schema-id": 0, type: "struct" as const, fields: [] };
    await catalog.createTable({ namespace: ["finance"], name }, { schema });
  }
  // Records of others before, between and after ours must not be counted.
  await sendForeign(broker);
  return { broker, catalog };
}

async function sendForeign(broker: MemoryBroker): Promise<void> {
  const writer = await broker.openWriter();
  const batch = { keys: [null], values: [encoder.encode("foreign!")] };
  await writer.send([0, 1].map((partition) => ({ topic: topics.raw, partition, batch })));
  await writer.close();
}

function inputs(...texts: string[]): ReplayOptions["sources"] {
  async function* chunks(text: string) {
    yield await Promise.resolve(encoder.encode(text));
  }
  return texts.map((text, i) => ({
    name: `f${i}`,
    open: () => Promise.resolve({ chunks: chunks(text), size: undefined, read: () => 0 }),
  }));
}

function optionsOf(world: World, more: Partial<ReplayOptions>): ReplayOptions {
  return {
    ...world,
    topics,
    clock: systemClock,
    sources: [],
    rate: "max",
    retime: false,
    wait: "sent",
    timeoutMs: 60_000,
    onProgress: () => {},
    signal: new AbortController().signal,
    ...more,
  };
}

async function withProcessor(
  world: World,
  fate: Fate,
  body: () => Promise<ReplayResult>,
): Promise<ReplayResult> {
  const stop = new AbortController();
  const processing = process(world.broker, fate, stop.signal);
  try {
    return await body();
  } finally {
    stop.abort();
    await processing;
  }
}

async function rawValues(broker: MemoryBroker): Promise<string[]> {
  const reader = await broker.openReader();
  const values: string[] = [];
  for (const partition of [0, 1]) {
    const { records } = await reader.fetch(topics.raw, partition, { offset: 0 });
    for (let i = 0; i < records.count; i++) {
      values.push(
        decoder.decode(records.bytes.slice(records.valueStart[i]!, records.valueEnd[i]!)),
      );
    }
  }
  await reader.close();
  return values.filter((value) => !value.startsWith("foreign"));
}

Deno.test("each own line is accounted for, as stored or dead-lettered, others' are not counted", async () => {
  const world = await createWorld();
  const ours = Array.from({ length: 500 }, (_, i) => `{"account_id":"A${i}"}${i % 5 ? "" : "!"}`);
  let storing: ReturnType<typeof setInterval> | undefined;
  const result = await withProcessor(
    world,
    (value) => value.includes("7") ? "d" : "t",
    async () => {
      storing = setInterval(() => void store(world.broker, world.catalog), 20);
      await sendForeign(world.broker);
      return await replay(optionsOf(world, {
        wait: "stored",
        sources: inputs(ours.slice(0, 250).join("\r\n"), "\n" + ours.slice(250).join("\n") + "\n"),
      }));
    },
  ).finally(() => clearInterval(storing));
  // Of 0 to 499, those with a 7 in them: 95; each fifth makes an alert.
  const dead = ours.filter((_, i) => String(i).includes("7")).length;
  assertEquals([result.sent, result.blank, result.crlf], [500, 1, 249]);
  const { accounted } = result;
  assertEquals([accounted?.transactions, accounted?.dead_lettered, accounted?.alerts], [
    500 - dead,
    dead,
    100,
  ]);
  assertEquals([accounted?.stored, accounted?.missing, succeeded(result)], [true, [], true]);
  assertEquals((await rawValues(world.broker)).toSorted(), ours.toSorted());
  assert(
    printReport(result).some((line) => /^stored +405$/.test(line)),
    printReport(result).join(),
  );
});

Deno.test("what does not come out in time is named, and so is what comes out twice", async () => {
  const world = await createWorld();
  const fate: Fate = (value) => value === "b" ? "nothing" : value === "c" ? "2" : "t";
  const result = await withProcessor(world, fate, () =>
    replay(optionsOf(world, {
      wait: "processed",
      timeoutMs: 300,
      sources: inputs("a\nb\nc\n"),
    })));
  // Lines without a key go to their number mod 2: b, the second, to partition 0 after one foreign record.
  assertEquals(result.keyless, 3);
  assertEquals([result.accounted?.timed_out, result.accounted?.missing], [true, [
    `${topics.raw}/0/1`,
  ]]);
  assertEquals(result.accounted?.twice, [`${topics.raw}/1/2`]);
  assertEquals(succeeded(result), false);
});

Deno.test("tables that have not committed keep it waiting until the timeout", async () => {
  const world = await createWorld();
  const result = await withProcessor(
    world,
    () => "t",
    () => replay(optionsOf(world, { wait: "stored", timeoutMs: 300, sources: inputs("a\n") })),
  );
  assertEquals([result.accounted?.transactions, result.accounted?.stored], [1, false]);
  assert(printReport(result).some((line) => line.includes("have not committed")));
});

Deno.test("an outage while sending loses and doubles nothing", async () => {
  const world = await createWorld();
  const faults = [
    world.broker.faults.add({ at: "append", partition: 0, when: "after" }),
    world.broker.faults.add({ at: "append", partition: 1 }),
  ];
  const lines = Array.from({ length: 50 }, (_, i) => `{"account_id":"${i}"}`);
  const result = await replay(optionsOf(world, { sources: inputs(lines.join("\n")) }));
  assert(faults.every((fault) => fault.fired));
  assertEquals(result.sent, 50);
  assertEquals((await rawValues(world.broker)).toSorted(), lines.toSorted());
});

Deno.test("--retime makes the last now and keeps the distances", async () => {
  const world = await createWorld();
  const line = (time: string) => `{"timestamp":"${time}"}`;
  const now = Date.UTC(2026, 5, 1);
  await replay(optionsOf(world, {
    retime: true,
    clock: { ...systemClock, now: () => now },
    sources: inputs(
      [line("2020-01-01T00:00:10Z"), line("2020-01-01T00:00:00+00:00"), "{"].join("\n"),
      line("2020-01-01T00:00:09.5Z"),
    ),
  }));
  assertEquals((await rawValues(world.broker)).toSorted(), [
    "{",
    line("2026-05-31T23:59:50.000000Z"),
    line("2026-05-31T23:59:59.500000Z"),
    line("2026-06-01T00:00:00.000000Z"),
  ]);
});

Deno.test("without the topic nothing is read; an interruption ends it", async () => {
  const world = { ...await createWorld(), broker: createMemoryBroker() };
  await assertRejects(() => replay(optionsOf(world, { sources: inputs("a") })), UnknownTopicError);
  const whole = await createWorld();
  const stop = new AbortController();
  const waiting = replay(optionsOf(whole, {
    wait: "processed",
    sources: inputs("a"),
    signal: stop.signal,
    onProgress: () => stop.abort(new Error("interrupted")),
  }));
  await assertRejects(() => waiting, Error, "interrupted");
});
