/**
 * One table's loop over the in-process broker and catalog, which keep the real ones' rules and take faults.
 * What is in the table is read back by DuckDB from the files that the current snapshot refers to.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { createMemoryBroker, type MemoryBroker } from "../broker/memory.ts";
import { CatalogUnreachableError, CommitStateUnknownError } from "../iceberg/catalog/errors.ts";
import { MemoryCatalog } from "../iceberg/catalog/memory.ts";
import { commitAppend } from "../iceberg/commit/append.ts";
import { type CommitEnvironment, newSnapshotId } from "../iceberg/commit/environment.ts";
import { rollback } from "../iceberg/commit/refs.ts";
import { loadTable } from "../iceberg/commit/table.ts";
import { MemoryStorage } from "../iceberg/storage/memory.ts";
import { tableIdent } from "./create_tables.ts";
import { acceptTableGaps, findTableGaps } from "./settle.ts";
import {
  produce,
  readRows,
  startTestSink,
  type TestRecord,
  type TestSink,
  transactionValue,
  until,
} from "./testing.ts";
import type { TableName } from "../contracts/tables.ts";

class World {
  readonly broker: MemoryBroker = createMemoryBroker();
  readonly storage = new MemoryStorage({ nowMs: Date.now });
  readonly catalog = new MemoryCatalog({ storage: this.storage, nowMs: Date.now });
  readonly environment: CommitEnvironment = {
    storage: this.storage,
    nowMs: Date.now,
    random: Math.random,
    sleep: () => new Promise((resolve) => setTimeout(resolve, 1)),
  };
  #next = [0, 0];

  async setUp(): Promise<void> {
    await this.broker.createTopics([{ name: "transactions", partitions: 2 }]);
  }

  start(options: Partial<Parameters<typeof startTestSink>[0]> = {}): Promise<TestSink> {
    const { broker, catalog, environment } = this;
    return startTestSink({ broker, catalog, environment, ...options });
  }

  /** Appends transactions to partition 0 and 1 by turns; raw offsets go on. */
  async transactions(count: number): Promise<void> {
    for (const partition of [0, 1]) {
      const from = this.#next[partition]!;
      const own = partition === 0 ? Math.ceil(count / 2) : Math.floor(count / 2);
      const records = Array.from(
        { length: own },
        (_, index): TestRecord => ({
          value: transactionValue((from + index) * 2 + partition),
        }),
      );
      await this.records(partition, records);
    }
  }

  async records(partition: number, records: TestRecord[]): Promise<void> {
    const rawOffset = this.#next[partition]!;
    this.#next[partition] = rawOffset + records.length;
    await produce(this.broker, { topic: "transactions", partition, rawOffset }, records);
  }

  rows(table: TableName = "transactions") {
    return readRows(this.catalog, this.storage, table);
  }

  /** Asserts that every trace is in the table once: `count` of them. */
  async assertOnce(count: number): Promise<void> {
    const rows = await this.rows();
    const traces = new Set(rows.map((row) => `${row.source_partition}/${row.source_offset}`));
    assertEquals([rows.length, traces.size], [count, count]);
    assertEquals(this.storage.faultsPending, []);
    assertEquals(this.catalog.faultsPending, []);
  }
}

async function worldTest(test: (world: World) => Promise<void>): Promise<void> {
  const world = new World();
  await world.setUp();
  await test(world);
}

const stored = (sink: TestSink) => () => sink.log.some((line) => line.event === "committed");

Deno.test("the loop stores every record once, over restarts", () =>
  worldTest(async (world) => {
    for (let run = 1; run <= 3; run++) {
      await world.transactions(101);
      const sink = await world.start();
      await sink.finish();
      assertEquals(sink.errors, []);
      await world.assertOnce(run * 101);
    }
  }));

