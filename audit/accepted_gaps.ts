/**
 * What an operator gave up for a table: records that were gone from its topic before the table had read them. Nobody
 * can name their raw offsets; so as many raw records without a row as the gap had offsets are taken for them, if the
 * topic no longer has them either. If more are missing, all of them are said to be.
 */
import { CHECKS } from "./checks.ts";
import type { AuditedTable } from "./facts.ts";
import type { Scratch } from "./scratch.ts";
import type { TableHistory } from "./table_history.ts";
import type { PartitionView } from "./view.ts";

const EXCUSED: readonly { check: string; tables: readonly AuditedTable[] }[] = [
  { check: "missing", tables: ["transactions", "dead_letters"] },
  { check: "alert missing", tables: ["alerts"] },
];

/** Takes what accepted gaps explain out of `finding`; gives the number of lost raw records by partition. */
export async function excuseLost(
  scratch: Scratch,
  { partitions, histories }: {
    partitions: readonly Pick<PartitionView, "partition">[];
    histories: ReadonlyMap<string, Pick<TableHistory, "gaps">>;
  },
): Promise<Map<number, number>> {
  const lost = new Map<number, number>();
  for (const { partition } of partitions) {
    for (const { check, tables } of EXCUSED) {
      const gaps = tables.flatMap((table) => histories.get(table)?.gaps ?? [])
        .filter((gap) => gap.partition === partition);
      const lostMax = gaps.map(({ anew, stored, next }) =>
        anew ? Infinity : Math.max(0, next - stored)
      ).reduce((sum, offsets) => sum + offsets, 0);
      if (lostMax === 0) continue;
      const firsts = tables.map((table) => `${table}_first`).join(", ");
      const which = `check_id = ${
        CHECKS.findIndex(({ name }) => name === check)
      } AND p = ${partition}
        AND o < (SELECT greatest(${firsts}) FROM cut WHERE cut.p = ${partition})`;
      const [found] = await scratch.rows<{ n: string }>(
        `SELECT count(*) AS n FROM finding WHERE ${which}`,
      );
      const count = Number(found!.n);
      if (count === 0 || count > lostMax) continue;
      await scratch.run(`DELETE FROM finding WHERE ${which}`);
      if (check === "missing") lost.set(partition, count);
    }
  }
  return lost;
}
