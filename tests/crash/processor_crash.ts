/**
 * A real processor on a real Kafka, killed with -9 at seeded moments: inside open transactions, during
 * restores, at moments of the clock; the broker is restarted and the rules are edited meanwhile. Then outputs
 * hold each input exactly once and alerts equal the naive judge's. How many kills landed where is asserted. In the
 * end all of it is stored and audited.
 *
 * `TEST_SEED=<n>` repeats a run's choices; TEST_LONG=1 is the full size.
 */
import { assert, assertEquals } from "@std/assert";
import { sleep } from "../../runtime/retry.ts";
import { createFeed } from "../simulation/real_feed.ts";
import { assertRight } from "../simulation/real_judge.ts";
import { seeded } from "../simulation/world.ts";
import { assertAuditedEnd } from "./audited_end.ts";
import { Cluster, PARTITIONS } from "./processor_cluster.ts";
import { ProcessorProcess } from "./processor_process.ts";

const LONG = Deno.env.get("TEST_LONG") === "1";
const SEED = Number(Deno.env.get("TEST_SEED") ?? Math.floor(Math.random() * 1e9));
const RECORDS = LONG ? 200_000 : 24_000;
const PACED_MS = LONG ? 90_000 : 12_000;
const BATCH = LONG ? 100 : 50;

/** Edits of the rule file. */
const EDITS = LONG ? 10 : 4;

/** Kills that must land in each place. */
const PLAN = LONG
  ? { transaction: 4, restore: 3, clock: 4 }
  : { transaction: 2, restore: 1, clock: 1 };

/** Where a kill landed, as seen after the process was gone. */
type Landed = { transaction: number; restore: number; clock: number };

/** Keeps one processor running and kills it where the plan says. */
class Killer {
  readonly landed: Landed = { transaction: 0, restore: 0, clock: 0 };
  process: ProcessorProcess;
  readonly #cluster: Cluster;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    this.process = this.#start();
  }

  #start(): ProcessorProcess {
    return new ProcessorProcess(this.#cluster.environment(0));
  }

  async restart(): Promise<void> {
    await this.process.kill();
    this.process = this.#start();
  }

  /** Kills as soon as a transaction is open; it landed if that is still open with its owner dead. */
  async inTransaction(): Promise<void> {
    await this.process.next(({ event }) => event === "commit");
    while ((await this.#cluster.openTransactions()).length === 0);
    await this.process.kill();
    if ((await this.#cluster.openTransactions()).length > 0) this.landed.transaction++;
    this.process = this.#start();
  }

  /** Kills a new process at the first word of its restore; it landed if some restore never ended. */
  async inRestore(): Promise<void> {
    await this.process.kill();
    this.process = this.#start();
    await this.process.next(({ event }) => event === "restore_began");
    await this.process.kill();
    const count = (name: string) => this.process.lines.filter(({ event }) => event === name).length;
    if (count("restore_began") > count("restored")) this.landed.restore++;
    this.process = this.#start();
  }

  async atClock(): Promise<void> {
    await this.restart();
    this.landed.clock++;
  }
}

async function killAll(killer: Killer, random: () => number): Promise<void> {
  const pauseMs = PACED_MS / 16;
  const next = (place: keyof Landed) => killer.landed[place] < PLAN[place];
  const places: [keyof Landed, () => Promise<void>][] = [
    ["transaction", () => killer.inTransaction()],
    ["restore", () => killer.inRestore()],
    ["clock", () => killer.atClock()],
  ];
  for (;;) {
    const due = places.filter(([place]) => next(place));
    if (due.length === 0) return;
    await sleep(pauseMs * (0.5 + random()));
    await due[Math.floor(random() * due.length)]![1]();
  }
}

/** Changes numbers of the rule file, as an operator would, and waits until that is in force. */
async function editRules(cluster: Cluster, edit: number): Promise<void> {
  const before = await cluster.rulesInForce(0);
  const text = await Deno.readTextFile(cluster.rulesPath);
  const next = text
    .replace(/amount: \d+/, `amount: ${[10_000, 7_000, 12_000][edit % 3]}`)
    .replace(/at_least: \d+/, `at_least: ${[5, 4, 5][edit % 3]}`);
  await Deno.writeTextFile(cluster.rulesPath, next);
  while (await cluster.rulesInForce(0) === before) await sleep(100);
}

Deno.test(`the processor judges every record once through kills, a broker restart and rule edits (TEST_SEED=${SEED})`, async () => {
  const random = seeded(SEED);
  const cluster = await Cluster.start();
  const killer = new Killer(cluster);
  try {
    const startMs = Date.now() - 24 * 3_600_000;
    // The feed goes on until all kills have landed: its event times must not reach the future.
    const stepMs = 2 * 3_600_000 / RECORDS * PARTITIONS;
    const feed = createFeed({ random, partitions: PARTITIONS, accounts: 200, startMs, stepMs });
    let isDisturbed = true;
    const feeding = cluster.feed(feed, {
      count: RECORDS / PARTITIONS,
      batch: BATCH,
      pacedMs: PACED_MS,
      more: () => isDisturbed,
    });
    const editing = async (): Promise<void> => {
      for (let edit = 1; edit <= EDITS; edit++) {
        await sleep(PACED_MS / 2 / EDITS);
        await editRules(cluster, edit);
        if (edit === 2) await cluster.restartKafka();
      }
    };
    const disturbing = Promise.all([killAll(killer, random), editing()])
      .finally(() => isDisturbed = false);
    await Promise.all([feeding, disturbing]);
    await cluster.drained();
    const { code } = await killer.process.stop();
    assertEquals(code, 0, "it ends in order");
    for (const place of ["transaction", "restore", "clock"] as const) {
      assert(killer.landed[place] >= PLAN[place], `only ${killer.landed[place]} kills in ${place}`);
    }
    const judgement = await assertRight(cluster.judgeContext(), feed.truth);
    assert(judgement.alerts > RECORDS / 100, `only ${judgement.alerts} alerts`);
    assert(judgement.versions.size >= 2, "no second rule set raised an alert");
    const { alerts } = await assertAuditedEnd(cluster.broker, cluster.environment(0));
    assertEquals(alerts, judgement.alerts, "rows of the table alerts");
    console.log(`landed: ${JSON.stringify(killer.landed)}; ${judgement.alerts} alerts`);
  } finally {
    await killer.process.kill().catch(() => {});
    await cluster.stop();
  }
});
