/**
 * The processor with its real core on the in-process broker, through crashes, faults, rule edits and log
 * cleaning, judged by the naive judge. A failure names its seed: SIMULATION_SEED=<seed> repeats it.
 */
import { assert } from "@std/assert";
import { createCore, readyRuleFile } from "../../processor/core.ts";
import { RuleFile } from "../../rules/rule_file.ts";
import { sleep } from "../../runtime/retry.ts";
import { createFeed, type Feed } from "./real_feed.ts";
import { assertRight } from "./real_judge.ts";
import { FAST, type Instance, seeded, TOPICS, World } from "./world.ts";

const PARTITIONS = 2;
const ROUNDS = 12;
const SEEDS = [1, 2, 3, 4];

const settings = {
  dedup_ids_max: 8192,
  accounts_max: 1000,
  record_bytes_max: 262_144,
  time_zone_data: "test",
};

/** Rule sets that an operator goes through; the judge follows by the changelog. */
function ruleSet(edit: number) {
  const file = RuleFile.parse({
    rules: [
      {
        rule_name: "high-value",
        rule_type: "threshold",
        severity: "high",
        parameters: { amount: [10_000, 4_000, 12_000][edit % 3] },
      },
      {
        rule_name: "rapid-activity",
        rule_type: "velocity",
        severity: "medium",
        enabled: edit % 4 !== 3,
        parameters: {
          measure: "count",
          at_least: [5, 4, 5][edit % 3],
          window_seconds: edit % 5 === 4 ? 90 : 60,
        },
      },
    ],
  });
  return readyRuleFile(file, settings);
}

async function send(world: { broker: World<never, never>["broker"] }, feed: Feed): Promise<void> {
  const writer = await world.broker.openWriter();
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const records = feed.next(partition, 40);
    const keys = records.map(({ key }) => key);
    const values = records.map(({ value }) => value);
    await writer.send([{ topic: TOPICS.raw, partition, batch: { keys, values } }]);
  }
  await writer.close();
}

async function simulate(seed: number): Promise<void> {
  const random = seeded(seed);
  const world = new World({
    core: createCore(settings),
    rules: ruleSet(0),
    settings: { dedupIdsMax: 8192, accountsMax: 1000, fetchBytesMax: 6000 },
    random,
  });
  await world.open(PARTITIONS);
  const startMs = Date.now() - 3_600_000;
  const feed = createFeed({ random, partitions: PARTITIONS, accounts: 20, startMs, stepMs: 700 });
  let instance: Instance = world.start();
  for (let round = 0; round < ROUNDS; round++) {
    await send(world as never, feed);
    await sleep(random() * 15);
    if (random() < 0.3) world.rules = ruleSet(Math.floor(random() * 8));
    if (random() < 0.2) world.broker.compact(TOPICS.state);
    if (random() < 0.3) {
      const transactionalId = `processor-${TOPICS.raw}-0`;
      const at = random() < 0.5 ? "commit" : "append";
      world.broker.faults.add({ at, transactionalId, when: random() < 0.5 ? "before" : "after" });
    }
    if (random() < 0.4) {
      instance.life.kill();
      instance = world.start();
    }
  }
  await world.drained(instance);
  await instance.stop();
  const context = { ...world.context(), settings: { ...FAST, accountsMax: 1000 } };
  const judgement = await assertRight(context as never, feed.truth);
  assert(judgement.alerts > 20, `only ${judgement.alerts} alerts: nothing was tried`);
}

for (const seed of SEEDS) {
  Deno.test({
    name: `processor simulation: the real core against the naive judge, seed ${seed}`,
    fn: () => simulate(seed),
    sanitizeOps: false,
    sanitizeResources: false,
  });
}
