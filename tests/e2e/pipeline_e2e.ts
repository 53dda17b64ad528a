/**
 * The user's first hour, on real Kafka and a real catalog: up, query, status, edits, kills, down, up.
 * Waiting is bounded by deadlines that say what did not happen; nothing here measures speed.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { ServiceName } from "../../contracts/services.ts";
import type { PipelineStatus } from "../../contracts/status.ts";
import { join } from "../../runtime/path.ts";
import { icebergRows } from "../support/pyiceberg.ts";
import { type TestPipeline, testPipeline } from "./pipeline.ts";

async function edit(pipeline: TestPipeline, from: RegExp, to: string): Promise<void> {
  const path = join(pipeline.configDir, "generator.yaml");
  const text = await Deno.readTextFile(path);
  assert(from.test(text), `generator.yaml has ${from}`);
  await Deno.writeTextFile(path, text.replace(from, to));
}

function pidOf(status: PipelineStatus, name: ServiceName): number | null {
  return status.services.find((service) => service.name === name)!.pid;
}

async function rows(pipeline: TestPipeline, table: string): Promise<Record<string, unknown>[]> {
  const text = await pipeline.ok("query", "--table", table, "--format", "ndjson");
  return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

/** Waits until the table of transactions holds more than `count` rows, and returns them. */
async function moreRows(
  pipeline: TestPipeline,
  count: number,
): Promise<Record<string, unknown>[]> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const found = await rows(pipeline, "transactions");
    if (found.length > count) return found;
    assert(performance.now() < deadline, `more than ${count} rows arrive within 60 s`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

function assertUnique(values: unknown[], what: string): void {
  assertEquals(new Set(values).size, values.length, `${what} are unique`);
}

const trace = (row: Record<string, unknown>): string =>
  `${row.source_partition}/${row.source_offset}`;

Deno.test("the pipeline runs with one command, keeps its data and survives its processes", async (t) => {
  const pipeline = await testPipeline();
  try {
    await t.step("up ends with a table of services and the next commands", async () => {
      const text = await pipeline.ok("up", "--native", "--rate", "50");
      for (const word of ["kafka", "catalog", "generator", "processor", "sink"]) {
        assertStringIncludes(text, word);
      }
      assertStringIncludes(text, "deno task query");
    });

    await t.step("a second up changes nothing", async () => {
      const before = await pipeline.status();
      await pipeline.ok("up", "--native");
      const after = await pipeline.status();
      assertEquals(
        after.services.map((service) => service.pid),
        before.services.map((service) => service.pid),
      );
    });

    await t.step("transactions and alerts reach the tables, each once", async () => {
      await pipeline.until("500 rows are stored", ({ totals }) => totals.stored >= 500);
      const transactions = await rows(pipeline, "transactions");
      assert(transactions.length >= 500);
      assertUnique(transactions.map((row) => row.transaction_id), "transaction ids");
      assertUnique(transactions.map(trace), "traces");
      await pipeline.until("an alert is raised", ({ totals }) => totals.alerts > 0);
      assertUnique((await rows(pipeline, "alerts")).map((row) => row.alert_id), "alert ids");
      const limited = await pipeline.ok("query", "--table", "transactions", "--limit", "5");
      assertStringIncludes(limited, "transaction_id");
    });

    await t.step("status is healthy and says so by its exit code", async () => {
      const { code, stdout } = await pipeline.task("status");
      assertEquals(code, 0, stdout);
      assertStringIncludes(stdout, "Pipeline: healthy");
    });

    await t.step("an edit of the rate takes effect, a broken one changes nothing", async () => {
      await edit(pipeline, /^rate_per_second:.*$/m, "rate_per_second: 200");
      await pipeline.until("the rate rises", ({ rates }) => rates.generated > 120, 30);
      await edit(pipeline, /^rate_per_second:.*$/m, "rate_per_second: fast");
      const broken = await pipeline.until(
        "the error is reported",
        ({ config }) => config.errors.length > 0,
        30,
      );
      const [issue] = broken.config.errors;
      assertStringIncludes(issue!.file, "generator.yaml");
      assertEquals(issue!.field, "rate_per_second");
      assert(issue!.line !== undefined);
      assertStringIncludes(issue!.value, "fast");
      const later = await pipeline.until(
        "it goes on",
        ({ totals }) => totals.generated > broken.totals.generated,
      );
      assert(later.rates.generated > 120);
      await edit(pipeline, /^rate_per_second:.*$/m, "rate_per_second: 50");
      await pipeline.until("the error is gone", ({ config }) => config.errors.length === 0, 30);
    });

    for (const name of ["generator", "processor", "sink", "catalog", "kafka"] as const) {
      await t.step(`kill -9 of ${name}: it comes back and the flow goes on`, async () => {
        const before = await pipeline.status();
        const pid = pidOf(before, name)!;
        Deno.kill(pid, "SIGKILL");
        await pipeline.until(`${name} has another pid and works`, (status) => {
          const service = status.services.find((candidate) => candidate.name === name)!;
          return service.pid !== null && service.pid !== pid && service.ready;
        });
        const back = (await rows(pipeline, "transactions")).length;
        await pipeline.until("all is healthy", ({ health }) => health === "healthy");
        await moreRows(pipeline, back);
      });
    }

    await t.step("down and up again: the rows are still there, the stream goes on", async () => {
      await pipeline.ok("down");
      const stopped = await pipeline.task("status", "--json");
      assertEquals(stopped.code, 3);
      await pipeline.ok("up", "--native", "--no-generator");
      assertEquals(pidOf(await pipeline.status(), "generator"), null);
      await pipeline.ok("up", "--native");
      assert(pidOf(await pipeline.status(), "generator") !== null);
      const before = (await rows(pipeline, "transactions")).length;
      const after = await moreRows(pipeline, before);
      assertUnique(after.map((row) => row.transaction_id), "transaction ids");
      assertUnique(after.map(trace), "traces");
    });

    await t.step("nothing was lost: raw records = transactions + dead letters", async () => {
      await pipeline.ok("restart", "generator");
      await edit(pipeline, /^paused:.*$/m, "paused: true");
      const settled = await pipeline.until(
        "all lag is gone",
        ({ lag, rates }) =>
          rates.generated === 0 &&
          lag.filter((entry) => entry.topic !== "pipeline-sessions")
            .every((entry) => BigInt(entry.stable) - BigInt(entry.committed) <= 1n),
      );
      const raw = settled.lag.filter((entry) => entry.topic === "raw-transactions")
        .reduce((sum, entry) => sum + Number(entry.end), 0);
      const count = async () =>
        (await rows(pipeline, "transactions")).length +
        (await rows(pipeline, "dead_letters")).length;
      const deadline = performance.now() + 30_000;
      while (await count() !== raw && performance.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 1000));
      }
      assertEquals(await count(), raw);
    });

    await t.step("PyIceberg counts the same rows through the REST catalog", async () => {
      const catalog = `http://127.0.0.1:${8181 + Number(pipeline.env.PIPELINE_PORT_OFFSET)}`;
      for (const table of ["transactions", "alerts", "dead_letters"]) {
        assertEquals(
          await icebergRows(catalog, `finance.${table}`),
          (await rows(pipeline, table)).length,
          table,
        );
      }
    });
  } finally {
    await pipeline.dispose();
  }
});
