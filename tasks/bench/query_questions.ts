/** The questions of `deno task bench query`, as each contender is asked them. */
import { dayOf, shapeOf } from "./query_tables.ts";

/** A question in three languages; their answers have equally many rows. */
export interface BenchQuestion {
  name: string;
  /** Words after `deno task query`. */
  ours: string[];
  /** SQL for DuckDB; tables are `lake.finance.…`. */
  duckDb: string;
  /** For query_pyiceberg.py: which of its functions, and its arguments. */
  pyIceberg: Record<string, string | number>;
}

const TRANSACTIONS = "lake.finance.transactions";
const ALERTS = "lake.finance.alerts";

/** What a terminal shows of an answer unless said otherwise. */
const SHOWN = 50;

function between(column: string, from: string, to: string): string {
  return `${column} >= '${from}T00:00:00+00:00' AND ${column} < '${to}T00:00:00+00:00'`;
}

function daily(table: string): string {
  return "SELECT partition_date, merchant_category, count(*) AS n, sum(amount) AS total " +
    `FROM ${table} GROUP BY ALL ORDER BY ALL`;
}

/** Everything, at a time of the past. */
function past(table: string, iso: string): string {
  const time = iso.replace("T", " ").replace("Z", "");
  return "SELECT count(*) AS n, sum(amount) AS total " +
    `FROM ${table} AT (TIMESTAMP => TIMESTAMP '${time}')`;
}

function ofDay(rows: number): BenchQuestion[] {
  const [day, next] = [dayOf(4), dayOf(5)];
  const where = between("timestamp", day, next);
  const all = `SELECT * FROM ${TRANSACTIONS} WHERE ${where} ORDER BY timestamp DESC`;
  const { days } = shapeOf(rows);
  return [
    {
      name: "one day",
      ours: ["--date-range", day, "--limit", String(SHOWN)],
      duckDb: `${all} LIMIT ${SHOWN}`,
      pyIceberg: { ask: "newest", filter: where, rows: SHOWN },
    },
    {
      name: `one day, all ${rows / days / 1000}k rows`,
      ours: ["--date-range", day],
      duckDb: all,
      pyIceberg: { ask: "newest", filter: where, rows: rows / days },
    },
  ];
}

function joined(): BenchQuestion {
  const [first, last, next] = [dayOf(1), dayOf(7), dayOf(8)];
  return {
    name: "a week with its alerts",
    ours: ["--join-alerts", "--date-range", `${first}..${last}`, "--limit", String(SHOWN)],
    duckDb: `SELECT t.*, a.alert_id, a.rule_name, a.severity, a.alert_timestamp, a.description
      FROM ${TRANSACTIONS} AS t LEFT JOIN ${ALERTS} AS a ON t.transaction_id = a.transaction_id
        AND t.source_partition = a.source_partition AND t.source_offset = a.source_offset
        AND ${between("a.transaction_timestamp", first, next)}
      WHERE ${between("t.timestamp", first, next)} ORDER BY t.timestamp DESC LIMIT ${SHOWN}`,
    pyIceberg: {
      ask: "joined",
      filter: between("timestamp", first, next),
      alerts: between("transaction_timestamp", first, next),
      rows: SHOWN,
    },
  };
}

/** All questions; `pastIso` is a time between two snapshots, `snapshot` the one that it finds. */
export function benchQuestions(
  rows: number,
  { pastIso, snapshot }: { pastIso: string; snapshot: string },
): BenchQuestion[] {
  const account = "ACC1003003";
  return [
    {
      name: "newest 10",
      ours: ["--limit", "10"],
      duckDb: `SELECT * FROM ${TRANSACTIONS} ORDER BY timestamp DESC LIMIT 10`,
      // PyIceberg cannot sort: it is asked for any ten, which is the lighter question.
      pyIceberg: { ask: "any", rows: 10 },
    },
    ...ofDay(rows),
    {
      name: "one account",
      ours: ["--account-id", account],
      duckDb:
        `SELECT * FROM ${TRANSACTIONS} WHERE account_id = '${account}' ORDER BY timestamp DESC`,
      pyIceberg: { ask: "newest", filter: `account_id = '${account}'`, rows },
    },
    joined(),
    {
      name: "daily totals",
      ours: ["--sql", daily("transactions")],
      duckDb: daily(TRANSACTIONS),
      pyIceberg: { ask: "daily" },
    },
    {
      name: "totals of the past",
      ours: ["--sql", past("transactions", pastIso)],
      duckDb: past(TRANSACTIONS, pastIso),
      pyIceberg: { ask: "totals", snapshot },
    },
  ];
}