Deno.test("a kill between data files and commit leaves nothing behind in the table", () =>
  worldTest(async (world) => {
    await world.transactions(50);
    const held = Promise.withResolvers<void>();
    world.catalog.failNext({
      operation: "commitTable",
      run: () => held.promise,
      error: new Error("cut"),
    });
    const first = await world.start();
    await until(
      "a data file is stored",
      () => world.storage.keys().some((key) => key.includes("/data/")),
    );
    const killed = first.kill();
    held.resolve();
    await killed;
    assertEquals((await world.rows()).length, 0);
    await (await world.start()).finish();
    await world.assertOnce(50);
  }));

Deno.test("a commit that landed without an answer is not repeated", () =>
  worldTest(async (world) => {
    const sink = await world.start();
    await until("it runs", () => sink.loop.reasons().length === 0);
    const error = new CommitStateUnknownError("Cannot tell: 503");
    world.catalog.failNext({ operation: "commitTable", afterEffect: true, error });
    // Longer than one commit's patience: the loop keeps the batch and comes back to it.
    for (let time = 0; time < 7; time++) {
      const error = new CatalogUnreachableError("Cannot load: connection refused");
      world.catalog.failNext({ operation: "loadTable", error });
    }
    await world.transactions(50);
    await until("the batch is committed", stored(sink));
    assert(sink.errors.includes("commit"));
    assertEquals(sink.log.find((line) => line.event === "committed")!.status, "already");
    await world.transactions(50);
    await sink.finish();
    await world.assertOnce(100);
  }));

Deno.test("a commit that landed before a kill is found by the next run", () =>
  worldTest(async (world) => {
    await world.transactions(50);
    const reached = Promise.withResolvers<void>();
    world.catalog.failNext({
      operation: "commitTable",
      afterEffect: true,
      error: new CommitStateUnknownError("Cannot tell: connection closed"),
    });
    world.catalog.failNext({
      operation: "loadTable",
      skip: 1,
      run: () => reached.resolve(),
      error: new Error("the catalog is gone"),
    });
    const first = await world.start();
    await reached.promise;
    await first.kill();
    await world.transactions(10);
    await (await world.start()).finish();
    await world.assertOnce(60);
  }));

