/**
 * Crash points, enumerated (docs/exactly-once.md, "What a crash leaves"): a processor dies, freezes or gets an
 * error at its n-th call of each kind, before the broker has done it or after. A successor takes over,
 * and outputs hold each input exactly once, with the right alerts.
 */
import { assert } from "@std/assert";
import type { FaultPoint } from "../../broker/memory_faults.ts";
import { FencedError } from "../../broker/port.ts";
import { sleep } from "../../runtime/retry.ts";
import { createToyCore, toyRules } from "./toy_core.ts";
import { assertExactlyOnce } from "./toy_judge.ts";
import { type Instance, TOPICS, World } from "./world.ts";

const POINTS: FaultPoint[] = ["open", "offsets", "fetch", "send", "append", "commit"];

/** Calls of each kind that a short run makes; further ones are repetitions. */
const CALLS_MAX = 8;

type ToyWorld = World<Map<string, number>, { every: number }>;

async function feed(world: ToyWorld, from: number, count: number): Promise<void> {
  const encoder = new TextEncoder();
  const writer = await world.broker.openWriter();
  const numbers = Array.from({ length: count }, (_, i) => from + i);
  const values = numbers.map((n) => encoder.encode(n % 9 === 0 ? `!${n}` : `acc${n % 3}:${n}`));
  const keys = values.map(() => encoder.encode("key"));
  await writer.send([{ topic: TOPICS.raw, partition: 0, batch: { keys, values } }]);
  await writer.close();
}

async function newWorld(quietMs = 40): Promise<ToyWorld> {
  const world: ToyWorld = new World({
    core: createToyCore(),
    rules: toyRules(3),
    settings: { fetchBytesMax: 300, quietMs },
  });
  await world.open(1);
  return world;
}

/** Waits for the fault to strike; false when the run makes no such call. */
async function struck(fault: { fired: boolean }): Promise<boolean> {
  for (let i = 0; i < 60 && !fault.fired; i++) await sleep(1);
  return fault.fired;
}

async function finish(world: ToyWorld, instance: Instance, hint: string): Promise<void> {
  await feed(world, 100, 10);
  await world.drained(instance);
  await instance.stop();
  await assertExactlyOnce(world as never, 1, hint);
}

async function forEachCall(
  at: FaultPoint,
  run: (world: ToyWorld, skip: number) => Promise<boolean>,
): Promise<void> {
  let struckOnce = false;
  for (let skip = 0; skip < CALLS_MAX; skip++) {
    const world = await newWorld();
    await feed(world, 1, 40);
    if (!await run(world, skip)) break;
    struckOnce = true;
  }
  assert(struckOnce, `no call "${at}" was made at all`);
}

const options = { sanitizeOps: false, sanitizeResources: false };
const never = new Promise<void>(() => {});

for (const at of POINTS) {
  for (const when of ["before", "after"] as const) {
    Deno.test({
      ...options,
      name: `processor dies ${when} each ${at}; its successor judges the rest once`,
      fn: () =>
        forEachCall(at, async (world, skip) => {
          const fault = world.broker.faults.add({ at, when, skip, hold: never });
          const victim = world.start();
          const hasStruck = await struck(fault);
          victim.life.kill();
          if (hasStruck) await finish(world, world.start(), `${at} ${when} ${skip}`);
          return hasStruck;
        }),
    });

    Deno.test({
      ...options,
      name: `an error ${when} each ${at} is answered by a new writer and a restore`,
      fn: () =>
        forEachCall(at, async (world, skip) => {
          const fault = world.broker.faults.add({ at, when, skip });
          const instance = world.start();
          const hasStruck = await struck(fault);
          if (hasStruck) await finish(world, instance, `${at} ${when} ${skip}`);
          else await instance.stop();
          return hasStruck;
        }),
    });

    Deno.test({
      ...options,
      name: `a processor frozen ${when} each ${at} wakes as a zombie and gives up`,
      fn: () =>
        forEachCall(at, async (world, skip) => {
          const thaw = Promise.withResolvers<void>();
          const fault = world.broker.faults.add({ at, when, skip, hold: thaw.promise });
          const zombie = world.start();
          const hasStruck = await struck(fault);
          if (hasStruck) {
            zombie.life.freeze();
            const successor = world.start();
            await feed(world, 200, 20);
            await world.drained(successor);
            thaw.resolve();
            zombie.life.thaw();
            await finish(world, successor, `${at} ${when} ${skip}`);
          }
          await zombie.stop();
          return hasStruck;
        }),
    });
  }
}

Deno.test({
  ...options,
  name: "two instances on the same partitions do not fence each other for ever",
  fn: async () => {
    const world = await newWorld(500);
    const first = world.start();
    const second = world.start();
    for (let round = 0; round < 10; round++) {
      await feed(world, 10 * round, 10);
      await sleep(15);
    }
    const fenced = world.errors.filter((error) => error instanceof FencedError).length;
    assert(fenced >= 1 && fenced <= 4, `${fenced} times fenced in 10 rounds of work`);
    await Promise.all([first.stop(), second.stop()]);
    await finish(world, world.start(), "two instances");
  },
});
