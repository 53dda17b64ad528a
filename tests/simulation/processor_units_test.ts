/** Units of a backlog (docs/exactly-once.md, U1 to U3): how many fetches one transaction takes in, and what may end it. */
import { assert, assertEquals } from "@std/assert";
import type { ProcessorSettings } from "../../processor/context.ts";
import { createToyCore, toyRules } from "./toy_core.ts";
import { assertExactlyOnce } from "./toy_judge.ts";
import { TOPICS, World } from "./world.ts";

type ToyWorld = World<Map<string, number>, { every: number }>;

const options = { sanitizeOps: false, sanitizeResources: false };

const BATCHES = 60;
const BATCH = 5;
/** Less than two batches, so that each fetch is one. */
const FETCH_BYTES_MAX = 100;

/** A world with a backlog of BATCHES fetches; `onValue` is called as each raw value is judged. */
async function backlog(
  settings: Partial<ProcessorSettings>,
  onValue: (world: ToyWorld, value: string) => void = () => {},
): Promise<ToyWorld> {
  const world: ToyWorld = new World({
    core: createToyCore({
      failAt(value) {
        onValue(world, value);
        return false;
      },
    }),
    rules: toyRules(3),
    settings: { fetchBytesMax: FETCH_BYTES_MAX, unitMsMax: 60_000, unitBytesMax: 1e6, ...settings },
  });
  await world.open(1);
  const encoder = new TextEncoder();
  const writer = await world.broker.openWriter();
  for (let first = 0; first < BATCHES * BATCH; first += BATCH) {
    const values = Array.from({ length: BATCH }, (_, i) => encoder.encode(`acc:${first + i}`));
    const keys = values.map(() => encoder.encode("key"));
    await writer.send([{ topic: TOPICS.raw, partition: 0, batch: { keys, values } }]);
  }
  await writer.close();
  return world;
}

/** Drains it with one instance; gives the positions that were committed. */
async function drain(world: ToyWorld): Promise<number[]> {
  const instance = world.start();
  await world.drained(instance);
  await instance.stop();
  await assertExactlyOnce(world as never, 1, "units");
  return world.positions;
}

Deno.test({
  ...options,
  name: "the first unit is one fetch, the next one all the rest",
  fn: async () => {
    // The boundary of the rules goes first.
    assertEquals(await drain(await backlog({})), [0, BATCH, BATCHES * BATCH]);
  },
});

Deno.test({
  ...options,
  name: "a unit ends with the fetch that fills its outputs",
  fn: async () => {
    const positions = await drain(await backlog({ unitBytesMax: 1000 }));
    const sizes = positions.slice(2).map((position, i) => position - positions[i + 1]!);
    // An output record is 50 to 100 bytes, with its key, trace and schema version, and every third has an alert.
    const inRange = sizes.slice(0, -1).every((size) => size >= 2 * BATCH && size <= 6 * BATCH);
    assert(sizes.length > 2 && inRange, `units of ${sizes}`);
  },
});

Deno.test({
  ...options,
  name: "a unit ends when its time is over",
  fn: async () => {
    const positions = await drain(await backlog({ unitMsMax: 0 }));
    assertEquals(positions, Array.from({ length: BATCHES + 1 }, (_, i) => i * BATCH));
  },
});

Deno.test({
  ...options,
  name: "rules that change while a unit gathers are in force from the next unit on",
  fn: async () => {
    const world = await backlog({ unitBytesMax: 1000 }, (world, value) => {
      if (value === "acc:151") world.rules = toyRules(2);
    });
    const positions = await drain(world);
    const boundaries = (await world.boundaries(0)).map((one) => [one.offset, one.rulesVersion]);
    const edge = positions.find((position) => position > 151);
    assertEquals(boundaries, [[0, "every-3"], [edge, "every-2"]]);
  },
});

Deno.test({
  ...options,
  name: "a processor that is told to stop while a unit gathers leaves its records to the next one",
  fn: async () => {
    const told = Promise.withResolvers<void>();
    const world = await backlog({}, (_, value) => {
      if (value === "acc:151") told.resolve();
    });
    const first = world.start();
    await told.promise;
    await first.stop();
    assertEquals(world.positions, [0, BATCH]);
    assertEquals(await drain(world), [0, BATCH, 2 * BATCH, BATCHES * BATCH]);
  },
});
