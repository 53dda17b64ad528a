/**
 * The audit on real data: clean where nothing is wrong, and each kind of damage is found and named. Expected
 * offenders come from the records that were made or from DuckDB, never from the audit.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { AuditReport, Finding } from "../../audit/report.ts";
import { alertId } from "../../contracts/ids.ts";
import { OFFSETS_PROPERTY, type TableName } from "../../contracts/tables.ts";
import { commitAppend } from "../../iceberg/commit/append.ts";
import { newSnapshotId, systemEnvironment } from "../../iceberg/commit/environment.ts";
import { commitOverwrite } from "../../iceberg/commit/overwrite.ts";
import { rollback } from "../../iceberg/commit/refs.ts";
import { currentSnapshot } from "../../iceberg/metadata.ts";
import { AuditWorld, PARTITIONS, rawValues, TOPICS, type Victim } from "./audit_world.ts";

const RECORDS = 250;

function findingOf(report: AuditReport, kind: string): Finding {
  const found = report.findings.find((finding) => finding.kind === kind);
  assert(found !== undefined, `"${kind}" is among ${JSON.stringify(report.findings)}`);
  return found;
}

/** Exactly this is wrong, and the victim is named. */
function assertFound(
  report: AuditReport,
  kind: string,
  victim: Victim,
  detail: RegExp | undefined,
): void {
  assertEquals(report.clean, false);
  assertEquals(report.findings.map((finding) => finding.kind), [kind]);
  const { count, offenders } = findingOf(report, kind);
  assertEquals(count, 1);
  assertEquals(offenders[0]!.trace, `${TOPICS.raw}/${victim.partition}/${victim.offset}`);
  assertEquals(offenders[0]!.transactionId, victim.transactionId);
  if (detail !== undefined) assert(detail.test(offenders[0]!.detail), offenders[0]!.detail);
}

interface Row {
  source_partition: number;
  source_offset: string;
  transaction_id: string;
}

/** A row that SQL finds, as a victim. */
async function victimOf(world: AuditWorld, table: TableName, where: string): Promise<Victim> {
  const [row] = await world.rows<Row>(
    table,
    `SELECT source_partition, source_offset, transaction_id FROM t WHERE ${where}
      ORDER BY source_partition, source_offset LIMIT 1`,
  );
  assert(row !== undefined, `${table} has a row where ${where}`);
  return {
    partition: row.source_partition,
    offset: Number(row.source_offset),
    transactionId: row.transaction_id,
  };
}

/** Damage to the content of a table's file, behind everybody's back. `$v`: the victim's row. */
const FILE_DAMAGES: readonly {
  name: string;
  table: "transactions" | "alerts";
  victim: string;
  sql: string;
  kind: string;
  detail?: RegExp;
  full?: boolean;
}[] = [
  {
    name: "a row deleted",
    table: "transactions",
    victim: "NOT is_flagged",
    sql: "SELECT * FROM t WHERE NOT $v",
    kind: "row missing (transactions)",
  },
  {
    name: "a row duplicated",
    table: "transactions",
    victim: "is_flagged",
    sql: "FROM t UNION ALL SELECT * FROM t WHERE $v",
    kind: "row doubled (transactions)",
    detail: /2 rows and 1 records/,
  },
  {
    name: "an alert removed",
    table: "alerts",
    victim: "rule_name = 'high-value'",
    sql: "SELECT * FROM t WHERE NOT ($v AND rule_name = 'high-value')",
    kind: "row missing (alerts)",
  },
  {
    name: "a severity changed",
    table: "alerts",
    victim: "rule_name = 'rapid-activity'",
    sql: `SELECT * REPLACE (CASE WHEN $v AND rule_name = 'rapid-activity' THEN 'low'
      ELSE severity END AS severity) FROM t`,
    kind: "row differs (alerts)",
    detail: /severity low, its record has medium/,
  },
  {
    name: "a flag flipped",
    table: "transactions",
    victim: "NOT is_flagged",
    sql: "SELECT * REPLACE (is_flagged <> $v AS is_flagged) FROM t",
    kind: "wrong is_flagged (row)",
    detail: /expected is_flagged false, its row has true/,
  },
  {
    name: "an amount changed",
    table: "transactions",
    victim: "amount < 100",
    sql: "SELECT * REPLACE (CASE WHEN $v THEN amount + 1 ELSE amount END AS amount) FROM t",
    kind: "row differs (transactions)",
    full: true,
  },
];