Deno.test("two sinks on the same partitions store every record once", () =>
  worldTest(async (world) => {
    const sinks = await Promise.all([world.start(), world.start()]);
    for (let round = 0; round < 10; round++) {
      await world.transactions(20);
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
    await Promise.all(sinks.map((sink) => sink.finish()));
    await world.assertOnce(200);
  }));

Deno.test("two sinks that share the partitions store every record once, each its own", () =>
  worldTest(async (world) => {
    const sinks = await Promise.all(
      [0, 1].map((one) => world.start({ settings: { partitions: [one] } })),
    );
    for (let round = 0; round < 5; round++) {
      await world.transactions(20);
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
    await Promise.all(sinks.map((sink) => sink.finish()));
    await world.assertOnce(100);
    for (const [one, sink] of sinks.entries()) {
      const rows = sink.log.reduce((sum, line) => sum + Number(line.rows ?? 0), 0);
      assertEquals(rows, 50, `rows stored by the sink of partition ${one}`);
    }
    // One that owns a partition that is not there yet has nothing to do, and ends in order.
    const idle = await world.start({ settings: { partitions: [7] } });
    await idle.finish();
    assertEquals(idle.errors, []);
    await world.assertOnce(100);
  }));

Deno.test("what cannot be stored goes to dead_letters and stops nothing", () =>
  worldTest(async (world) => {
    await world.records(0, [
      { value: transactionValue(0) },
      { value: JSON.stringify(transactionValue(1)).replace("Merchant 1", "half \\ud800 pair") },
      { value: `{"timestamp": "2026-11-21T08:00:00Z", "amount": "much"}` },
      { value: null },
      { value: "no JSON" },
      { value: transactionValue(5) },
    ]);
    const sink = await world.start();
    await sink.finish();
    assertEquals(sink.errors, []);
    assertEquals((await world.rows()).map((row) => row.source_offset), ["0", "5"]);
    const letters = await world.rows("dead_letters");
    assertEquals(
      letters.map((row) => [row.error_type, row.source_topic, row.source_offset, row.errors]),
      [
        ["1", [{
          field: "merchant_name",
          expected: "a text of whole characters",
          actual: `"half \\ud800 pair"`,
        }]],
        ["2", letters.find((row) => row.source_offset === "2")!.errors],
        ["3", [{ field: "$", expected: "a record with a value", actual: "none" }]],
        ["4", [{ field: "$", expected: "a record with a timestamp", actual: "none" }]],
      ].map(([offset, errors]) => ["unstorable", "raw-transactions", offset, errors]),
    );
    const [{ actual }] = letters.find((row) => row.source_offset === "2")!.errors as [
      { actual: string },
    ];
    assertStringIncludes(actual, "much");
    assertEquals(letters.find((row) => row.source_offset === "4")!.original, "no JSON");
  }));

Deno.test("a crash after dead_letters and before the batch records nothing twice", () =>
  worldTest(async (world) => {
    await world.records(0, [{ value: transactionValue(0) }, { value: "broken" }]);
    const reached = Promise.withResolvers<void>();
    // The first commit is that of dead_letters, the second the batch's.
    world.catalog.failNext({
      operation: "commitTable",
      skip: 1,
      run: () => reached.resolve(),
      error: new Error("crash"),
    });
    const first = await world.start();
    await reached.promise;
    await first.kill();
    await world.records(0, [{ value: "also broken" }]);
    await (await world.start()).finish();
    await world.assertOnce(1);
    const letters = await world.rows("dead_letters");
    assertEquals(letters.map((row) => row.original), ["broken", "also broken"]);
  }));

Deno.test("a large batch is staged in parts while it is read, and committed once", () =>
  worldTest(async (world) => {
    // A part is written when its lines fill a buffer of 512 KiB: some 1,200 of them.
    await world.transactions(6000);
    for (let time = 0; time < 2; time++) {
      const error = new Error("no space left");
      world.storage.failNext({ operation: "create", match: "/data/", error });
    }
    const settings = { commit_interval_ms: 2000 };
    const sink = await world.start({ partBytesMax: 1, settings });
    await until("the batch is committed", stored(sink));
    await sink.finish();
    const commits = sink.log.filter((line) => line.event === "committed");
    assert(Number(commits[0]!.files) > 2, `${commits[0]!.files} files`);
    await world.assertOnce(6000);
  }));

Deno.test("commits of others in between change nothing", () =>
  worldTest(async (world) => {
    const sink = await world.start();
    for (let round = 0; round < 5; round++) {
      await world.transactions(10);
      const before = sink.log.length;
      const rows = () =>
        sink.log.slice(before).reduce((sum, line) => sum + Number(line.rows ?? 0), 0);
      await until("it is stored", () => rows() === 10);
      const table = await loadTable(world.catalog, tableIdent("transactions"));
      const snapshotId = newSnapshotId(Math.random);
      await commitAppend(table, { ...world.environment, snapshotId, files: [] });
    }
    await sink.finish();
    await world.assertOnce(50);
  }));

Deno.test("after a rollback the loop waits for an operator's choice", () =>
  worldTest(async (world) => {
    for (let run = 0; run < 2; run++) {
      await world.transactions(10);
      await (await world.start()).finish();
    }
    const table = await loadTable(world.catalog, tableIdent("transactions"));
    const first = table.metadata.snapshots[0]!["snapshot-id"];
    await rollback(table, { ...world.environment, snapshotId: first });
    await world.transactions(10);
    const sink = await world.start();
    await until("it says so", () => sink.loop.reasons().join().includes("rolled back"));
    assertStringIncludes(sink.loop.reasons().join(), "--replay");
    await sink.finish();
    await world.assertOnce(10);
  }));

Deno.test("a topic that was made anew is refused", () =>
  worldTest(async (world) => {
    await world.transactions(10);
    await (await world.start()).finish();
    await world.broker.deleteTopics(["transactions"]);
    await world.broker.createTopics([{ name: "transactions", partitions: 2 }]);
    const sink = await world.start();
    await until("it says so", () => sink.loop.reasons().join().includes("made anew"));
    await sink.kill();
    await world.assertOnce(10);
  }));

Deno.test("a topic made anew under a running loop gives no rows", () =>
  worldTest(async (world) => {
    await world.transactions(10);
    const sink = await world.start();
    await until("the first are stored", stored(sink));
    await world.broker.deleteTopics(["transactions"]);
    await world.broker.createTopics([{ name: "transactions", partitions: 2 }]);
    // More than the old one had, so that the old positions are offsets of the new one too.
    await world.transactions(100);
    await until("it says so", () => sink.loop.reasons().join().includes("made anew"));
    await sink.kill();
    await world.assertOnce(10);
  }));

Deno.test("a topic that grows is read whole", () =>
  worldTest(async (world) => {
    const sink = await world.start();
    await world.transactions(10);
    await until("the first are stored", stored(sink));
    await world.broker.growTopic("transactions", 3);
    const target = { topic: "transactions", partition: 2, rawOffset: 0 };
    const records = [100, 101, 102].map((number) => ({ value: transactionValue(number) }));
    await produce(world.broker, target, records);
    await until("it is seen", () => sink.loop.status().length === 3);
    await sink.finish();
    await world.assertOnce(13);
  }));

Deno.test("a gap stops its partition, visibly, and no other", () =>
  worldTest(async (world) => {
    await world.transactions(10);
    await (await world.start()).finish();
    await world.transactions(10);
    world.broker.deleteBefore("transactions", 0, 8);
    const sink = await world.start();
    await until("it says so", () => sink.loop.reasons().join().includes("gone from the log"));
    assertStringIncludes(sink.loop.reasons().join(), "transactions/0: records 5 to 7 are gone");
    await until("the other one is stored", stored(sink));
    await world.assertOnce(15);
    // An operator accepts it, as `deno task resume --accept-gap` does: the running sink goes on behind it.
    const table = await loadTable(world.catalog, tableIdent("transactions"));
    const { id } = (await world.broker.topics(["transactions"])).get("transactions")!;
    const identity = {
      cluster: await world.broker.clusterId(),
      topic: "transactions",
      topicId: id,
    };
    const logs = await world.broker.offsets("transactions");
    const { gaps, offsets } = findTableGaps(table.metadata, identity, logs);
    const { environment } = world;
    await acceptTableGaps(table, { environment, gaps, offsets: offsets! });
    await until("it goes on", () => sink.loop.reasons().length === 0);
    await sink.finish();
    await world.assertOnce(17);
  }));

Deno.test("while the disk is full nothing is written, and nothing is lost", () =>
  worldTest(async (world) => {
    let full = true;
    const sink = await world.start({ paused: () => full ? "the disk is full" : undefined });
    await world.transactions(10);
    await until("it says so", () => sink.loop.reasons().join().includes("the disk is full"));
    assertEquals(world.storage.keys().filter((key) => key.includes("/data/")), []);
    full = false;
    await until("it goes on by itself", stored(sink));
    await sink.finish();
    await world.assertOnce(10);
  }));

Deno.test("a storage that fails is tried again with the same batch", () =>
  worldTest(async (world) => {
    await world.transactions(10);
    for (const match of ["/data/", "/metadata/"]) {
      world.storage.failNext({ operation: "create", match, error: new Error("no space left") });
    }
    const sink = await world.start();
    await until("the batch is committed", stored(sink));
    await sink.finish();
    assert(sink.errors.includes("commit"));
    await world.assertOnce(10);
  }));
