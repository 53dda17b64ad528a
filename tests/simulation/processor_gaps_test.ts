/**
 * What no processor can mend (E4): a position that the log no longer holds, another topic under the
 * same name, a lost changelog. The partition waits, says what is gone, writes nothing; after
 * `acceptGap` it goes on, and the gap is on record.
 */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { MisuseError } from "../../contracts/errors.ts";
import { topicSpecs } from "../../contracts/topics.ts";
import { acceptGap, findGaps } from "../../processor/resume.ts";
import { readLoopRecords } from "../../processor/take_partition.ts";
import { sleep } from "../../runtime/retry.ts";
import { createToyCore, toyRules } from "./toy_core.ts";
import { type Instance, TOPICS, World } from "./world.ts";

type ToyWorld = World<Map<string, number>, { every: number }>;

const { signal } = new AbortController();
const options = { sanitizeOps: false, sanitizeResources: false };

async function feed(world: ToyWorld, from: number, to: number): Promise<void> {
  const encoder = new TextEncoder();
  const writer = await world.broker.openWriter();
  for (let n = from; n <= to; n++) {
    const batch = { keys: [encoder.encode("key")], values: [encoder.encode(`acc:${n}`)] };
    await writer.send([{ topic: TOPICS.raw, partition: 0, batch }]);
  }
  await writer.close();
}

/** A world that has judged records 1 to 10, its processor stopped. */
async function judgedTen(core = createToyCore()): Promise<ToyWorld> {
  const world: ToyWorld = new World({
    core,
    rules: toyRules(4),
    settings: { stableWaitMsMax: 20 },
  });
  await world.open(1);
  await feed(world, 1, 10);
  const instance = world.start();
  await world.drained(instance);
  await instance.stop();
  return world;
}

async function untilState(instance: Instance, state: string): Promise<string> {
  for (let i = 0; i < 2000; i++) {
    const view = instance.processor.views.get(0);
    if (view?.state === state && view.reason !== undefined) return view.reason;
    await sleep(1);
  }
  throw new Error(`never ${state}: ${JSON.stringify([...instance.processor.views.values()])}`);
}

async function judged(world: ToyWorld): Promise<string[]> {
  return (await world.read(TOPICS.transactions, 0)).map(({ value }) => value.slice(4));
}

async function recordedGaps(world: ToyWorld) {
  const context = world.context();
  const reader = await context.broker.openReader();
  const records = await readLoopRecords(context, { reader, partition: 0, signal });
  return [...records.gaps.values()].map(({ kind, from, to, next }) => ({ kind, from, to, next }));
}

const ten = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"];

Deno.test({
  ...options,
  name: "a position below the log's start waits for an operator, then goes on at the start",
  fn: async () => {
    const world = await judgedTen();
    await feed(world, 11, 20);
    world.broker.deleteBefore(TOPICS.raw, 0, 15);
    const instance = world.start();
    const reason = await untilState(instance, "gap");
    assertStringIncludes(reason, "offsets 10 to 14 are gone");
    assertEquals(instance.processor.readiness().ready, false);
    await sleep(20);
    assertEquals(await judged(world), ten, "nothing is written before it is accepted");
    const accepted = await acceptGap(world.context(), { partition: 0, signal });
    assertEquals([accepted?.kind, accepted?.from, accepted?.to], ["expired", 10, 15]);
    await world.drained(instance);
    await instance.stop();
    assertEquals(await judged(world), [...ten, "16", "17", "18", "19", "20"]);
    assertEquals(await recordedGaps(world), [{ kind: "expired", from: 10, to: 15, next: 15 }]);
  },
});

Deno.test({
  ...options,
  name: "a gap that opens while the processor runs is found by the fetch",
  fn: async () => {
    const world = await judgedTen();
    const instance = world.start();
    await world.drained(instance);
    world.broker.loseFrom(TOPICS.raw, 0, 8);
    assertStringIncludes(await untilState(instance, "gap"), "the log ends at 8");
    await acceptGap(world.context(), { partition: 0, signal });
    await feed(world, 30, 31);
    await world.drained(instance);
    await instance.stop();
    assertEquals(await judged(world), [...ten, "30", "31"]);
    assertEquals(await recordedGaps(world), [{ kind: "truncated", from: 8, to: 10, next: 8 }]);
    const boundaries = await world.boundaries(0);
    assertEquals(boundaries.map(({ offset }) => offset), [0]);
  },
});

