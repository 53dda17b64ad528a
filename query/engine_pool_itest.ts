/**
 * A DuckDB that is kept for the next question is as locked as a new one, holds nothing of the last question, and is thrown
 * away after anything but a whole answer (docs/decisions/0012-kept-engine.md). A question that goes on from what an earlier
 * one saw is answered from what is there now.
 */
import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { CatalogUnreachableError } from "../iceberg/catalog/errors.ts";
import type { Catalog } from "../iceberg/catalog/port.ts";
import { EnginePool } from "./engine_pool.ts";
import { LakehouseMemory } from "./plan.ts";
import { ask, openTestLakehouse, sampleTransactions, type TestLakehouse } from "./testing.ts";

/** A hundred rows of a day. */
function rowsOf(day: number): string {
  const start = `2026-03-0${day}T00:00:00Z`;
  return sampleTransactions({ first: day * 100, count: 100, start, stepSeconds: 1, accounts: 10 });
}

async function withLakehouse(
  work: (lakehouse: TestLakehouse & { memory: LakehouseMemory }, folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "query_pool_" });
  const lakehouse = await openTestLakehouse({ warehouse: `${folder}/warehouse` });
  try {
    await lakehouse.append("transactions", rowsOf(1));
    await work({ ...lakehouse, memory: new LakehouseMemory() }, folder);
  } finally {
    await lakehouse.close();
    await Deno.remove(folder, { recursive: true });
  }
}

async function parquetFiles(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) found.push(...await parquetFiles(path));
    else if (name.endsWith(".parquet")) found.push(path);
  }
  return found.sort();
}

/** What the next question would get of the pool; it goes back there. */
async function peek(pool: EnginePool, paths: readonly string[], settings: string[] = []) {
  const turn = pool.turn();
  const engine = await turn.locked({ paths, settings });
  await engine.begin([]);
  await turn.end({ keep: true });
  return engine;
}

const COUNT = { sql: "SELECT count(*) AS n FROM transactions" };

Deno.test("a kept DuckDB serves questions about its files, and reaches no others", async () => {
  await withLakehouse(async (lakehouse, folder) => {
    await lakehouse.append("transactions", rowsOf(2));
    const [first = "", second = ""] = await parquetFiles(folder);
    const pool = new EnginePool();
    try {
      const engine = await peek(pool, [first]);
      assertStrictEquals(await peek(pool, [first]), engine);
      const read = (path: string) => `SELECT count(*) FROM read_parquet('${path}')`;
      await assertRejects(() => engine.select(read(second)), Error, "Permission Error");
      const other = await peek(pool, [second]);
      assert(other !== engine);
      // The files of earlier questions stay in reach, so that two that take turns need not open one each time.
      assertStrictEquals(await peek(pool, [first]), other);
      await assertRejects(() => other.select(read(`${folder}/x.parquet`)), Error, "Permission");
      for (const sql of ["SET threads = 1", `COPY (SELECT 1) TO '${first}'`]) {
        await assertRejects(() => other.select(sql), Error, "expected one SELECT");
      }
      const settings = ["SET disabled_optimizers = 'join_order'"];
      assert(await peek(pool, [first], settings) !== other);
    } finally {
      pool.close();
    }
  });
});

Deno.test("nothing of a question is left for the next one", async () => {
  await withLakehouse(async (lakehouse, folder) => {
    const pool = new EnginePool();
    try {
      const paths = await parquetFiles(folder);
      const engine = await peek(pool, paths);
      const at = "SELECT count(*) AS n FROM transactions AT (VERSION => 'main') WHERE is_flagged";
      await ask(lakehouse, { sql: at }, { engines: pool });
      // Cut in the middle: the rest of the rows is never fetched.
      const some = { sql: "FROM transactions", rowsShown: 3 };
      assertEquals((await ask(lakehouse, some, { engines: pool })).rows().length, 3);
      assertEquals((await ask(lakehouse, COUNT, { engines: pool })).rows(), [{ n: "100" }]);
      assertStrictEquals(await peek(pool, paths), engine);
      await assertRejects(() => engine.select("FROM finance.transactions"), Error, "not exist");
    } finally {
      pool.close();
    }
  });
});

Deno.test("a question that fails or is stopped takes its DuckDB with it, and the next is answered", async () => {
  await withLakehouse(async (lakehouse, folder) => {
    const pool = new EnginePool();
    try {
      const paths = await parquetFiles(folder);
      let engine = await peek(pool, paths);
      const failing = { sql: "SELECT CAST(account_id AS INTEGER) FROM transactions" };
      await assertRejects(() => ask(lakehouse, failing, { engines: pool }), Error, "Conversion");
      assert(await peek(pool, paths) !== engine);
      engine = await peek(pool, paths);
      const controller = new AbortController();
      const endless = {
        sql: "SELECT sum(a.amount + b.amount + c.amount + d.amount + e.amount) FROM " +
          [..."abcde"].map((name) => `transactions AS ${name}`).join(", "),
      };
      const stopped = ask(lakehouse, endless, {
        engines: pool,
        signal: controller.signal,
        onPlanned: () => void setTimeout(() => controller.abort(), 50),
      });
      await assertRejects(() => stopped, Error, "Interrupted");
      assert(await peek(pool, paths) !== engine);
      assertEquals((await ask(lakehouse, COUNT, { engines: pool })).rows(), [{ n: "100" }]);
    } finally {
      pool.close();
    }
  });
});

Deno.test("a question is answered from the newest commit, whatever earlier ones saw", async () => {
  await withLakehouse(async (lakehouse) => {
    const pool = new EnginePool();
    try {
      for (let commits = 1; commits <= 3; commits++) {
        for (const values of [COUNT, COUNT]) {
          let planned = 0;
          const answer = await ask(lakehouse, values, {
            engines: pool,
            onPlanned: () => planned++,
          });
          assertEquals(answer.rows(), [{ n: String(commits * 100) }]);
          assert(planned <= 2);
        }
        await lakehouse.append("transactions", rowsOf(commits + 1));
      }
      const named = await ask(lakehouse, { stats: true, sql: "FROM transactions" }, {
        engines: pool,
      });
      assertEquals(named.rows().length, 400);
      // Said once, of the answer that was printed.
      assertEquals(named.notes.filter((note) => note.includes("files")).length, 1);
    } finally {
      pool.close();
    }
  });
});

Deno.test("nothing is printed before the catalog has answered, and nothing at all if it does not", async () => {
  await withLakehouse(async (lakehouse) => {
    const pool = new EnginePool();
    try {
      await ask(lakehouse, COUNT, { engines: pool });
      const asked = Promise.withResolvers<void>();
      const catalog: Catalog = {
        ...lakehouse.catalog,
        loadTable: async () => {
          await asked.promise;
          throw new CatalogUnreachableError("Cannot load table: gone");
        },
      };
      const printed: string[] = [];
      const answering = ask({ ...lakehouse, catalog }, { ...COUNT, stats: true }, {
        engines: pool,
        print: (data) => Promise.resolve(void printed.push(String(data))),
        note: (text) => void printed.push(text),
        onPlanned: () => asked.resolve(),
      });
      await assertRejects(() => answering, CatalogUnreachableError);
      assertEquals(printed, []);
      assertEquals((await ask(lakehouse, COUNT, { engines: pool })).rows(), [{ n: "100" }]);
    } finally {
      pool.close();
    }
  });
});
