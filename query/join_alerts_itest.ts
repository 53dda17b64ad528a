/** `--join-alerts` beside a join in plain code: several alerts, alerts not committed yet, rows of other writers. */
import { assert, assertEquals } from "@std/assert";
import { type Flags, parseQuestion } from "./question.ts";
import { ask, openTestLakehouse, sampleAlerts, sampleTransactions } from "./testing.ts";

type Row = Record<string, unknown>;

const rows = (first: number, count: number): string =>
  sampleTransactions({
    first,
    count,
    start: "2026-03-01T00:00:00Z",
    stepSeconds: 300,
    accounts: 20,
  });

/** The same rows as another writer leaves them: their raw records are not named. */
const foreign = (select: string): string =>
  `SELECT * REPLACE (NULL::INTEGER AS source_partition, NULL::BIGINT AS source_offset) FROM (${select})`;

/** Another transaction under the ids of these, far behind them in the log. */
const again = (select: string): string =>
  `SELECT * REPLACE (source_offset + 100 AS source_offset, timestamp + INTERVAL 1 DAY AS timestamp)
   FROM (${select})`;

function sameOrUnknown(a: unknown, b: unknown): boolean {
  return a === null || b === null || a === b;
}

/** What the join must give, newest first, as `id alert`. */
function expected(transactions: Row[], alerts: Row[], wanted: (alert?: Row) => boolean): string[] {
  const reach = new Map<unknown, bigint>();
  for (const alert of alerts) {
    const { source_partition: partition, source_offset: offset } = alert;
    if (offset === null) continue;
    const known = reach.get(partition) ?? -1n;
    if (BigInt(offset as string) > known) reach.set(partition, BigInt(offset as string));
  }
  return transactions.flatMap((one) => {
    const own = alerts.filter((alert) =>
      alert["transaction_id"] === one["transaction_id"] &&
      sameOrUnknown(alert["source_partition"], one["source_partition"]) &&
      sameOrUnknown(alert["source_offset"], one["source_offset"])
    );
    const offset = one["source_offset"];
    const ahead = one["is_flagged"] === true && offset !== null &&
      BigInt(offset as string) > (reach.get(one["source_partition"]) ?? -1n);
    if (own.length === 0) return !ahead && wanted() ? [line(one)] : [];
    return own.filter(wanted).map((alert) => line({ ...one, alert_id: alert["alert_id"] }));
  });
}

/** All fractions of one length, so that texts sort as times do. */
function timeText(iso: string): string {
  const [whole, fraction = ""] = iso.slice(0, -1).split(".");
  return `${whole}.${fraction.padEnd(6, "0")}Z`;
}

function line(row: Row): string {
  return [timeText(row["timestamp"] as string), row["source_offset"], row["alert_id"] ?? "none"]
    .join(" ");
}

const CASES: readonly [flags: Flags, wanted: (alert?: Row) => boolean][] = [
  [{}, () => true],
  [{ severity: ["low"] }, (alert) => alert?.["severity"] === "low"],
  [{ rule: ["high-value"] }, (alert) => alert?.["rule_name"] === "high-value"],
];

const TABLES: readonly [what: string, transactions: string[], alerts: string[]][] = [
  ["our rows", [rows(0, 400), rows(400, 200)], [sampleAlerts(rows(0, 500))]],
  ["an id twice", [rows(0, 400), again(rows(0, 200))], [sampleAlerts(rows(0, 400))]],
  [
    "rows of other writers",
    [rows(0, 400), foreign(rows(400, 200))],
    [sampleAlerts(rows(0, 300)), foreign(sampleAlerts(rows(300, 250)))],
  ],
];

for (const [what, transactions, alerts] of TABLES) {
  Deno.test(`--join-alerts gives each transaction its alerts: ${what}`, async () => {
    const warehouse = await Deno.makeTempDir({ prefix: "query_join_" });
    const lakehouse = await openTestLakehouse({ warehouse });
    try {
      for (const select of transactions) await lakehouse.append("transactions", select);
      for (const select of alerts) await lakehouse.append("alerts", select);
      const all = async (table: string) =>
        (await ask(lakehouse, {
          question: parseQuestion({ table }, { nowUs: 0, toTerminal: false }),
        })).rows();
      const [left, right] = [await all("transactions"), await all("alerts")];
      for (const [flags, wanted] of CASES) {
        const whole = expected(left, right, wanted);
        assert(whole.length > 5, `${what}: nothing to compare`);
        for (const range of [undefined, "2026-03-01..2026-03-01"]) {
          const lines = range === undefined ? whole : whole.filter((one) => one < "2026-03-02");
          for (const limit of [undefined, "1", "7", "250"]) {
            const given: Flags = {
              "join-alerts": true,
              ...flags,
              ...(range === undefined ? {} : { "date-range": range }),
              ...(limit === undefined ? {} : { limit }),
            };
            const question = parseQuestion(given, { nowUs: 0, toTerminal: false });
            const found = (await ask(lakehouse, { question })).rows().map(line);
            const about = `${what}, ${JSON.stringify(given)}`;
            assertEquals(found.length, Math.min(lines.length, Number(limit ?? Infinity)), about);
            assertEquals(
              found.toSorted().reverse(),
              found.length === lines.length
                ? lines.toSorted().reverse()
                : found.filter((one) => lines.includes(one)).toSorted().reverse(),
              about,
            );
            // The newest ones: alerts of one transaction may be cut anywhere.
            const times = (some: string[]) => some.map((one) => one.split(" ")[0]!);
            const newest = times(lines).toSorted().reverse().slice(0, found.length);
            assertEquals(times(found), newest, about);
          }
        }
      }
    } finally {
      await lakehouse.close();
      await Deno.remove(warehouse, { recursive: true });
    }
  });
}
