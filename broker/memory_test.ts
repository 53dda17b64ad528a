/** The in-process broker: the conformance suite, and what only it can show (clock, faults, cleaning). */
import { assertEquals, assertRejects } from "@std/assert";
import { conformanceCases } from "./conformance.ts";
import { bytesOf, readAll, share } from "./conformance_support.ts";
import { createMemoryBroker } from "./memory.ts";
import { FencedError, OffsetOutOfRangeError, UnreachableError } from "./port.ts";

for (const { name, run } of conformanceCases) {
  Deno.test(`memory broker: ${name}`, async () => {
    let names = 0;
    const broker = createMemoryBroker();
    await run({ broker, unique: (prefix) => `${prefix}-${++names}` });
    await broker.close();
  });
}

Deno.test("memory broker: a transaction open beyond its timeout is aborted and its writer fenced", async () => {
  let now = 1_000;
  const broker = createMemoryBroker({ clock: () => now });
  await broker.createTopics([{ name: "t", partitions: 1 }]);
  const writer = await broker.openTransactionalWriter("id", { transactionTimeoutMs: 5_000 });
  writer.begin();
  await writer.send([share("t", 0, "slow")]);
  now += 5_000;
  assertEquals((await broker.offsets("t"))[0]!.stable, 0);
  now += 1;
  assertEquals((await broker.offsets("t"))[0]!.stable, 2);
  await assertRejects(() => writer.commit(), FencedError);
  assertEquals((await readAll(broker, "t")).values, []);
});

Deno.test("memory broker: a commit that failed before or after it took effect", async () => {
  const broker = createMemoryBroker();
  await broker.createTopics([{ name: "t", partitions: 1 }]);
  for (const when of ["before", "after"] as const) {
    const fault = broker.faults.add({ at: "commit", when });
    const writer = await broker.openTransactionalWriter("id");
    writer.begin();
    await writer.send([share("t", 0, when)]);
    await assertRejects(() => writer.commit(), UnreachableError);
    assertEquals(fault.fired, true);
    await assertRejects(() => writer.abort(), Error, "dead");
  }
  const successor = await broker.openTransactionalWriter("id");
  await successor.close();
  assertEquals((await readAll(broker, "t")).values, ["after"]);
  assertEquals(broker.faults.unfired, []);
});

Deno.test("memory broker: a send that failed half-way leaves the first half to be aborted", async () => {
  const broker = createMemoryBroker();
  await broker.createTopics([{ name: "t", partitions: 2 }]);
  const fault = broker.faults.add({ at: "append", topic: "t", partition: 1 });
  const writer = await broker.openTransactionalWriter("id");
  writer.begin();
  await assertRejects(
    () => writer.send([share("t", 0, "half"), share("t", 1, "none")]),
    UnreachableError,
  );
  assertEquals(fault.fired, true);
  assertEquals((await readAll(broker, "t", { isolation: "uncommitted" })).values, ["half"]);
  await broker.openTransactionalWriter("id");
  assertEquals((await readAll(broker, "t")).values, []);
});

Deno.test("memory broker: a frozen writer wakes up to find itself fenced", async () => {
  const broker = createMemoryBroker();
  await broker.createTopics([{ name: "t", partitions: 1 }]);
  const { promise, resolve } = Promise.withResolvers<void>();
  const fault = broker.faults.add({ at: "commit", hold: promise, transactionalId: "id" });
  const frozen = await broker.openTransactionalWriter("id");
  frozen.begin();
  await frozen.send([share("t", 0, "frozen")]);
  const commit = frozen.commit();
  const refused = assertRejects(() => commit, FencedError);
  const successor = await broker.openTransactionalWriter("id");
  successor.begin();
  await successor.send([share("t", 0, "successor")]);
  await successor.commit();
  resolve();
  await refused;
  assertEquals(fault.fired, true);
  assertEquals((await readAll(broker, "t")).values, ["successor"]);
});

