/** The commit protocol against Iceberg's own REST server, local files, and answers that get lost on the way. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { startServices, type TestServices } from "../../tests/support/services.ts";
import type { Fetch } from "../catalog/auth.ts";
import { CommitConflictError, CommitStateUnknownError } from "../catalog/errors.ts";
import { restCatalog } from "../catalog/rest.ts";
import { planScan } from "../scan/plan.ts";
import { localStorage } from "../storage/local.ts";
import { joinLocation } from "../storage/location.ts";
import type { DataFile } from "../types.ts";
import { commitAppend } from "./append.ts";
import { type CommitEnvironment, newSnapshotId, systemEnvironment } from "./environment.ts";
import { createTable, dataFolder, loadTable, type Table } from "./table.ts";
import { TEST_SCHEMA } from "./testing.ts";
import { TEST_DAY } from "./testing_files.ts";

let services: TestServices;

Deno.test.beforeAll(async () => {
  services = await startServices({ kafka: false });
});
Deno.test.afterAll(() => services.stop());

type Lost = "before" | "after" | "answer 500" | "answer 409";

/** A fetch that loses the next commits' requests or answers, in order. */
function lossyFetch(faults: Lost[]): Fetch {
  return async (url, init) => {
    const isCommit = init.method === "POST" && /\/tables\/[^/]+$/.test(url);
    const fault = isCommit ? faults.shift() : undefined;
    if (fault === "before") throw new TypeError("client error (SendRequest): closed");
    const response = await fetch(url, init);
    if (fault === undefined) return response;
    await response.body?.cancel();
    if (fault === "after") throw new TypeError("client error (SendRequest): closed");
    return new Response("{}", { status: fault === "answer 500" ? 500 : 409 });
  };
}

interface World {
  readonly table: Table;
  readonly env: CommitEnvironment;
  readonly file: (day?: number) => Promise<DataFile>;
}

async function withTable(
  options: { faults?: Lost[]; properties?: Record<string, string> },
  run: (world: World) => Promise<void>,
): Promise<void> {
  const catalog = restCatalog({
    uri: services.catalog,
    fetch: lossyFetch(options.faults ?? []),
  });
  const namespace = [`commit_${crypto.randomUUID().slice(0, 8)}`];
  const ident = { namespace, name: "t" };
  await catalog.createNamespace(namespace);
  const table = await createTable(catalog, ident, {
    schema: TEST_SCHEMA,
    partitionSpec: {
      "spec-id": 0,
      fields: [{ "source-id": 2, "field-id": 1000, name: "at_day", transform: "day" }],
    },
    properties: { "commit.retry.min-wait-ms": "1", ...options.properties },
  });
  const env = systemEnvironment(localStorage({ roots: [services.warehouse] }));
  const file = async (day = TEST_DAY): Promise<DataFile> => {
    const path = joinLocation(dataFolder(table.metadata), `${crypto.randomUUID()}.parquet`);
    await env.storage.create(path, new Uint8Array(100));
    return {
      content: 0,
      file_path: path,
      file_format: "PARQUET",
      spec_id: 0,
      partition: [day],
      record_count: 10n,
      file_size_in_bytes: 100n,
    };
  };
  try {
    await run({ table, env, file });
  } finally {
    await catalog.dropTable(ident, { purge: true });
    await catalog.dropNamespace(namespace);
  }
}

/** Rows of the table's current snapshot, by a fresh load. */
async function records(world: World): Promise<bigint> {
  const { metadata } = await loadTable(world.table.catalog, world.table.ident);
  const plan = await planScan(metadata, world.env.storage);
  return plan.files.reduce((sum, file) => sum + file.record_count, 0n);
}

