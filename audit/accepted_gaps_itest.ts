/** What accepted gaps of tables explain, on scratch tables filled by hand. */
import { assertEquals } from "@std/assert";
import { excuseLost } from "./accepted_gaps.ts";
import { CHECKS } from "./checks.ts";
import { type AuditedTable, CUT, FINDING } from "./facts.ts";
import { Scratch } from "./scratch.ts";
import type { TableGap } from "./table_history.ts";

const idOf = (name: string) => CHECKS.findIndex((check) => check.name === name);

function gap(partition: number, stored: number, next: number, anew = false): TableGap {
  const [topic, reason, acceptedAt] = ["transactions", "by hand", "2026-01-10T12:00:00Z"];
  return { topic, partition, stored, next, anew, reason, acceptedAt };
}

/** Raw offsets 3, 4 and 8 of partition 0 are missing, and an alert of 4; transactions begins with trace 7. */
async function leftAfter(
  gaps: Partial<Record<AuditedTable, TableGap[]>>,
): Promise<{ lost: Map<number, number>; left: string[] }> {
  const folder = await Deno.makeTempDir({ prefix: "audit_gaps_" });
  const scratch = await Scratch.open(folder);
  try {
    await scratch.create("finding", FINDING);
    await scratch.create("cut", CUT);
    await scratch.run("INSERT INTO cut VALUES (0, 0, 10, 10, 7, 2, 6, 50, 50, 50)");
    for (const [name, offset] of [["missing", 3], ["missing", 4], ["missing", 8]] as const) {
      await scratch.run(
        `INSERT INTO finding VALUES (${idOf(name)}, 'raw', 0, ${offset}, NULL, NULL, '', NULL)`,
      );
    }
    await scratch.run(
      `INSERT INTO finding VALUES (${idOf("alert missing")}, 'raw', 0, 4, NULL, 'high', '', NULL)`,
    );
    const histories = new Map(
      Object.entries(gaps).map(([table, list]) => [table, { gaps: list }]),
    );
    const lost = await excuseLost(scratch, { partitions: [{ partition: 0 }], histories });
    const rows = await scratch.rows<{ check_id: number; o: number }>(
      "SELECT check_id, o FROM finding ORDER BY ALL",
    );
    return { lost, left: rows.map(({ check_id, o }) => `${CHECKS[check_id]!.name} ${o}`) };
  } finally {
    scratch.close();
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("as many as the gap had offsets are taken for lost, where the topic begins behind them", async () => {
  const { lost, left } = await leftAfter({ transactions: [gap(0, 10, 13)] });
  assertEquals([...lost], [[0, 2]]);
  assertEquals(left, ["missing 8", "alert missing 4"]);
});

Deno.test("if more are missing than the gap explains, all of them are said to be", async () => {
  const { lost, left } = await leftAfter({ transactions: [gap(0, 10, 11)] });
  assertEquals([...lost], []);
  assertEquals(left, ["missing 3", "missing 4", "missing 8", "alert missing 4"]);
});

Deno.test("gaps of another partition, or backwards, explain nothing", async () => {
  const { lost } = await leftAfter({ transactions: [gap(1, 10, 20), gap(0, 20, 10)] });
  assertEquals([...lost], []);
});

Deno.test("a topic made anew explains any number; alerts are the table alerts'", async () => {
  const { lost, left } = await leftAfter({ alerts: [gap(0, 10, 0, true)] });
  assertEquals([...lost], []);
  assertEquals(left, ["missing 3", "missing 4", "missing 8"]);
});
