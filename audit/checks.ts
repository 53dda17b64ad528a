/**
 * The checks, each one a question in SQL over a slice of the scratch tables (facts.ts) whose rows are what is
 * wrong. Pure. Each selects source, p, o, pos, rule, detail, and compares only what has the same raw offset.
 */
import { DEAD_LETTER_TYPES } from "../contracts/dead_letter.ts";
import { AUDITED_TABLES, type AuditedTable } from "./facts.ts";
import { kindOf } from "./partition_judge.ts";
import { quoteText } from "./scratch.ts";

/** Columns of the printed table that findings are counted in. */
export const FINDING_GROUPS = [
  "missing",
  "doubled",
  "stray",
  "misjudged",
  "flags",
  "tables",
  "unverifiable",
] as const;

/** One of {@linkcode FINDING_GROUPS}. */
export type FindingGroup = typeof FINDING_GROUPS[number];

/** A check. */
export interface Check {
  /** Names the kind of offence. */
  name: string;
  group: FindingGroup;
  sql: string;
  /** The table whose rows are looked at: other writers may have changed them. */
  table?: AuditedTable;
}

const UNSTORABLE = kindOf("unstorable");

const versionText = (column: string): string =>
  `CASE WHEN ${column} < 0 THEN 'none' ELSE lpad(printf('%x', ${column}::BIGINT), 12, '0') END`;

const KINDS = ["a transaction", ...DEAD_LETTER_TYPES.map((type) => `a dead letter (${type})`)]
  .map(quoteText).join(", ");
const kindText = (column: string): string =>
  `coalesce([${KINDS}][${column} + 1], 'none of the kinds')`;

const role = (topic: string): string =>
  `CASE ${topic} WHEN 0 THEN 'transactions' ELSE 'deadLetter' END`;

/** A raw record and the record that came of it. */
const JUDGED = "raw r JOIN output u ON u.p = r.p AND u.o = r.o";

/** Every record of the outputs. */
const RECORDS = `(SELECT ${role("topic")} AS source, p, pos, o FROM output
  UNION ALL SELECT 'alerts', p, pos, o FROM alert)`;

// ---- Topics against the raw log ------------------------------------------------------------------------

