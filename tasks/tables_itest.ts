/** The table verbs as a user runs them, on a real catalog; the broker is in memory, the sink a loop of its own. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { createMemoryBroker } from "../broker/memory.ts";
import { restCatalog } from "../iceberg/catalog/rest.ts";
import { systemEnvironment } from "../iceberg/commit/environment.ts";
import { localStorage } from "../iceberg/storage/local.ts";
import { projectRoot } from "../runtime/env.ts";
import { join } from "../runtime/path.ts";
import { produce, readRows, startTestSink, transactionValue, until } from "../sink/testing.ts";
import { startServices } from "../tests/support/services.ts";

async function newWorld() {
  const services = await startServices({ kafka: false, fresh: true });
  const broker = createMemoryBroker();
  await broker.createTopics([{ name: "transactions", partitions: 1 }]);
  const catalog = restCatalog({ uri: services.catalog });
  const storage = localStorage({ roots: [services.warehouse] });
  const environment = systemEnvironment(storage);
  const env = {
    PIPELINE_DATA_DIR: join(services.dir, "data"),
    PIPELINE_CATALOG_URI: services.catalog,
    PIPELINE_CATALOG_WAREHOUSE: services.warehouse,
    NO_COLOR: "1",
  };
  let produced = 0;
  return {
    services,
    /** Runs `deno task <words>`. */
    async task(...words: string[]) {
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["task", "-q", ...words],
        cwd: projectRoot,
        env,
        stdin: "null",
      }).output();
      const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
      return { code, stdout: text(stdout), stderr: text(stderr) };
    },
    /** Appends `count` transactions, then runs a sink until they are in. */
    async feed(count: number, values: (number: number) => Record<string, unknown> = () => ({})) {
      const records = Array.from({ length: count }, (_, index) => ({
        value: transactionValue(produced + index, values(produced + index)),
      }));
      const target = { topic: "transactions", partition: 0, rawOffset: produced };
      await produce(broker, target, records);
      produced += count;
      await (await startTestSink({ broker, catalog, environment })).finish();
    },
    startSink: () => startTestSink({ broker, catalog, environment }),
    rows: () => readRows(catalog, storage, "transactions"),
  };
}

const lines = (text: string) => text.split("\n").filter((line) => line !== "");

Deno.test("the table verbs look at, care for, evolve and roll back a table", async (t) => {
  const world = await newWorld();
  const offsets = async () => (await world.rows()).map((row) => Number(row.source_offset));
  const range = (length: number) => Array.from({ length }, (_, index) => index);
  try {
    await t.step("without tables they say who makes them", async () => {
      const { code, stderr } = await world.task("snapshots", "--table", "transactions");
      assertEquals(code, 1);
      assertStringIncludes(stderr, "the sink creates it");
    });

    for (let round = 0; round < 3; round++) await world.feed(10);

    await t.step(
      "snapshots lists states, newest last, with rows and offsets as strings",
      async () => {
        const { code, stdout } = await world.task("snapshots", "--table", "transactions", "--json");
        assertEquals(code, 0);
        const seen = lines(stdout).map((line) => JSON.parse(line));
        assertEquals(seen.map((row) => row.rows), [10, 20, 30]);
        assertEquals(seen.map((row) => row.offsets.transactions), [{ 0: "10" }, { 0: "20" }, {
          0: "30",
        }]);
        assertEquals(seen.map((row) => row.current), [false, false, true]);
        assert(/^h-\d{8}T\d{2}$/.test(seen[0].refs[0]));
      },
    );

    await t.step("compact makes one file of three, and none of one", async () => {
      const dry = await world.task("compact", "--dry-run");
      assertStringIncludes(dry.stdout, "would be: 3 files into 1");
      const { code, stdout } = await world.task("compact", "--table", "transactions");
      assertEquals(code, 0);
      assertStringIncludes(stdout, "3 files into 1");
      assertStringIncludes((await world.task("compact")).stdout, "0 files into 0");
      assertEquals(await offsets(), range(30));
    });

    await t.step(
      "evolve adds a column that is filled from now on, and a rename keeps filling it",
      async () => {
        const added = await world.task(
          "evolve",
          "add-column",
          "transactions",
          "device_id",
          "string",
        );
        assertEquals(added.code, 0);
        assertStringIncludes(added.stdout, "17: device_id string");
        await world.feed(1, () => ({ device_id: "d30" }));
        assertEquals(
          (await world.task("evolve", "rename-column", "transactions", "device_id", "device")).code,
          0,
        );
        await world.feed(1, () => ({ device_id: "d31", device: "not this" }));
        await world.task("compact");
        const rows = await world.rows();
        assertEquals(rows.slice(29).map((row) => row.device), [null, "d30", "d31"]);
      },
    );

    await t.step("evolve refuses what cannot be", async () => {
      for (
        const words of [
          ["drop-column", "transactions", "timestamp"],
          ["add-column", "transactions", "Amount", "int"],
          ["add-column", "transactions", "x", "money"],
          ["add-column", "tables", "x", "int"],
          ["turn", "transactions"],
        ]
      ) assertEquals((await world.task("evolve", ...words)).code, 2, words.join(" "));
    });

    await t.step(
      "rollback --skip leaves the removed records out, and the sink goes on",
      async () => {
        const { stdout } = await world.task("snapshots", "--table", "transactions", "--json");
        const target = lines(stdout).map((line) => JSON.parse(line)).find((row) => row.rows === 20);
        const no = await world.task(
          "rollback",
          "--table",
          "transactions",
          "--to",
          target.snapshot_id,
        );
        assertEquals(no.code, 2);
        const done = await world.task(
          ...["rollback", "--table", "transactions", "--to", target.snapshot_id, "--skip"],
        );
        assertEquals([done.code, done.stderr], [0, ""]);
        await world.feed(5);
        assertEquals(await offsets(), [...range(20), 32, 33, 34, 35, 36]);
      },
    );

    await t.step("rollback --replay reads them again", async () => {
      const tag = /h-\d{8}T\d{2}/.exec((await world.task("snapshots")).stdout)![0];
      const done = await world.task(
        ...["rollback", "--table", "finance.transactions", "--to", tag, "--replay"],
      );
      assertEquals([done.code, done.stderr], [0, ""]);
      const sink = await world.startSink();
      await until("it reads on", () => sink.log.some((line) => line.event === "committed"));
      await sink.finish();
      assertEquals(await offsets(), range(37));
    });
  } finally {
    await world.services.stop();
  }
});