Deno.test({
  ...options,
  name: "a raw topic made anew is not taken for the old one, even where its offsets would fit",
  fn: async () => {
    const world = await judgedTen();
    await world.broker.deleteTopics([TOPICS.raw]);
    await world.open(1);
    await feed(world, 101, 120);
    world.rules = toyRules(5);
    const instance = world.start();
    assertStringIncludes(await untilState(instance, "gap"), "topic id");
    await acceptGap(world.context(), { partition: 0, signal });
    await world.drained(instance);
    await instance.stop();
    assertEquals((await judged(world)).length, 30);
    assertEquals((await recordedGaps(world))[0]?.kind, "identity");
  },
});

Deno.test({
  ...options,
  name: "a lost changelog beside outputs waits, and goes on behind the outputs' last trace",
  fn: async () => {
    const world = await judgedTen();
    await world.broker.deleteTopics([TOPICS.state]);
    await world.broker.createTopics(topicSpecs(TOPICS, 1));
    await feed(world, 11, 13);
    const instance = world.start();
    assertStringIncludes(await untilState(instance, "gap"), "its changelog is empty");
    const accepted = await acceptGap(world.context(), { partition: 0, signal });
    assertEquals([accepted?.kind, accepted?.next], ["changelog_lost", 10]);
    await world.drained(instance);
    await instance.stop();
    assertEquals(await judged(world), [...ten, "11", "12", "13"]);
  },
});

Deno.test({
  ...options,
  name: "where the outputs are gone too, the operator must name the offset",
  fn: async () => {
    const world = await judgedTen();
    await world.broker.deleteTopics([TOPICS.state]);
    await world.broker.createTopics(topicSpecs(TOPICS, 1));
    const [end] = await world.broker.offsets(TOPICS.transactions);
    world.broker.deleteBefore(TOPICS.transactions, 0, end!.end);
    const context = world.context();
    await assertRejects(() => acceptGap(context, { partition: 0, signal }), MisuseError, "--from");
    await assertRejects(
      () => acceptGap(context, { partition: 0, from: 11, signal }),
      MisuseError,
      "expected 0 to 10",
    );
    assertEquals((await acceptGap(context, { partition: 0, from: 7, signal }))?.next, 7);
  },
});

Deno.test({
  ...options,
  name: "accepting leaves a healthy partition's owner alone",
  fn: async () => {
    const world = await judgedTen();
    const instance = world.start();
    await world.drained(instance);
    assertEquals(await acceptGap(world.context(), { partition: 0, signal }), undefined);
    assertEquals(await findGaps(world.context(), [0], signal), [{
      partition: 0,
      position: 10,
      gap: undefined,
    }]);
    await feed(world, 11, 12);
    await world.drained(instance);
    await instance.stop();
    assertEquals(world.errors, []);
  },
});

Deno.test({
  ...options,
  name: "a changelog held up by somebody else's open transaction is named, not skipped",
  fn: async () => {
    const world = await judgedTen();
    const encoder = new TextEncoder();
    const other = await world.broker.openTransactionalWriter("somebody-else");
    other.begin();
    const batch = { keys: [encoder.encode("a/x")], values: [encoder.encode("1")] };
    await other.send([{ topic: TOPICS.state, partition: 0, batch }]);
    const instance = world.start();
    assertStringIncludes(await untilState(instance, "waiting"), "another transactional id");
    await other.abort();
    await feed(world, 11, 12);
    await world.drained(instance);
    await instance.stop();
    assertEquals((await judged(world)).length, 12);
  },
});

Deno.test({
  ...options,
  name: "a changelog of a newer program is refused",
  fn: async () => {
    const world = await judgedTen();
    const encoder = new TextEncoder();
    const writer = await world.broker.openWriter();
    const value = encoder.encode(JSON.stringify({ schema_version: "2" }));
    const batch = { keys: [encoder.encode("m/schema")], values: [value] };
    await writer.send([{ topic: TOPICS.state, partition: 0, batch }]);
    const instance = world.start();
    assertStringIncludes(await untilState(instance, "waiting"), "newer than 1");
    assert(!instance.processor.readiness().ready);
    await instance.stop();
  },
});

Deno.test({
  ...options,
  name: "a restore that slept longer than tombstones last is not believed",
  fn: async () => {
    const core = createToyCore();
    let restored = () => {};
    const world = await judgedTen({
      ...core,
      restoreState(state, key, value) {
        restored();
        core.restoreState(state, key, value);
      },
    });
    restored = () => {
      world.aheadMs = 45 * 60_000;
      restored = () => {};
    };
    const instance = world.start();
    assertStringIncludes(await untilState(instance, "waiting"), "longer than tombstones");
    await feed(world, 11, 12);
    await world.drained(instance);
    await instance.stop();
    assertEquals((await judged(world)).length, 12);
  },
});
