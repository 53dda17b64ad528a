/**
 * Crashes, zombies, broker faults, rule edits and log cleaning in an order drawn from a seed: whatever
 * happens, outputs hold each input exactly once and alerts equal the recomputation.
 *
 * A failure names its seed; run it again with SIMULATION_SEED=<seed>, and more with SIMULATION_RUNS=<n>.
 */
import type { FaultPoint } from "../../broker/memory_faults.ts";
import { sleep } from "../../runtime/retry.ts";
import { createToyCore, toyRules } from "./toy_core.ts";
import { assertExactlyOnce } from "./toy_judge.ts";
import { type Instance, seeded, TOPICS, World } from "./world.ts";

const PARTITIONS = 2;
const STEPS = 60;
const RUNS_DEFAULT = 12;

const POINTS: FaultPoint[] = ["open", "send", "append", "commit", "fetch", "offsets"];

/** A variable of the environment, where reading it is allowed at all. */
function variable(name: string): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable: name });
  return state === "granted" ? Deno.env.get(name) : undefined;
}

type ToyWorld = World<Map<string, number>, { every: number }>;

/** One run of choices over a world. */
class Run {
  readonly #random: () => number;
  readonly #world: ToyWorld;
  #instances: Instance[] = [];
  #frozen: Instance[] = [];
  #fed = 0;

  constructor(world: ToyWorld, random: () => number) {
    this.#world = world;
    this.#random = random;
  }

  #pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.#random() * from.length)]!;
  }

  async feed(count: number): Promise<void> {
    const writer = await this.#world.broker.openWriter();
    const encoder = new TextEncoder();
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const values = Array.from({ length: count }, () => {
        const n = ++this.#fed;
        return this.#random() < 0.05 ? `!${n}` : `acc${Math.floor(this.#random() * 4)}:${n}`;
      });
      const keys = values.map(() => encoder.encode("key"));
      const batch = { keys, values: values.map((value) => encoder.encode(value)) };
      await writer.send([{ topic: TOPICS.raw, partition, batch }]);
    }
    await writer.close();
  }

  /** One event. */
  async step(): Promise<void> {
    const { broker } = this.#world;
    const at = this.#random();
    if (at < 0.3) await this.feed(1 + Math.floor(this.#random() * 40));
    else if (at < 0.5) this.#crash();
    else if (at < 0.6) this.#freeze();
    else if (at < 0.65) this.#instances.push(this.#world.start()); // one more than expected
    else if (at < 0.7) this.#thaw();
    else if (at < 0.8) this.#world.rules = toyRules(2 + Math.floor(this.#random() * 5));
    else if (at < 0.85) broker.compact(TOPICS.state);
    else {
      this.#addFault();
    }
    await sleep(Math.floor(this.#random() * 12));
  }

  /** At a processor's calls only: the feeder and the judge are not under test. */
  #addFault(): void {
    const at = this.#pick(POINTS);
    const partition = Math.floor(this.#random() * PARTITIONS);
    const isReading = at === "fetch" || at === "offsets";
    this.#world.broker.faults.add({
      at,
      when: this.#pick(["before", "after"]),
      skip: Math.floor(this.#random() * 3),
      ...(isReading
        ? { topic: this.#pick([TOPICS.raw, TOPICS.state]) }
        : { transactionalId: `processor-${TOPICS.raw}-${partition}` }),
    });
  }

  /** kill -9 of a random instance, in whatever it is doing; a supervisor starts the next. */
  #crash(): void {
    const victim = this.#pick(this.#instances);
    if (victim !== undefined) {
      victim.life.kill();
      this.#instances = this.#instances.filter((one) => one !== victim);
    }
    if (this.#instances.length === 0) this.#instances.push(this.#world.start());
  }

  #freeze(): void {
    const victim = this.#pick(this.#instances);
    if (victim === undefined) return;
    victim.life.freeze();
    this.#frozen.push(victim);
    this.#instances = this.#instances.filter((one) => one !== victim);
    this.#instances.push(this.#world.start());
  }

  #thaw(): void {
    for (const one of this.#frozen) one.life.thaw();
    this.#instances.push(...this.#frozen);
    this.#frozen = [];
  }

  /** Wakes the frozen, then leaves a single instance and lets it finish. */
  async settle(): Promise<void> {
    this.#thaw();
    await sleep(30);
    for (const one of this.#instances) one.life.kill();
    const last = this.#world.start();
    await this.#world.drained(last);
    await last.stop();
  }
}

async function simulate(seed: number): Promise<void> {
  const random = seeded(seed);
  const world: ToyWorld = new World({ core: createToyCore(), rules: toyRules(3), random });
  await world.open(PARTITIONS);
  const run = new Run(world, random);
  await run.feed(20);
  const hint = `rerun with SIMULATION_SEED=${seed}`;
  try {
    for (let step = 0; step < STEPS; step++) await run.step();
    await run.settle();
    await assertExactlyOnce(world as never, PARTITIONS, hint);
  } catch (error) {
    throw new Error(`Simulation failed; ${hint}: ${(error as Error).message}`, { cause: error });
  }
}

const seedText = variable("SIMULATION_SEED");
const runs = seedText === undefined ? Number(variable("SIMULATION_RUNS") ?? RUNS_DEFAULT) : 1;

for (let i = 0; i < runs; i++) {
  const seed = seedText === undefined ? 1000 + i : Number(seedText);
  Deno.test({
    name: `processor simulation: crashes, zombies, faults and edits, seed ${seed}`,
    fn: () => simulate(seed),
    // Killed instances leave promises that never settle, by design; their timers end within ms.
    sanitizeOps: false,
    sanitizeResources: false,
  });
}
