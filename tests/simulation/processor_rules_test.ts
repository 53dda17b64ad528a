/** Rules that change while the processor runs (H2, H5): boundaries, restarts, broken files. */
import { assertEquals, assertRejects } from "@std/assert";
import { ConfigError } from "../../contracts/errors.ts";
import { sleep } from "../../runtime/retry.ts";
import { createToyCore, toyRules, toyVersion } from "./toy_core.ts";
import { assertExactlyOnce } from "./toy_judge.ts";
import { type Instance, TOPICS, World } from "./world.ts";

type ToyWorld = World<Map<string, number>, { every: number }>;

const options = { sanitizeOps: false, sanitizeResources: false };

async function newWorld(every: number | undefined, partitions = 1): Promise<ToyWorld> {
  const world: ToyWorld = new World({
    core: createToyCore(),
    ...(every === undefined ? {} : { rules: toyRules(every) }),
  });
  await world.open(partitions);
  return world;
}

async function feed(world: ToyWorld, count: number, partition = 0): Promise<void> {
  const encoder = new TextEncoder();
  const writer = await world.broker.openWriter();
  const values = Array.from({ length: count }, (_, n) => encoder.encode(`acc:${n}`));
  const keys = values.map(() => encoder.encode("key"));
  await writer.send([{ topic: TOPICS.raw, partition, batch: { keys, values } }]);
  await writer.close();
}

async function untilApplied(instance: Instance, every: number): Promise<void> {
  for (let i = 0; i < 2000; i++) {
    const views = [...instance.processor.views.values()];
    if (views.every((view) => view.rulesVersion === toyVersion(every))) return;
    await sleep(1);
  }
  throw new Error(`rules ${every} were never applied`);
}

async function history(world: ToyWorld, partition = 0): Promise<[number, string][]> {
  return (await world.boundaries(partition)).map((one) => [one.offset, one.rulesVersion]);
}

Deno.test({
  ...options,
  name: "an edit is in force from its recorded boundary on, on idle partitions too",
  fn: async () => {
    const world = await newWorld(3, 2);
    const instance = world.start();
    await feed(world, 10);
    await world.drained(instance);
    world.rules = toyRules(2);
    await untilApplied(instance, 2);
    await feed(world, 10);
    await world.drained(instance);
    await instance.stop();
    assertEquals(await history(world, 0), [[0, "every-3"], [10, "every-2"]]);
    assertEquals(await history(world, 1), [[0, "every-2"]], "replaced at the same offset");
    await assertExactlyOnce(world as never, 2, "edit");
  },
});

Deno.test({
  ...options,
  name: "after a restart the changelog's rules judge on until the file is valid and differs",
  fn: async () => {
    const world = await newWorld(3);
    const first = world.start();
    await feed(world, 7);
    await world.drained(first);
    await first.stop();
    world.rules = undefined; // the file is broken now
    const second = world.start();
    await feed(world, 7);
    await world.drained(second);
    assertEquals(await history(world), [[0, "every-3"]]);
    world.rules = toyRules(4); // repaired
    await untilApplied(second, 4);
    await second.stop();
    assertEquals(await history(world), [[0, "every-3"], [14, "every-4"]]);
    await assertExactlyOnce(world as never, 1, "restart");
  },
});

Deno.test({
  ...options,
  name: "a broken file and no changelog: the process ends with a config error",
  fn: async () => {
    const world = await newWorld(undefined, 2);
    const instance = world.start();
    await assertRejects(() => instance.done, ConfigError);
  },
});

Deno.test({
  ...options,
  name: "a broken file where another partition has rules: only the new partition waits",
  fn: async () => {
    const world = await newWorld(3);
    const first = world.start();
    await feed(world, 5);
    await world.drained(first);
    await first.stop();
    for (const topic of Object.values(TOPICS)) await world.broker.growTopic(topic, 2);
    world.rules = undefined;
    const second = world.start();
    await feed(world, 5, 0);
    for (let i = 0; i < 2000; i++) {
      if (second.processor.views.get(0)?.position === 10) break;
      await sleep(1);
    }
    assertEquals(second.processor.views.get(0)?.position, 10);
    assertEquals(second.processor.readiness().ready, false);
    world.rules = toyRules(3);
    await feed(world, 5, 1);
    await world.drained(second);
    await second.stop();
    await assertExactlyOnce(world as never, 2, "new partition");
  },
});

Deno.test({
  ...options,
  name: "boundaries below the log's start go, but for the one in force there",
  fn: async () => {
    const world = await newWorld(2);
    const instance = world.start();
    for (const every of [3, 4, 5, 6]) {
      await feed(world, 10);
      await world.drained(instance);
      world.rules = toyRules(every);
      await untilApplied(instance, every);
    }
    world.broker.deleteBefore(TOPICS.raw, 0, 25);
    await feed(world, 1);
    await world.drained(instance);
    world.rules = toyRules(7);
    await untilApplied(instance, 7);
    await instance.stop();
    assertEquals(await history(world), [
      [20, "every-4"],
      [30, "every-5"],
      [40, "every-6"],
      [41, "every-7"],
    ]);
  },
});
