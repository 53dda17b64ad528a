/** The newest rows are looked for where they probably are: the answer is the same wherever they really are. */
import { assertEquals } from "@std/assert";
import { type Flags, parseQuestion } from "./question.ts";
import { ask, openTestLakehouse, sampleAlerts, sampleTransactions } from "./testing.ts";

const START = "2026-03-01T00:00:00Z";

/** A day's 400 rows, `n` being their number, at so many seconds. */
function rowsAt(seconds: string): string {
  const rows = sampleTransactions({
    first: 0,
    count: 400,
    start: START,
    stepSeconds: 1,
    accounts: 9,
  });
  const n = "(source_offset * 4 + source_partition)";
  const time = `TIMESTAMPTZ '${START}' + to_seconds(${seconds.replaceAll("n", n)})`;
  return `SELECT * REPLACE (${time} AS timestamp) FROM (${rows})`;
}

/** How the times of a file lie, and how many of the newest are where even spreading puts them. */
const SPREADS: readonly [what: string, seconds: string, found: number][] = [
  ["evenly", "n * 60", 60],
  ["at one moment", "n * 0", 400],
  ["at the start, but for two", "n + 20000 * (n // 398)", 2],
  ["at the end, but for two", "20000 + n - 20000 * (1 - least(1, n // 2))", 398],
];

for (const [what, seconds, found] of SPREADS) {
  Deno.test(`the newest rows are those of a full scan where times lie ${what}`, async () => {
    const warehouse = await Deno.makeTempDir({ prefix: "query_newest_" });
    const lakehouse = await openTestLakehouse({ warehouse });
    try {
      // Two files over the same time: the bounds rule neither out.
      for (const half of ["<", ">="]) {
        const rows = `SELECT * FROM (${rowsAt(seconds)}) WHERE source_partition ${half} 2`;
        await lakehouse.append("transactions", rows);
      }
      await lakehouse.append("alerts", sampleAlerts(rowsAt(seconds)));
      const times = async (values: Parameters<typeof ask>[1]) =>
        (await ask(lakehouse, values)).rows().map((row) => row["timestamp"]);
      const sql = "SELECT timestamp FROM transactions ORDER BY timestamp DESC";
      const all = await times({ sql });
      assertEquals(all.length, 400);
      for (const limit of [1, 5, 390, 500]) {
        for (const joined of [false, true]) {
          const flags: Flags = { limit: String(limit), ...(joined ? { "join-alerts": true } : {}) };
          const question = parseQuestion(flags, { nowUs: 0, toTerminal: false });
          const about = `limit ${limit}${joined ? ", with alerts" : ""}`;
          const answer = await times({ question });
          // A transaction with two alerts is there twice.
          const expected = joined ? all.filter((time) => answer.includes(time)) : all;
          assertEquals([...new Set(answer)], [...new Set(expected.slice(0, limit))], about);
          assertEquals(answer.length, Math.min(limit, joined ? answer.length : 400), about);
          // Of few rows in a table of few nothing is worth a second statement.
          const { text } = await ask(lakehouse, { question, explain: true });
          assertEquals(text.includes(`"timestamp" >=`), limit <= found && limit < 10, about);
        }
      }
    } finally {
      await lakehouse.close();
      await Deno.remove(warehouse, { recursive: true });
    }
  });
}

Deno.test("rows that fit conditions are looked for among the newest first", async () => {
  const warehouse = await Deno.makeTempDir({ prefix: "query_newest_" });
  const lakehouse = await openTestLakehouse({ warehouse });
  try {
    // Eight days, a file each.
    const rows = { first: 0, count: 800, start: START, stepSeconds: 864, accounts: 9 };
    await lakehouse.append("transactions", sampleTransactions(rows));
    const table: readonly [flags: Flags, files: number, rows: number][] = [
      [{ "min-amount": "-99999" }, 1, 5],
      [{ "merchant-category": ["travel"] }, 1, 5],
      [{ "account-id": "NOBODY" }, 0, 0],
      [{ "merchant-category": ["entertainment"] }, 8, 0],
    ];
    for (const [flags, files, count] of table) {
      const question = parseQuestion({ limit: "5", ...flags }, { nowUs: 0, toTerminal: false });
      const answer = await ask(lakehouse, { question, stats: true });
      const about = JSON.stringify(flags);
      assertEquals(answer.rows().length, count, about);
      assertEquals(Number(/(\d+) files .*to read/.exec(answer.notes.join())?.[1]), files, about);
    }
  } finally {
    await lakehouse.close();
    await Deno.remove(warehouse, { recursive: true });
  }
});