async function fileDamages(t: Deno.TestContext, world: AuditWorld): Promise<void> {
  for (const damage of FILE_DAMAGES) {
    await t.step(`${damage.name} is found and named`, async () => {
      const { table, sql, kind, detail, full = false } = damage;
      const victim = await victimOf(world, table, damage.victim);
      const row = `(source_partition = ${victim.partition} AND source_offset = ${victim.offset})`;
      const undo = await world.damageFile(table, victim, sql.replaceAll("$v", row));
      // Values besides identity and verdict are compared on request only.
      if (full) assertEquals((await world.audit()).clean, true);
      assertFound(await world.audit({ full }), kind, victim, detail);
      await undo();
    });
  }
}

async function missingFile(world: AuditWorld): Promise<void> {
  const victim = await victimOf(world, "transactions", "true");
  const file = await world.fileOf("transactions", victim);
  const path = world.storage.localPath!(file.path);
  const bytes = await Deno.readFile(path);
  await Deno.remove(path);
  const report = await world.audit();
  const [offender] = findingOf(report, "file missing (transactions)").offenders;
  assertStringIncludes(offender!.detail, file.path);
  // The rows that were in it are named as well.
  const rows = findingOf(report, "row missing (transactions)");
  assertEquals(BigInt(rows.count), file.record_count);
  assertEquals(rows.offenders[0]!.transactionId, victim.transactionId);
  await Deno.writeTextFile(path, "no Parquet");
  assertEquals(findingOf(await world.audit(), "file unreadable (transactions)").count, 1);
  await Deno.writeFile(path, bytes);
}

async function movedOffset(world: AuditWorld): Promise<void> {
  const table = await world.table("alerts");
  const before = currentSnapshot(table.metadata)!;
  const moved = JSON.parse(before.summary[OFFSETS_PROPERTY]!);
  const entry = moved.topics[TOPICS.alerts];
  entry.next["1"] = String(Number(entry.next["1"]) - 2);
  const environment = systemEnvironment(world.storage);
  const snapshotId = newSnapshotId(environment.random);
  const outcome = await commitAppend(table, {
    ...environment,
    snapshotId,
    files: [],
    summary: () => ({ [OFFSETS_PROPERTY]: JSON.stringify(moved) }),
  });
  const report = await world.audit();
  const { offenders } = findingOf(report, "offsets in snapshots (alerts)");
  assert(offenders.some(({ at }) => at.includes(`snapshot ${snapshotId}, partition 1`)));
  // Rows beyond what the snapshot now says it read.
  assert(findingOf(report, "row ahead of the offsets (alerts)").count > 0);
  await rollback(outcome.table, { ...environment, snapshotId: before["snapshot-id"] });
  assertEquals((await world.audit()).findings, []);
}

async function foreignDelete(world: AuditWorld): Promise<void> {
  const victim = await victimOf(world, "transactions", "merchant_category = 'retail'");
  const old = await world.fileOf("transactions", victim);
  const path = old.path.replace(/\.parquet$/, "-foreign.parquet");
  await world.writeFrom(
    "transactions",
    old,
    `SELECT * FROM t WHERE NOT (source_partition = ${victim.partition}
      AND source_offset = ${victim.offset})`,
    world.storage.localPath!(path),
  );
  const environment = systemEnvironment(world.storage);
  const table = await world.table("transactions");
  const before = currentSnapshot(table.metadata)!["snapshot-id"];
  const snapshotId = newSnapshotId(environment.random);
  const { size } = (await world.storage.stat(path))!;
  const outcome = await commitOverwrite(table, {
    ...environment,
    snapshotId,
    remove: [old.file],
    add: [{
      ...old.file,
      file_path: path,
      record_count: old.record_count - 1n,
      file_size_in_bytes: BigInt(size),
    }],
  });
  const report = await world.audit();
  const kind = `changed by others (snapshot ${snapshotId}): row missing (transactions)`;
  assertFound(report, kind, victim, undefined);
  const shown = report.tables.find(({ name }) => name === "finance.transactions")!.foreign;
  assertEquals(shown.map((one) => [one.snapshotId, one.rows]), [[String(snapshotId), 1]]);
  await rollback(outcome.table, { ...environment, snapshotId: before });
}

