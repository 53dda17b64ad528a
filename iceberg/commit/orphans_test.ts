import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { CommitStateUnknownError } from "../catalog/errors.ts";
import { IcebergError } from "../errors.ts";
import type { FileInfo } from "../storage/port.ts";
import { commitAppend } from "./append.ts";
import { newSnapshotId } from "./environment.ts";
import { orphansOf, removeOrphans } from "./orphans.ts";
import { reloadTable } from "./table.ts";
import { danglingLocations, TestWorld } from "./testing.ts";

const HOUR_MS = 3_600_000;

const file = (location: string, modifiedMs = 0): FileInfo => ({ location, size: 1, modifiedMs });

Deno.test("orphansOf() takes what is old and not referenced, however it is spelled", () => {
  const referenced = ["file:/w/t/data/a.parquet", "/w/t/metadata/v1.json"];
  // listed                                              orphan
  const table: readonly [FileInfo, boolean][] = [
    [file("file:///w/t/data/a.parquet"), false],
    [file("file:///w/t/data/b.parquet"), true],
    [file("file:///w/t/data/c.parquet", 101), false],
    [file("file:///w/t/data/d.parquet", 100), true],
    [file("file:///w/t/data/.a.parquet.crc"), false],
    [file("file:///w/t/data/.b.parquet.crc"), true],
    [file("file:///w/t/data/.c.parquet.crc"), false],
    [file("file:///w/t/data/.gone.parquet.crc"), true],
    [file("file:///w/t/metadata/v1.json"), false],
    [file("file:///w/t/metadata/.v1.json.crc"), false],
    [file("file:///w/t/metadata/version-hint.text"), false],
    [file("file:///w/t/metadata/.tmp-1234"), true],
  ];
  assertEquals(
    orphansOf(table.map(([listed]) => listed), referenced, 100),
    table.filter(([, orphan]) => orphan).map(([listed]) => listed),
  );
});

Deno.test("orphansOf() refuses to run where locations differ only in scheme or authority", () => {
  assertThrows(
    () =>
      orphansOf([file("s3://new/t/a"), file("s3://old/t/b")], ["s3://old/t/a", "s3://old/t/b"], 9),
    IcebergError,
    "the same path elsewhere",
  );
  // s3a is s3: no difference.
  assertEquals(orphansOf([file("s3a://b/t/a")], ["s3://b/t/a"], 9), []);
});

Deno.test("orphansOf() refuses to run where nothing listed is referenced", () => {
  assertThrows(
    () => orphansOf([file("/private/w/t/a")], ["/w/t/a"], 9),
    IcebergError,
    "the listing is of another place",
  );
});

Deno.test("removeOrphans() removes a lost attempt's files and the strangers, and breaks nothing", async () => {
  const world = new TestWorld();
  const empty = await world.table({ "commit.manifest.min-count-to-merge": "2" });
  const append = async () =>
    await commitAppend(await reloadTable(empty), {
      ...world.env,
      files: [await world.file()],
      snapshotId: newSnapshotId(world.env.random),
    });
  await append();
  world.catalog.failNext({ operation: "commitTable", error: new CommitStateUnknownError("lost") });
  await append();
  const uncommitted = await world.file();
  const stranger = "memory://test/finance/t/data/sub/folder/odd.bin";
  await world.storage.create(stranger, new Uint8Array(3));
  // A neighbour below the same warehouse is not this table's.
  const neighbour = "memory://test/finance/t/other_table/data/x.parquet";
  await world.storage.create(neighbour, new Uint8Array(3));
  const table = await reloadTable(empty);
  const options = {
    storage: world.storage,
    nowMs: () => world.nowMs,
    ageMinMs: 72 * HOUR_MS,
    stagedAgeMaxMs: 24 * HOUR_MS,
  };
  assertEquals((await removeOrphans(table, options)).orphans, []);
  world.nowMs += 72 * HOUR_MS + 1;
  const young = await world.file();
  const dry = await removeOrphans(table, { ...options, dryRun: true });
  assertEquals(dry.orphans.length, 3);
  const before = world.storage.keys();
  const report = await removeOrphans(table, options);
  const removed = before.filter((key) => !world.storage.keys().includes(key));
  assertEquals(removed.filter((key) => key.includes("/metadata/snap-")).length, 1);
  assertEquals(
    removed.filter((key) => !key.includes("/metadata/")).sort(),
    [uncommitted.file_path, stranger].sort(),
  );
  assertEquals(report.orphans.length, removed.length);
  assertEquals(report.failed, []);
  assertEquals(await danglingLocations(world, await reloadTable(table)), []);
  assertEquals((await world.storage.stat(young.file_path))?.size, 1000);
  assertEquals((await world.storage.stat(neighbour))?.size, 3);
});

Deno.test("removeOrphans() refuses an age that staged files can reach", async () => {
  const world = new TestWorld();
  const table = await world.table();
  await assertRejects(
    () =>
      removeOrphans(table, {
        storage: world.storage,
        nowMs: () => 0,
        ageMinMs: 72 * HOUR_MS - 1,
        stagedAgeMaxMs: 24 * HOUR_MS,
      }),
    IcebergError,
    "expected at least 3 times that",
  );
});
