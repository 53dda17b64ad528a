/** Checks of the topics against the raw log. Pure. */
import { type Check, kindText, versionText } from "./check.ts";

const role = (topic: string): string =>
  `CASE ${topic} WHEN 0 THEN 'transactions' ELSE 'deadLetter' END`;

/** A raw record and the record that came of it. */
const JUDGED = "raw r JOIN output u ON u.p = r.p AND u.o = r.o";

/** Every record of the outputs. */
const RECORDS = `(SELECT ${role("topic")} AS source, p, pos, o FROM output
  UNION ALL SELECT 'alerts', p, pos, o FROM alert)`;

/** Raw log and outputs. */
export const TOPIC_CHECKS: readonly Check[] = [
  {
    name: "missing",
    group: "missing",
    sql: `SELECT 'raw' AS source, r.p, r.o, NULL AS pos, NULL AS rule,
        'it has no record in transactions or dead-letter' AS detail
      FROM raw r JOIN cut c USING (p)
      WHERE NOT EXISTS (SELECT 1 FROM output u WHERE u.p = r.p AND u.o = r.o)
        AND (r.o >= greatest(c.transactions_first, c.dead_letters_first) OR NOT EXISTS (
          SELECT 1 FROM table_row t
          WHERE t.tbl IN (0, 1) AND t.p = r.p AND t.o = r.o))`,
  },
  {
    name: "doubled",
    group: "doubled",
    sql: `WITH twice AS MATERIALIZED (SELECT u.p, u.o FROM output u JOIN cut c USING (p)
        WHERE u.o >= c.start AND u.o < c.position GROUP BY u.p, u.o HAVING count(*) > 1)
      SELECT ${role("max(u.topic)")} AS source, u.p, u.o, max(u.pos) AS pos, NULL AS rule,
        'it has ' || count(*) || ' records: ' || string_agg(
          ${role("u.topic")} || ' offset ' || u.pos::BIGINT, ', ' ORDER BY u.topic, u.pos) AS detail
      FROM output u JOIN twice d ON d.p = u.p AND d.o = u.o GROUP BY u.p, u.o`,
  },
  {
    name: "alert doubled",
    group: "doubled",
    sql: `WITH twice AS MATERIALIZED (SELECT a.p, a.o, a.rule FROM alert a JOIN cut c USING (p)
        WHERE a.o >= c.start AND a.o < c.position GROUP BY a.p, a.o, a.rule HAVING count(*) > 1)
      SELECT 'alerts' AS source, a.p, a.o, max(a.pos) AS pos, a.rule,
        'it has ' || count(*) || ' records, at offsets ' ||
          string_agg(a.pos::BIGINT::VARCHAR, ', ' ORDER BY a.pos) AS detail
      FROM alert a JOIN twice d ON d.p = a.p AND d.o = a.o AND d.rule IS NOT DISTINCT FROM a.rule
      GROUP BY a.p, a.o, a.rule`,
  },
  {
    name: "stray",
    group: "stray",
    sql: `SELECT u.source, u.p, u.o, u.pos, NULL AS rule, CASE
        WHEN u.o IS NULL THEN 'its trace names no raw record of its partition'
        WHEN u.o >= c.position_after THEN 'the processor has not come to its raw record: its position is '
          || c.position_after::BIGINT
        ELSE 'there is no raw record at the offset of its trace' END AS detail
      FROM ${RECORDS} u JOIN cut c USING (p)
      WHERE u.o IS NULL OR u.o >= c.position_after OR (u.o >= c.start AND u.o < c.position
        AND NOT EXISTS (SELECT 1 FROM raw r WHERE r.p = u.p AND r.o = u.o))`,
  },
  {
    name: "wrong verdict",
    group: "misjudged",
    sql: `SELECT ${role("u.topic")} AS source, u.p, u.o, u.pos, NULL AS rule,
        'expected ' || ${kindText("r.kind")} || ', got ' || ${kindText("u.kind")} AS detail
      FROM ${JUDGED} WHERE r.kind >= 0 AND u.kind <> r.kind`,
  },
  {
    name: "wrong rules_version",
    group: "misjudged",
    sql:
      `SELECT 'transactions' AS source, u.p, u.o, u.pos, NULL AS rule, 'expected rules_version ' ||
          ${versionText("r.version")} || ', got ' || ${versionText("u.version")} AS detail
      FROM ${JUDGED} WHERE u.kind = 0 AND r.kind = 0 AND r.version >= 0 AND u.version <> r.version`,
  },
  {
    name: "wrong values",
    group: "misjudged",
    sql: `SELECT ${role("u.topic")} AS source, u.p, u.o, u.pos, NULL AS rule, CASE
        WHEN u.id <> r.id THEN 'its id is not that of the raw record'
        WHEN u.bytes >= 0 AND u.bytes <> r.bytes THEN
          'the raw record has ' || r.bytes::BIGINT || ' bytes, it says ' || u.bytes::BIGINT
        ELSE 'its fields are not those of the raw record' END AS detail
      FROM ${JUDGED} WHERE r.kind >= 0 AND u.kind = r.kind AND (u.id <> r.id
        OR (u.bits >= 0 AND r.bits >= 0 AND u.bits <> r.bits) OR (r.kind > 0 AND u.bytes <> r.bytes))`,
  },
  {
    name: "wrong is_flagged",
    group: "flags",
    sql: `SELECT 'transactions' AS source, u.p, u.o, u.pos, NULL AS rule, 'expected is_flagged ' ||
          (r.flagged = 1) || ', got ' || (u.flagged = 1) AS detail
      FROM ${JUDGED} WHERE u.topic = 0 AND r.kind = 0 AND r.flagged < 2 AND u.flagged <> r.flagged`,
  },
  {
    name: "alert missing",
    group: "misjudged",
    sql:
      `SELECT 'raw' AS source, e.p, e.o, NULL AS pos, e.rule, 'the rule had to fire on it' AS detail
      FROM expected e JOIN cut c USING (p) WHERE e.fired = 1 AND e.sure = 1
        AND NOT EXISTS (SELECT 1 FROM alert a WHERE a.p = e.p AND a.o = e.o AND a.rule = e.rule)
        AND (e.o >= c.alerts_first OR NOT EXISTS (SELECT 1 FROM table_row t
          WHERE t.tbl = 2 AND t.p = e.p AND t.o = e.o AND t.rule = e.rule))`,
  },
  {
    name: "alert without reason",
    group: "misjudged",
    sql:
      `SELECT 'alerts' AS source, a.p, a.o, a.pos, a.rule, 'the rule had not to fire on it' AS detail
      FROM alert a JOIN raw r ON r.p = a.p AND r.o = a.o
      WHERE r.kind >= 0 AND NOT EXISTS (SELECT 1 FROM expected e WHERE e.p = a.p AND e.o = a.o
        AND e.rule = a.rule AND (e.fired = 1 OR e.sure = 0))`,
  },
  {
    name: "alert differs",
    group: "misjudged",
    sql: `SELECT 'alerts' AS source, a.p, a.o, a.pos, a.rule, CASE
        WHEN a.severity <> e.severity THEN 'expected severity ' || e.severity || ', got ' || a.severity
        WHEN a.version <> e.version THEN 'expected rules_version ' || ${versionText("e.version")} ||
          ', got ' || ${versionText("a.version")}
        WHEN a.id <> r.id THEN 'its transaction_id is not that of the raw record'
        WHEN a.id_fits = 0 THEN 'its alert_id is not that of rule and transaction'
        ELSE 'its transaction is not that of the raw record' END AS detail
      FROM alert a JOIN expected e ON e.p = a.p AND e.o = a.o AND e.rule = a.rule
        JOIN raw r ON r.p = a.p AND r.o = a.o
      WHERE a.severity <> e.severity OR a.version <> e.version OR a.id <> r.id OR a.id_fits = 0
        OR (a.bits >= 0 AND r.bits >= 0 AND a.bits <> r.bits)`,
  },
  {
    name: "unverifiable",
    group: "unverifiable",
    sql: `SELECT 'raw' AS source, p, o, NULL AS pos, NULL AS rule, CASE
        WHEN kind < 0 THEN 'the rule set in force is not in the changelog, or not of this program'
        ELSE 'called a duplicate: the first one lies before what is looked at' END AS detail
      FROM raw WHERE kind < 0 OR sure = 0
      UNION ALL
      SELECT 'raw', e.p, e.o, NULL, e.rule, 'the window reaches before what is looked at'
      FROM expected e WHERE e.sure = 0 AND (e.fired = 1) <>
        EXISTS (SELECT 1 FROM alert a WHERE a.p = e.p AND a.o = e.o AND a.rule = e.rule)`,
  },
];
