/** The text of `deno task query --help`. */
export const QUERY_HELP = `deno task query [what] [filters] [which state] [how]

What
  --table NAME            transactions (default), alerts, dead_letters, pipeline_sessions
  --columns a,b           only these columns
  --order-by c:desc,…     newest first by default
  --limit N               rows at most; 50 for a table on a terminal, otherwise all
  --join-alerts           transactions with their alerts beside them, one row per alert
  --sql "SELECT …"        any read-only DuckDB SQL over the tables; also
                          FROM transactions AT (TIMESTAMP => '2026-03-01 10:00:00') or AT (VERSION => ID)
  --file q.sql            SQL from a file
  --interactive           a prompt for SQL (also without arguments on a terminal)

Filters (all must hold)
  --date-range A [B]      a day, two days (inclusive, UTC), today, yesterday; or times (half-open),
                          -24h, -7d; also A..B
  --account-id X[,Y]      --merchant-category C[,D]      --min-amount N      --flagged
  --rule R[,S]            --severity S[,T]      (on transactions with --join-alerts)

Which state
  --as-of-timestamp T     the newest kept snapshot not after T (a time, or so long ago: -1h)
  --snapshot ID           that snapshot
  --tag NAME              that tag or branch

How
  --format F              table (default), vertical, json, ndjson, csv, tsv, markdown, parquet, arrow
  -o, --output FILE       there instead of standard output
  --mask-accounts         account ids as SHA-256 salted with PIPELINE_MASK_SALT
  --explain               the SQL, the files and DuckDB's plan instead of the answer
  --stats                 what was read, skipped and why, on standard error
  --color WHEN            auto (default; NO_COLOR is honoured), always, never; --no-color
  --no-pager              long tables on a terminal without a pager (PAGER)
  --completions SHELL     completions for bash, zsh or fish

Examples
  deno task query --limit 5
  deno task query --table alerts --severity high --date-range today
  deno task query --account-id ACC1234567 --date-range -7d --join-alerts --format vertical
  deno task query --sql "SELECT merchant_category, sum(amount) FROM transactions GROUP BY ALL"
  deno task query --date-range today --format parquet -o today.parquet
  deno task query --as-of-timestamp -1h --table alerts --limit 10

Exit codes: 0 fine, 1 the query failed, 2 misuse, 3 catalog or storage unreachable, 130 interrupted.`;