Deno.test("memory broker: a fault skips as many calls as told and matches by id", async () => {
  const broker = createMemoryBroker();
  await broker.createTopics([{ name: "t", partitions: 1 }]);
  const fault = broker.faults.add({ at: "commit", transactionalId: "b", skip: 1 });
  for (const id of ["a", "b"]) {
    const writer = await broker.openTransactionalWriter(id);
    writer.begin();
    await writer.send([share("t", 0, id)]);
    await writer.commit();
    assertEquals(fault.fired, false);
  }
  const writer = await broker.openTransactionalWriter("b");
  writer.begin();
  await assertRejects(() => writer.commit(), UnreachableError);
  assertEquals(fault.fired, true);
});

Deno.test("memory broker: cleaning leaves holes that a reader crosses by batch ends", async () => {
  const broker = createMemoryBroker();
  await broker.createTopics([{ name: "t", partitions: 1 }]);
  const writer = await broker.openTransactionalWriter("id");
  const put = async (commit: boolean, ...pairs: [string, string | null][]) => {
    writer.begin();
    await writer.send([{
      topic: "t",
      partition: 0,
      batch: {
        keys: pairs.map(([key]) => bytesOf(key)),
        values: pairs.map(([, value]) => value === null ? null : bytesOf(value)),
      },
    }]);
    await (commit ? writer.commit() : writer.abort());
  };
  await put(true, ["a", "1"], ["b", "1"]); // 0 1 (2)
  await put(true, ["a", "2"], ["c", "1"]); // 3 4 (5)
  await put(false, ["b", "never"]); // 6 (7)
  await put(true, ["c", null], ["a", "3"]); // 8 9 (10)
  broker.compact("t");
  const once = await readAll(broker, "t");
  assertEquals([once.values, once.offsets, once.nextOffset], [["1", null, "3"], [1, 8, 9], 11]);
  broker.compact("t", { dropTombstones: true, dropMarkers: true });
  const twice = await readAll(broker, "t");
  assertEquals([twice.values, twice.offsets, twice.nextOffset], [["1", "3"], [1, 9], 11]);
});

Deno.test("memory broker: a log cut at either end tells a stale position", async () => {
  const broker = createMemoryBroker();
  await broker.createTopics([{ name: "t", partitions: 1 }]);
  const writer = await broker.openWriter();
  for (const value of ["0", "1", "2", "3"]) await writer.send([share("t", 0, value)]);
  broker.deleteBefore("t", 0, 1);
  broker.loseFrom("t", 0, 3);
  assertEquals(await broker.offsets("t"), [{ partition: 0, start: 1, stable: 3, end: 3 }]);
  const reader = await broker.openReader();
  await assertRejects(() => reader.fetch("t", 0, { offset: 0 }), OffsetOutOfRangeError);
  await assertRejects(() => reader.fetch("t", 0, { offset: 4 }), OffsetOutOfRangeError);
  assertEquals((await readAll(broker, "t")).values, ["1", "2"]);
});

Deno.test("memory broker: a compacted topic refuses null keys", async () => {
  const broker = createMemoryBroker();
  const settings = { "cleanup.policy": "compact" };
  await broker.createTopics([{ name: "t", partitions: 1, settings }]);
  const writer = await broker.openWriter();
  const batch = { keys: [null], values: [bytesOf("x")] };
  await assertRejects(() => writer.send([{ topic: "t", partition: 0, batch }]), Error, "null keys");
});

Deno.test("memory broker: a member whose session ends loses its partitions, then joins again", async () => {
  const broker = createMemoryBroker();
  await broker.createTopics([{ name: "t", partitions: 2 }]);
  const heard: string[] = [];
  const listener = (who: string) => ({
    assigned: (partitions: readonly number[]) => void heard.push(`${who}+${partitions}`),
    revoked: (partitions: readonly number[]) => void heard.push(`${who}-${partitions}`),
    failed: () => void heard.push(`${who} failed`),
  });
  await broker.joinGroup({ group: "g", topic: "t", instanceId: "a" }, listener("a"));
  await broker.joinGroup({ group: "g", topic: "t", instanceId: "b" }, listener("b"));
  await broker.expireMember("g", "b");
  assertEquals(heard, ["a+0,1", "a-1", "b+1", "a+1", "b-1", "a-1", "b+1"]);
});
