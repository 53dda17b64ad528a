import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { commitAppend } from "../commit/append.ts";
import { newSnapshotId } from "../commit/environment.ts";
import { TestWorld } from "../commit/testing.ts";
import { TEST_DAY } from "../commit/testing_files.ts";
import type { Storage } from "../storage/port.ts";
import type { ManifestEntry } from "../types.ts";
import { MetadataCache } from "./cache.ts";
import type { Filter } from "./filter.ts";
import { planScan } from "./plan.ts";

const ids = (value: bigint): Filter => ({ op: "gt_eq", column: "id", value });

/** A storage that notes what is read. */
function watched(storage: Storage): { storage: Storage; reads: string[] } {
  const reads: string[] = [];
  const read: Storage["read"] = (location, range) => {
    reads.push(location);
    return storage.read(location, range);
  };
  return { storage: { ...storage, read }, reads };
}

async function table() {
  const world = new TestWorld();
  let table = await world.table();
  const append = async (day: number, first: bigint) => {
    const file = await world.file({ day, ids: [first, first + 9n] });
    const snapshotId = newSnapshotId(world.env.random);
    table = (await commitAppend(table, { ...world.env, files: [file], snapshotId })).table;
    return table.metadata;
  };
  return { world, append };
}

Deno.test("planScan() with a cache reads only what is new, and plans the same", async () => {
  const { world, append } = await table();
  let metadata = await append(TEST_DAY, 0n);
  const { storage, reads } = watched(world.storage);
  const cache = new MetadataCache();
  const plan = (filter: Filter) => planScan(metadata, storage, { filter, cache });
  await plan(ids(5n));
  assertEquals(reads.length, 2); // the list and its one manifest
  assertEquals(await plan(ids(5n)), await planScan(metadata, world.storage, { filter: ids(5n) }));
  // Another value of the same column: the same statistics.
  assertEquals((await plan(ids(50n))).files, []);
  assertEquals(reads.length, 2);
  metadata = await append(TEST_DAY + 1, 10n);
  const planned = await plan(ids(5n));
  assertEquals(reads.length, 4);
  assertEquals(planned, await planScan(metadata, world.storage, { filter: ids(5n) }));
  assertEquals(planned.files.length, 2);
});

Deno.test("planScan() with a cache reads a manifest again for the statistics of another column", async () => {
  const { world, append } = await table();
  const metadata = await append(TEST_DAY, 0n);
  const cache = new MetadataCache();
  const byTime: Filter = { op: "lt", column: "at", value: BigInt(TEST_DAY + 9) * 86_400_000_000n };
  await planScan(metadata, world.storage, { filter: byTime, cache });
  const { files } = await planScan(metadata, world.storage, { filter: ids(5n), cache });
  const [id] = metadata.schemas[0]!.fields.filter(({ name }) => name === "id");
  assertEquals([...files[0]!.file.lower_bounds!.keys()], [id!.id]);
});

/** So many entries without statistics. */
function entries(count: number): ManifestEntry[] {
  return Array.from({ length: count }, () => ({ data_file: {} })) as unknown as ManifestEntry[];
}

Deno.test("MetadataCache keeps within its bound what was used last", () => {
  const cache = new MetadataCache({ bytesMax: 100_000 });
  const key = (path: string) => ({ path, schemaId: 0, stats: new Set<number>() });
  const first = entries(20);
  cache.keepEntries(key("first"), first);
  for (let i = 0; i < 50; i++) {
    cache.keepEntries(key(`${i}`), entries(20));
    assertStrictEquals(cache.entries(key("first")), first);
    assert(cache.bytes <= 100_000);
  }
  assertEquals(cache.entries(key("0")), undefined);
  assertEquals(cache.entries(key("49"))?.length, 20);
});

Deno.test("MetadataCache leaves out what would take most of its room", () => {
  const cache = new MetadataCache({ bytesMax: 100_000 });
  const key = { path: "huge", schemaId: 0, stats: "all" as const };
  cache.keepEntries(key, entries(1000));
  assertEquals(cache.entries(key), undefined);
  assertEquals(cache.bytes, 0);
});