/** Records that nobody can take back: last. */
async function forgedRecords(world: AuditWorld): Promise<void> {
  const quiet = await victimOf(world, "transactions", "NOT is_flagged AND source_partition = 0");
  const trace = `${TOPICS.raw}/0/${quiet.offset}`;
  const [stored] = await world.rows<{ v: string }>(
    "transactions",
    `SELECT to_json(t)::VARCHAR AS v FROM t WHERE source_partition = 0
      AND source_offset = ${quiet.offset}`,
  );
  const alert = {
    alert_id: alertId("high-value", quiet.transactionId),
    transaction_id: quiet.transactionId,
    rule_name: "high-value",
    severity: "high",
    rules_version: JSON.parse(stored!.v).rules_version,
    description: "forged",
    transaction: JSON.parse(stored!.v),
  };
  await world.append(TOPICS.alerts, 0, [{ value: JSON.stringify(alert), trace }]);
  await world.append(TOPICS.transactions, 0, [
    { value: stored!.v, trace },
    { value: stored!.v, trace: `${TOPICS.raw}/0/999999` },
    { value: stored!.v, trace: "nonsense" },
  ]);
  const report = await world.audit();
  const forged = findingOf(report, "alert without reason");
  assertEquals(forged.count, 1);
  assertEquals(forged.offenders[0]!.trace, trace);
  assertEquals(forged.offenders[0]!.transactionId, quiet.transactionId);
  assertEquals(forged.offenders[0]!.rule, "high-value");
  assertEquals(findingOf(report, "doubled").offenders[0]!.trace, trace);
  assertEquals(findingOf(report, "stray").count, 2);
  assertEquals(report.findings.length, 3);
  const { code, text } = await world.cli([]);
  assertEquals(code, 1, text);
  assertStringIncludes(text, "NOT CLEAN: ");
  assertStringIncludes(text, quiet.transactionId);
}

Deno.test("the audit is clean on clean data and names every kind of damage", async (t) => {
  const world = await AuditWorld.start();
  try {
    const unreachable = world.cli([], { PIPELINE_KAFKA_BROKERS: "127.0.0.1:1" });

    await t.step("data: two rule sets, alerts of all rules, dead letters, duplicates", async () => {
      for (let partition = 0; partition < PARTITIONS; partition++) {
        await world.produce(partition, rawValues(partition, 0, RECORDS));
      }
      await world.until(
        "the first half is stored",
        ({ total }) => total.raw === PARTITIONS * RECORDS && total.unjudged + total.unstored === 0,
      );
      await world.editRules((text) => text.replace("amount: 10000", "amount: 800"));
      const versions = async () =>
        (await world.rows<{ n: string }>(
          "transactions",
          "SELECT count(DISTINCT rules_version) AS n FROM t",
        ))[0]!.n;
      for (let from = RECORDS; await versions() === "1"; from += RECORDS) {
        for (let partition = 0; partition < PARTITIONS; partition++) {
          await world.produce(partition, rawValues(partition, from, RECORDS));
        }
        await world.until(
          "all is stored",
          ({ total }) =>
            total.raw === PARTITIONS * (from + RECORDS) && total.unjudged + total.unstored === 0,
        );
      }
      await world.rest();
      for (const rule of ["high-value", "rapid-activity", "unusual-hour"]) {
        await victimOf(world, "alerts", `rule_name = '${rule}'`);
      }
    });

    await t.step("clean: exit 0, and everything is accounted for", async () => {
      const report = await world.audit({ full: true });
      assertEquals(report.findings, []);
      const { raw, stored, deadLettered } = report.total;
      assertEquals(stored + deadLettered, raw);
      assert(deadLettered > 0 && report.total.alerts > 0);
      const { code, text } = await world.cli(["--json"]);
      assertEquals(code, 0, text);
      assertEquals(JSON.parse(text).total.raw, raw);
    });

    await t.step("since a time after all of it there is nothing to look at", async () => {
      const { code, text } = await world.cli(["--since", "2100-01-01"]);
      assertEquals(code, 0, text);
      assertStringIncludes(text, "CLEAN: 0 raw records");
    });

    await fileDamages(t, world);
    await t.step("a data file that is gone, or no Parquet, is named", () => missingFile(world));
    await t.step("an offset moved in a summary is found", () => movedOffset(world));
    await t.step("a row deleted by another engine is shown as theirs", () => foreignDelete(world));
    await t.step("undone, it is clean again", async () => {
      assertEquals((await world.audit()).findings, []);
    });
    await t.step("forged and doubled records of the topics are named", () => forgedRecords(world));

    await t.step("an unreachable Kafka is exit 3, a wrong flag exit 2", async () => {
      assertEquals((await unreachable).code, 3);
      assertEquals((await world.cli(["--since", "yesterday"])).code, 2);
    });
  } finally {
    await world.stop();
  }
});
