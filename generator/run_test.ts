import { assert, assertEquals } from "@std/assert";
import { GeneratorConfig } from "../contracts/generator_config.ts";
import { SessionFigures } from "../contracts/session.ts";
import { createMemoryBroker, type MemoryBroker } from "../broker/memory.ts";
import { partitionOf } from "../broker/murmur2.ts";
import type { RecordBatch } from "../broker/port.ts";
import { createLogger } from "../runtime/log.ts";
import { createMetrics } from "../runtime/metrics.ts";
import { createStageStatus } from "../runtime/stage_status.ts";
import { Generator } from "./run.ts";
import { createVirtualClock } from "./testing.ts";

const START_MS = Date.UTC(2026, 5, 1, 12);
const topics = { raw: "raw", sessions: "sessions" };

interface World {
  broker: MemoryBroker;
  diskPercent: number;
  events: string[];
}

async function createWorld(): Promise<World> {
  const broker = createMemoryBroker();
  await broker.createTopics([
    { name: "raw", partitions: 4 },
    { name: "sessions", partitions: 1 },
  ]);
  return { broker, diskPercent: 10, events: [] };
}

/** One run of the generator, told what to do at which ms; it stops at the last of them. */
async function runGenerator(
  world: World,
  config: Partial<GeneratorConfig>,
  script: Record<number, (generator: Generator) => void>,
): Promise<{ generator: Generator; unsent: number }> {
  const clock = createVirtualClock(START_MS);
  const write = (line: string) => world.events.push(JSON.parse(line).event);
  const generator = new Generator({
    broker: world.broker,
    topics,
    config: GeneratorConfig.parse(config),
    clock,
    log: createLogger({ component: "generator", sessionId: "s", write }),
    metrics: createMetrics(),
    stage: createStageStatus({
      name: "generator",
      sessionId: crypto.randomUUID(),
      pid: 1,
      versions: {},
      now: clock.now,
      processStats: () => ({ rss_bytes: 0, cpu_seconds: 0 }),
    }),
    readDisk: () =>
      Promise.resolve({ path: "/data", used_percent: world.diskPercent, free_bytes: 0 }),
    random: () => 1,
  });
  const stop = new AbortController();
  const moments = Object.keys(script).map(Number);
  for (const ms of moments) clock.at(ms, () => script[ms]!(generator));
  clock.at(Math.max(...moments), () => stop.abort());
  const unsent = await generator.run(stop.signal);
  clock.stop();
  return { generator, unsent };
}

interface ReadRecord {
  partition: number;
  key: string;
  id: string;
  injected: string;
}

async function readTopic(broker: MemoryBroker, topic: string): Promise<[number, RecordBatch][]> {
  const reader = await broker.openReader();
  const batches: [number, RecordBatch][] = [];
  for (const { partition, start, end } of await broker.offsets(topic)) {
    for (let offset = start; offset < end;) {
      const fetched = await reader.fetch(topic, partition, { offset });
      batches.push([partition, fetched.records]);
      offset = fetched.nextOffset;
    }
  }
  await reader.close();
  return batches;
}

async function readRaw(broker: MemoryBroker): Promise<ReadRecord[]> {
  const text = new TextDecoder();
  const records: ReadRecord[] = [];
  for (const [partition, batch] of await readTopic(broker, "raw")) {
    for (let i = 0; i < batch.count; i++) {
      const value = text.decode(batch.bytes.subarray(batch.valueStart[i]!, batch.valueEnd[i]!));
      const { account_id, transaction_id } = JSON.parse(value);
      const key = text.decode(batch.bytes.subarray(batch.keyStart[i]!, batch.keyEnd[i]!));
      assertEquals(key, account_id);
      const injected = text.decode(batch.header(i, "injected"));
      records.push({ partition, key, id: transaction_id, injected });
    }
  }
  return records;
}

/** Fails unless every record is there once. */
async function assertOnce(world: World, count: number): Promise<void> {
  const records = await readRaw(world.broker);
  assertEquals(records.length, count);
  assertEquals(new Set(records.map((record) => record.id)).size, count);
}

const VALID = { malformed_share: 0 };

