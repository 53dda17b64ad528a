/**
 * Two real processors where one was expected, on a real Kafka: the first is frozen (SIGSTOP) inside an open
 * transaction, its successor takes over, the rules are edited, the first is woken. It gives up by itself, and outputs hold
 * each input once, stored and audited in the end. The same with two members of a group.
 */
import { assert, assertEquals } from "@std/assert";
import { sleep } from "../../runtime/retry.ts";
import { createFeed } from "../simulation/real_feed.ts";
import { assertRight } from "../simulation/real_judge.ts";
import { seeded } from "../simulation/world.ts";
import { assertAuditedEnd } from "./audited_end.ts";
import { Cluster, PARTITIONS } from "./processor_cluster.ts";
import { ProcessorProcess } from "./processor_process.ts";

const SEED = Number(Deno.env.get("TEST_SEED") ?? Math.floor(Math.random() * 1e9));

/** Freezes a process while a transaction of its own is open; asserts that it stayed open. */
async function freezeInTransaction(cluster: Cluster, process: ProcessorProcess): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt++) {
    while ((await cluster.openTransactions()).length === 0);
    process.freeze();
    if ((await cluster.openTransactions()).length > 0) return;
    process.wake();
    await process.next(({ event }) => event === "commit");
  }
  throw new Error("Cannot freeze it inside a transaction");
}

async function editRules(cluster: Cluster): Promise<void> {
  const text = await Deno.readTextFile(cluster.rulesPath);
  await Deno.writeTextFile(cluster.rulesPath, text.replace("amount: 10000", "amount: 6000"));
}

async function runZombie(ownership: "config" | "group"): Promise<void> {
  const cluster = await Cluster.start({ ownership });
  const processes: ProcessorProcess[] = [];
  const start = (slot: number): ProcessorProcess => {
    const process = new ProcessorProcess(cluster.environment(slot));
    processes.push(process);
    return process;
  };
  try {
    const random = seeded(SEED);
    const startMs = Date.now() - 24 * 3_600_000;
    const feed = createFeed({
      random,
      partitions: PARTITIONS,
      accounts: 100,
      startMs,
      stepMs: 500,
    });
    let isOver = false;
    const feeding = cluster.feed(feed, {
      count: 2000,
      batch: 20,
      pacedMs: 8_000,
      more: () => !isOver,
    });
    const zombie = start(0);
    await zombie.next(({ event }) => event === "commit");
    await freezeInTransaction(cluster, zombie);
    const successor = start(1);
    const first = await successor.next(({ event }) => event === "commit");
    assert(first !== undefined, "the successor takes over");
    await editRules(cluster);
    await successor.next(({ event }) => event === "config_applied");
    // In a group it may hear of the new assignment before a send of its own is fenced: giving up is both.
    const givenUp = zombie.next(({ event }) =>
      event === "partition_given_up" || (ownership === "group" && event === "partition_released")
    );
    zombie.wake();
    assert(await givenUp !== undefined, "the zombie finds itself fenced and gives up");
    await sleep(2_000);
    isOver = true;
    await feeding;
    await cluster.drained();
    await Promise.all(processes.map((process) => process.stop()));
    const judgement = await assertRight(cluster.judgeContext(), feed.truth);
    assert(judgement.versions.size === 2, "alerts of the rules before and after the edit");
    const { alerts } = await assertAuditedEnd(cluster.broker, cluster.environment(0));
    assertEquals(alerts, judgement.alerts, "rows of the table alerts");
  } finally {
    for (const process of processes) await process.kill().catch(() => {});
    await cluster.stop();
  }
}

Deno.test(`a processor that slept through its succession gives up (TEST_SEED=${SEED})`, () =>
  runZombie("config"));

Deno.test(`the same with two members of a group (TEST_SEED=${SEED})`, () => runZombie("group"));