const TOPIC_CHECKS: readonly Check[] = [
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
    sql: `SELECT ${role("max(u.topic)")} AS source, u.p, u.o, max(u.pos) AS pos, NULL AS rule,
        'it has ' || count(*) || ' records: ' || string_agg(
          ${role("u.topic")} || ' offset ' || u.pos::BIGINT, ', ' ORDER BY u.topic, u.pos) AS detail
      FROM output u JOIN cut c USING (p) WHERE u.o >= c.start AND u.o < c.position
      GROUP BY u.p, u.o HAVING count(*) > 1`,
  },
  {
    name: "alert doubled",
    group: "doubled",
    sql: `SELECT 'alerts' AS source, a.p, a.o, max(a.pos) AS pos, a.rule,
        'it has ' || count(*) || ' records, at offsets ' ||
          string_agg(a.pos::BIGINT::VARCHAR, ', ' ORDER BY a.pos) AS detail
      FROM alert a JOIN cut c USING (p) WHERE a.o >= c.start AND a.o < c.position
      GROUP BY a.p, a.o, a.rule HAVING count(*) > 1`,
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

// ---- Tables against topics -----------------------------------------------------------------------------

interface TableShape {
  table: AuditedTable;
  /** Its records in the scratch tables. */
  records: string;
  /** Equal in a record and its row. */
  key: (a: string, b: string) => string;
  keyColumns: string;
  first: string;
  next: string;
  /** What a row repeats of its record, besides the key. */
  same: string;
  /** Selects what stands for record `u` in dead_letters if it could not be stored. */
  unstorable: string;
}

const SAME_ROW = "(u.row_bits < 0 OR t.row_bits = u.row_bits) AND t.id = u.id";
const rawKey = (a: string, b: string): string => `${a}.p = ${b}.p AND ${a}.o = ${b}.o`;

const UNSTORABLE_ROW = `SELECT 1 FROM table_row d WHERE d.tbl = 1 AND d.kind = ${UNSTORABLE}
  AND d.p = u.p AND d.o = u.o`;

const SHAPES: readonly TableShape[] = [
  {
    table: "transactions",
    records: "(SELECT *, NULL AS rule FROM output WHERE topic = 0)",
    key: rawKey,
    keyColumns: "p, o",
    first: "transactions_first",
    next: "transactions_next",
    same: `${SAME_ROW} AND t.version = u.version`,
    unstorable: UNSTORABLE_ROW,
  },
  {
    table: "dead_letters",
    records: "(SELECT *, NULL AS rule FROM output WHERE topic = 1)",
    key: rawKey,
    keyColumns: "p, o",
    first: "dead_letters_first",
    next: "dead_letters_next",
    same: `${SAME_ROW} AND t.kind = u.kind`,
    unstorable: UNSTORABLE_ROW,
  },
  {
    table: "alerts",
    records: "alert",
    key: (a, b) => `${rawKey(a, b)} AND ${a}.rule = ${b}.rule`,
    keyColumns: "p, o, rule",
    first: "alerts_first",
    next: "alerts_next",
    same: `${SAME_ROW} AND t.version = u.version AND t.severity = u.severity`,
    unstorable: "SELECT 1 FROM unstorable_alert d WHERE d.p = u.p AND d.pos = u.pos",
  },
];

function tableChecks(shape: TableShape): Check[] {
  const { table, records, key, keyColumns, first, next, same, unstorable } = shape;
  const tbl = AUDITED_TABLES.indexOf(table);
  // Rows that stand for unstorable records are looked at apart.
  const rows = `(SELECT * FROM table_row WHERE tbl = ${tbl} AND p IS NOT NULL AND o IS NOT NULL${
    tbl === 1 ? ` AND kind <> ${UNSTORABLE}` : ""
  })`;
  const check = (name: string, sql: string): Check => ({
    name: `${name} (${table})`,
    group: "tables",
    table,
    sql: `SELECT '${table}' AS source, ${sql}`,
  });
  return [
    check(
      "row missing",
      `u.p, u.o, u.pos, u.rule, 'its record is at offset ' || u.pos::BIGINT || ', the table has read up to '
          || c.${next}::BIGINT AS detail
        FROM ${records} u JOIN cut c USING (p) WHERE u.o >= c.start AND u.pos < c.${next}
        AND NOT EXISTS (SELECT 1 FROM ${rows} t WHERE ${
        key("t", "u")
      }) AND NOT EXISTS (${unstorable})`,
    ),
    check(
      "row doubled",
      `t.*, u.pos, 'it has ' || t.rows_there || ' rows and ' || coalesce(u.records_there, 0) || ' records'
          AS detail
        FROM (SELECT ${keyColumns}, ${tbl === 2 ? "" : "NULL AS rule, "}count(*) AS rows_there
          FROM ${rows} GROUP BY ${keyColumns}) t
        LEFT JOIN (SELECT ${keyColumns}, count(*) AS records_there, max(pos) AS pos
          FROM ${records} GROUP BY ${keyColumns}) u ON ${key("t", "u")}
        WHERE t.rows_there > greatest(1, coalesce(u.records_there, 0))`
        .replace("t.*, u.pos", "t.p, t.o, u.pos, t.rule"),
    ),
    check(
      "row without a record",
      `t.p, t.o, NULL AS pos, t.rule, 'no record of the topic has its lineage' AS detail
        FROM ${rows} t LEFT JOIN cut c USING (p)
        WHERE (c.p IS NULL OR (t.o >= c.start AND t.o >= c.${first}))
        AND NOT EXISTS (SELECT 1 FROM ${records} u WHERE ${key("t", "u")})`,
    ),
    check(
      "row ahead of the offsets",
      `u.p, u.o, u.pos, u.rule, 'its record is at offset ' || u.pos::BIGINT ||
          ', the newest snapshot says it read up to ' || c.${next}::BIGINT AS detail
        FROM ${records} u JOIN cut c USING (p) JOIN ${rows} t ON ${key("t", "u")}
        WHERE u.pos >= c.${next} AND NOT EXISTS (SELECT 1 FROM ${records} v
          WHERE ${key("v", "u")} AND v.pos < c.${next})`,
    ),
    check(
      "row differs",
      `t.p, t.o, max(u.pos) AS pos, t.rule, CASE
          WHEN min(t.id) <> min(u.id) THEN 'its id is not that of its record'
          ELSE ${differenceText(table)} END AS detail
        FROM ${rows} t JOIN ${records} u ON ${key("t", "u")}
        WHERE NOT EXISTS (SELECT 1 FROM ${records} v WHERE ${key("v", "t")}
          AND ${same.replaceAll("u.", "v.")}) GROUP BY t.p, t.o, t.rule`,
    ),
    check(
      "row outside of its snapshot's offsets",
      `t.p, t.o, u.pos, t.rule, 'its record is at offset ' || u.pos::BIGINT || ', snapshot ' || f.snapshot ||
          ' did not read that' AS detail
        FROM ${rows} t JOIN table_file f ON f.tbl = t.tbl AND f.file = t.file
        JOIN ${records} u ON ${key("t", "u")}
        WHERE EXISTS (SELECT 1 FROM consumed g WHERE g.tbl = t.tbl AND g.snapshot = f.snapshot)
        AND NOT EXISTS (SELECT 1 FROM consumed g JOIN ${records} v ON ${key("v", "t")}
          WHERE g.tbl = t.tbl AND g.snapshot = f.snapshot AND g.p = v.p
          AND v.pos >= g.from_at AND v.pos < g.next_at)`,
    ),
  ];
}

/** What is different, of a row and its record. */
function differenceText(table: AuditedTable): string {
  const version = `WHEN min(t.version) <> min(u.version) THEN 'rules_version ' ||
    ${versionText("min(t.version)")} || ', its record has ' || ${versionText("min(u.version)")}`;
  switch (table) {
    case "transactions":
      return `CASE ${version} ELSE 'its values are not those of its record' END`;
    case "alerts":
      return `CASE ${version} WHEN min(t.severity) <> min(u.severity) THEN 'severity ' ||
        min(t.severity) || ', its record has ' || min(u.severity)
        ELSE 'its values are not those of its record' END`;
    case "dead_letters":
      return "'its values are not those of its record'";
  }
}

/** By what is expected of the raw record; where that is not known, by the topic's record. */
const FLAG_OF_ROW_CHECK: Check = {
  name: "wrong is_flagged (row)",
  group: "flags",
  table: "transactions",
  sql:
    `SELECT 'transactions' AS source, t.p, t.o, NULL AS pos, NULL AS rule, 'expected is_flagged ' ||
      (t.wanted = 1) || ', its row has ' || CASE t.flagged WHEN -1 THEN 'null' WHEN 1 THEN 'true'
      ELSE 'false' END AS detail
    FROM (SELECT t.p, t.o, t.flagged, CASE WHEN any_value(r.flagged) < 2 THEN any_value(r.flagged)
        ELSE min(u.flagged) END AS wanted
      FROM table_row t JOIN output u ON u.topic = 0 AND u.p = t.p AND u.o = t.o
      LEFT JOIN raw r ON r.p = t.p AND r.o = t.o AND r.kind = 0
      WHERE t.tbl = 0 GROUP BY t.p, t.o, t.flagged) t
    WHERE t.flagged <> t.wanted`,
};

const UNSTORABLE_CHECK: Check = {
  name: "unstorable without a record",
  group: "tables",
  table: "dead_letters",
  sql: `SELECT 'dead_letters' AS source, d.p, d.o, NULL AS pos, NULL AS rule,
      'no record of a topic stands behind it, or it was stored as well' AS detail
    FROM table_row d JOIN cut c USING (p) WHERE d.tbl = 1 AND d.kind = ${UNSTORABLE}
      AND d.o >= c.start AND d.o >= greatest(c.transactions_first, c.dead_letters_first)
      AND (NOT EXISTS (SELECT 1 FROM output u WHERE u.p = d.p AND u.o = d.o)
        OR EXISTS (SELECT 1 FROM table_row t WHERE t.tbl IN (0, 1) AND t.p = d.p AND t.o = d.o
          AND NOT (t.tbl = 1 AND t.kind = ${UNSTORABLE})))`,
};

/** Every check; its place is `check_id` in `finding`. */
export const CHECKS: readonly Check[] = [
  ...TOPIC_CHECKS,
  ...SHAPES.flatMap(tableChecks),
  FLAG_OF_ROW_CHECK,
  UNSTORABLE_CHECK,
];