Deno.test("the generator publishes at its rate, each record in its account's partition", async () => {
  const world = await createWorld();
  const { generator, unsent } = await runGenerator(world, { ...VALID, rate_per_second: 50 }, {
    20_000: () => {},
  });
  const { totals, ready } = generator.status();
  assertEquals([unsent, totals.published, ready], [0, totals.generated, true]);
  assert(Math.abs(totals.generated - 1000) <= 10, `${totals.generated}`);
  await assertOnce(world, totals.generated);
  for (const { partition, key } of await readRaw(world.broker)) {
    assertEquals(partition, partitionOf(new TextEncoder().encode(key), 4));
  }
});

Deno.test("a fresh pipeline gets the same stream; a restart goes on with other ids", async () => {
  const config = { ...VALID, rate_per_second: 20 };
  const [one, two] = [await createWorld(), await createWorld()];
  for (const world of [one, two]) await runGenerator(world, config, { 5_000: () => {} });
  const ids = (records: ReadRecord[]) => records.map((record) => record.id);
  assertEquals(ids(await readRaw(one.broker)), ids(await readRaw(two.broker)));
  await runGenerator(one, config, { 5_000: () => {} });
  const after = await readRaw(one.broker);
  await assertOnce(one, after.length);
  assert(after.length > 150);
});

Deno.test("seeds that come and go while records wait do not repeat ids", async () => {
  const world = await createWorld();
  const apply = (seed: number) => (generator: Generator) =>
    generator.apply(GeneratorConfig.parse({ ...VALID, seed, rate_per_second: 20 }));
  const hold = Promise.withResolvers<void>();
  world.broker.faults.add({ at: "send", hold: hold.promise });
  const { generator } = await runGenerator(world, { ...VALID, seed: 1, rate_per_second: 20 }, {
    2_000: apply(2),
    4_000: apply(1),
    6_000: () => hold.resolve(),
  });
  await assertOnce(world, generator.status().totals.generated);
});

Deno.test("an outage opens the breaker after ten failed sends; nothing is lost or doubled", async () => {
  const world = await createWorld();
  const faults = Array.from(
    { length: 14 },
    (_, i) => world.broker.faults.add({ at: "send", when: i % 2 === 0 ? "after" : "before" }),
  );
  const seen: string[] = [];
  const look = (generator: Generator) => {
    const { details, ready } = generator.status();
    seen.push(`${details.breaker} ${ready}`);
  };
  const config = { ...VALID, rate_per_second: 100 };
  const { generator, unsent } = await runGenerator(world, config, {
    1_000: look,
    9_000: look,
    60_000: look,
  });
  assert(faults.every((fault) => fault.fired));
  assertEquals(seen, ["closed true", "open false", "closed true"]);
  assertEquals(world.events.filter((event) => event.startsWith("breaker")), [
    "breaker_open",
    "breaker_closed",
  ]);
  assertEquals(unsent, 0);
  await assertOnce(world, generator.status().totals.published);
});

Deno.test("an open breaker stops generating, and at most 10,000 records wait", async () => {
  const world = await createWorld();
  for (let i = 0; i < 20; i++) world.broker.faults.add({ at: "append", topic: "raw" });
  const counts: number[] = [];
  const look = (generator: Generator) => counts.push(generator.status().totals.generated);
  const { generator } = await runGenerator(world, { ...VALID, rate_per_second: "max" }, {
    8_000: look,
    12_000: look,
    // Paused, it still sends what is held.
    200_000: (generator) => generator.apply(GeneratorConfig.parse({ paused: true })),
    400_000: () => {},
  });
  assertEquals(counts, [10_000, 10_000]);
  const { published, generated } = generator.status().totals;
  assertEquals(published, generated);
  await assertOnce(world, published);
});

Deno.test("a dead producer session is replaced, and the log's tail tells what it had sent", async () => {
  const world = await createWorld();
  const dead = new Error("OUT_OF_ORDER_SEQUENCE_NUMBER");
  const faults = [
    world.broker.faults.add({ at: "append", topic: "raw", skip: 20, when: "after", error: dead }),
    world.broker.faults.add({ at: "append", topic: "raw", skip: 30, error: dead }),
  ];
  const { generator, unsent } = await runGenerator(world, { ...VALID, rate_per_second: 200 }, {
    30_000: () => {},
  });
  assert(faults.every((fault) => fault.fired));
  assertEquals(world.events.filter((event) => event === "session_replaced").length, 2);
  assertEquals(unsent, 0);
  await assertOnce(world, generator.status().totals.published);
  assertEquals(generator.status().totals.generated, generator.status().totals.published);
});

