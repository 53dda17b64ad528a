/** Checks of the tables' rows against the topics' records. Pure. */
import { type Check, versionText } from "./check.ts";
import { AUDITED_TABLES, type AuditedTable } from "./facts.ts";
import { kindOf } from "./partition_judge.ts";

const UNSTORABLE = kindOf("unstorable");

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
      `t.p, t.o, max(u.pos) AS pos, t.rule, 'it has ' || t.rows_there || ' rows and ' || count(u.pos) ||
          ' records' AS detail
        FROM (SELECT ${keyColumns}, ${tbl === 2 ? "" : "NULL AS rule, "}count(*) AS rows_there
          FROM ${rows} GROUP BY ${keyColumns} HAVING count(*) > 1) t
        LEFT JOIN ${records} u ON ${key("t", "u")}
        GROUP BY t.p, t.o, t.rule, t.rows_there HAVING t.rows_there > greatest(1, count(u.pos))`,
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
    {
      ...check("row differs", ""),
      sql: `WITH suspect AS MATERIALIZED (SELECT DISTINCT t.p, t.o, t.rule FROM ${rows} t
          JOIN ${records} u ON ${key("t", "u")} WHERE NOT (${same}))
        SELECT '${table}' AS source, t.p, t.o, max(u.pos) AS pos, t.rule, CASE
          WHEN min(t.id) <> min(u.id) THEN 'its id is not that of its record'
          ELSE ${differenceText(table)} END AS detail
        FROM suspect s JOIN ${rows} t ON ${key("s", "t")} JOIN ${records} u ON ${key("t", "u")}
        WHERE NOT EXISTS (SELECT 1 FROM ${records} v WHERE ${key("v", "t")}
          AND ${same.replaceAll("u.", "v.")}) GROUP BY t.p, t.o, t.rule`,
    },
    {
      ...check("row outside of its snapshot's offsets", ""),
      sql:
        `WITH suspect AS MATERIALIZED (SELECT t.p, t.o, t.rule, u.pos, f.snapshot, f.from_at, f.next_at
          FROM ${rows} t JOIN ${records} u ON ${key("t", "u")}
          JOIN file_range f ON f.tbl = ${tbl} AND f.file = t.file AND f.p = t.p
          WHERE u.pos < f.from_at OR u.pos >= f.next_at)
        SELECT '${table}' AS source, s.p, s.o, s.pos, s.rule, 'its record is at offset ' || s.pos::BIGINT ||
          ', snapshot ' || s.snapshot || ' did not read that' AS detail
        FROM suspect s WHERE NOT EXISTS (SELECT 1 FROM ${records} v WHERE ${key("v", "s")}
          AND v.pos >= s.from_at AND v.pos < s.next_at)`,
    },
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
export const FLAG_OF_ROW_CHECK: Check = {
  name: "wrong is_flagged (row)",
  group: "flags",
  table: "transactions",
  sql: `WITH suspect AS MATERIALIZED (
      SELECT t.p, t.o, t.flagged, r.flagged AS wanted FROM table_row t
        JOIN raw r ON r.p = t.p AND r.o = t.o
        WHERE t.tbl = 0 AND r.kind = 0 AND r.flagged < 2 AND t.flagged <> r.flagged
      UNION ALL
      SELECT t.p, t.o, t.flagged, u.flagged FROM table_row t
        JOIN output u ON u.topic = 0 AND u.p = t.p AND u.o = t.o
        LEFT JOIN raw r ON r.p = t.p AND r.o = t.o AND r.kind = 0 AND r.flagged < 2
        WHERE t.tbl = 0 AND r.p IS NULL AND t.flagged <> u.flagged)
    SELECT DISTINCT 'transactions' AS source, t.p, t.o, NULL AS pos, NULL AS rule,
      'expected is_flagged ' || (t.wanted = 1) || ', its row has ' ||
      CASE t.flagged WHEN -1 THEN 'null' WHEN 1 THEN 'true' ELSE 'false' END AS detail
    FROM suspect t WHERE EXISTS (SELECT 1 FROM output u WHERE u.topic = 0 AND u.p = t.p AND u.o = t.o)`,
};

/** Dead letters of the sink's own. */
export const UNSTORABLE_CHECK: Check = {
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

/** Rows of the three tables. */
export const TABLE_CHECKS: readonly Check[] = SHAPES.flatMap(tableChecks);
