/** The text of `deno task query --help`. */
export const QUERY_HELP = `deno task query [what] [filters] [how]

What
  --table NAME            transactions (default), alerts, dead_letters, pipeline_sessions
  --columns a,b           only these columns
  --order-by c:desc,…     newest first by default
  --limit N               rows at most; 50 for a table on a terminal, otherwise all
  --join-alerts           transactions with their alerts beside them
  --sql "SELECT …"        any read-only DuckDB SQL over the tables; --file q.sql reads it from a file

Filters (all must hold)
  --date-range A [B]      a day, two days (inclusive, UTC), today, yesterday; or times (half-open),
                          -24h, -7d; also A..B
  --account-id X[,Y]      --merchant-category C[,D]      --min-amount N      --flagged
  --rule R[,S]            --severity S[,T]      (on transactions with --join-alerts)

Which state
  --as-of-timestamp T     the newest kept snapshot not after T
  --snapshot ID           that snapshot
  --tag NAME              that tag or branch

How
  --format F              table, vertical, json, ndjson, csv, tsv, markdown
  -o, --output FILE       there instead of standard output
  --mask-accounts         account ids as SHA-256 salted with PIPELINE_MASK_SALT
  --explain               the SQL, the files and DuckDB's plan instead of the answer
  --stats                 what was planned and skipped, on standard error
  --no-color              (also NO_COLOR)

Examples
  deno task query --table transactions --limit 5
  deno task query --table alerts --severity high --date-range today
  deno task query --account-id ACC1234567 --date-range -7d --join-alerts --format vertical
  deno task query --sql "SELECT merchant_category, sum(amount) FROM transactions GROUP BY ALL"

Exit codes: 0 fine, 1 the query failed, 2 misuse, 3 catalog or storage unreachable.`;

/** The flags, as tasks parse them. */
export const QUERY_FLAGS = {
  boolean: ["join-alerts", "flagged", "explain", "stats", "mask-accounts", "color"],
  string: [
    "table",
    "columns",
    "order-by",
    "limit",
    "date-range",
    "account-id",
    "merchant-category",
    "min-amount",
    "rule",
    "severity",
    "as-of-timestamp",
    "snapshot",
    "tag",
    "sql",
    "file",
    "format",
    "output",
  ],
  alias: { o: "output" },
};