Deno.test("settings take effect while it runs; a broken file changes nothing and is shown", async () => {
  const world = await createWorld();
  const generated: number[] = [];
  const mark = (generator: Generator) => generated.push(generator.status().totals.generated);
  const issue = { file: "g.yaml", line: 2, field: "paused", value: "1", expected: "boolean" };
  const { generator } = await runGenerator(world, { rate_per_second: 10 }, {
    10_000(generator) {
      mark(generator);
      generator.apply(GeneratorConfig.parse({ rate_per_second: 100 }));
    },
    20_000(generator) {
      mark(generator);
      generator.refuse([issue]);
      assertEquals(generator.status().config.errors, [issue]);
      assertEquals(generator.status().details.rate_per_second, 100);
    },
    30_000(generator) {
      mark(generator);
      generator.apply(GeneratorConfig.parse({ paused: true }));
      assertEquals(generator.status().config.errors, []);
    },
    31_000: mark,
    40_000(generator) {
      mark(generator);
      assertEquals(generator.readiness(), { ready: true, reasons: [] });
    },
  });
  const [slow = 0, fast = 0, refused = 0, paused, later] = generated;
  assert(Math.abs(slow - 100) <= 3 && Math.abs(fast - slow - 1000) <= 60, `${generated}`);
  assert(Math.abs(refused - fast - 1000) <= 60, `${generated}`);
  assertEquals(paused, later);
  assert(generator.metrics().includes("generator_paused 1"));
});

Deno.test("a volume at 90 % pauses the generator and says so, until it is below 88 %", async () => {
  const world = await createWorld();
  world.diskPercent = 90;
  const states: [number, boolean][] = [];
  const mark = (generator: Generator) => {
    const { totals, ready } = generator.status();
    states.push([totals.generated === 0 ? 0 : 1, ready]);
  };
  await runGenerator(world, { rate_per_second: 10 }, {
    10_000(generator) {
      mark(generator);
      assert(generator.readiness().reasons[0]!.includes('"/data" is 90 % full'));
      world.diskPercent = 88.5;
    },
    20_000(generator) {
      mark(generator);
      world.diskPercent = 87;
    },
    30_000: mark,
  });
  assertEquals(states, [[0, false], [0, false], [1, true]]);
  assertEquals(world.events.filter((event) => event.startsWith("disk")), [
    "disk_nearly_full",
    "disk_filling",
  ]);
});

Deno.test("without its topic the generator waits and says why", async () => {
  const world: World = { broker: createMemoryBroker(), diskPercent: 1, events: [] };
  const { generator } = await runGenerator(world, {}, {
    5_000(generator) {
      assertEquals(generator.readiness().reasons, ['Cannot find topic "raw"']);
      world.broker.createTopics([{ name: "raw", partitions: 2 }]);
    },
    20_000: () => {},
  });
  assert(generator.status().totals.published > 100);
});

Deno.test("a clean stop sends what is held and publishes final session figures", async () => {
  const world = await createWorld();
  const { generator, unsent } = await runGenerator(world, { ...VALID, rate_per_second: "max" }, {
    30: () => {},
  });
  const { totals } = generator.status();
  assertEquals([unsent, totals.published], [0, totals.generated]);
  await assertOnce(world, totals.generated);
  const [[, batch]] = await readTopic(world.broker, "sessions") as [[number, RecordBatch]];
  const value = batch.bytes.subarray(batch.valueStart[0]!, batch.valueEnd[0]!);
  const figures = SessionFigures.parse(JSON.parse(new TextDecoder().decode(value)));
  assertEquals([figures.final, figures.stage, figures.published], [
    true,
    "generator",
    totals.published,
  ]);
});

Deno.test("a stop during an outage ends in time and says what stayed unsent", async () => {
  const world = await createWorld();
  for (let i = 0; i < 1000; i++) world.broker.faults.add({ at: "append", topic: "raw" });
  const { generator, unsent } = await runGenerator(world, { ...VALID, rate_per_second: 10 }, {
    1_000: () => {},
  });
  const { totals } = generator.status();
  assertEquals([totals.published, unsent], [0, totals.generated]);
  assert(unsent > 0 && world.events.includes("stopped"));
});