Deno.test("commitAppend() on a real catalog: summaries, properties, 63-bit ids", async () => {
  await withTable({}, async (world) => {
    const snapshotId = newSnapshotId(world.env.random);
    const outcome = await commitAppend(world.table, {
      ...world.env,
      files: [await world.file(), await world.file(TEST_DAY + 1)],
      snapshotId,
      summary: () => ({ "pipeline.offsets": '{"p":"1"}' }),
      properties: () => ({ "pipeline.offsets": '{"p":"1"}' }),
      updates: (_, id) => [{
        action: "set-snapshot-ref",
        "ref-name": "h-20261121T00",
        type: "tag",
        "snapshot-id": id,
        "max-ref-age-ms": 259_200_000,
      }],
    });
    assertEquals(outcome.status, "committed");
    const { metadata } = await loadTable(world.table.catalog, world.table.ident);
    assertEquals(metadata["current-snapshot-id"], snapshotId);
    assertEquals(metadata.refs["h-20261121T00"]?.["max-ref-age-ms"], 259_200_000);
    assertEquals(metadata.properties["pipeline.offsets"], '{"p":"1"}');
    const summary = metadata.snapshots[0]!.summary;
    assertEquals(summary["total-records"], "20");
    assertEquals(summary["changed-partition-count"], "2");
    assertEquals(summary["pipeline.offsets"], '{"p":"1"}');
    assertEquals(await records(world), 20n);
  });
});

Deno.test("commitAppend() on a real catalog: two writers, nothing lost", async () => {
  // Both begin from the same table again and again: most first attempts conflict.
  await withTable({ properties: { "commit.retry.num-retries": "20" } }, async (world) => {
    const writer = async () => {
      for (let at = 0; at < 6; at++) {
        const outcome = await commitAppend(world.table, {
          ...world.env,
          files: [await world.file()],
          snapshotId: newSnapshotId(world.env.random),
        });
        assertEquals(outcome.status, "committed");
      }
    };
    await Promise.all([writer(), writer()]);
    assertEquals(await records(world), 120n);
    const { metadata } = await loadTable(world.table.catalog, world.table.ident);
    assertEquals(metadata.snapshots.at(-1)?.summary["total-records"], "120");
    assertEquals(metadata["last-sequence-number"], 12n);
  });
});

Deno.test("commitAppend() on a real catalog: lost requests and answers, each row once", async () => {
  const faults: readonly (readonly [Lost[], string])[] = [
    [["before"], "committed"],
    [["after"], "already"],
    [["answer 500"], "already"],
    [["answer 409"], "already"],
    [["before", "before", "after"], "already"],
  ];
  for (const [lost, status] of faults) {
    const pending = [...lost];
    await withTable({ faults: pending }, async (world) => {
      const files = [await world.file()];
      const snapshotId = newSnapshotId(world.env.random);
      const options = { ...world.env, files, snapshotId };
      assertEquals((await commitAppend(world.table, options)).status, status, lost.join());
      assertEquals(pending, []);
      assertEquals((await commitAppend(world.table, options)).status, "already");
      assertEquals(await records(world), 10n);
    });
  }
});

Deno.test("commitAppend() on a real catalog that never answers stays unknown, then is found", async () => {
  const faults: Lost[] = ["before", "before", "answer 500"];
  const properties = { "commit.retry.num-retries": "2" };
  await withTable({ faults, properties }, async (world) => {
    // The last look after the last attempt finds what was applied; with the request lost it finds nothing.
    const options = {
      ...world.env,
      files: [await world.file()],
      snapshotId: newSnapshotId(world.env.random),
    };
    assertEquals((await commitAppend(world.table, options)).status, "already");
    faults.push("before", "before", "before");
    const second = { ...options, snapshotId: newSnapshotId(world.env.random), files: [] };
    await assertRejects(() => commitAppend(world.table, second), CommitStateUnknownError);
    assertEquals(await records(world), 10n);
  });
});

Deno.test("a real catalog refuses a snapshot on a base that moved", async () => {
  await withTable({ properties: { "commit.retry.num-retries": "0" } }, async (world) => {
    const append = async () =>
      await commitAppend(world.table, {
        ...world.env,
        files: [await world.file()],
        snapshotId: newSnapshotId(world.env.random),
      });
    await append();
    const folder = joinLocation(world.table.metadata.location, "metadata");
    const before = (await Array.fromAsync(world.env.storage.list(folder))).length;
    await assertRejects(append, CommitConflictError);
    const after = (await Array.fromAsync(world.env.storage.list(folder))).length;
    assertEquals(after, before);
    assert(before > 0);
  });
});
