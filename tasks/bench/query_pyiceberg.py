"""PyIceberg as a contender of `deno task bench query`: scan to Arrow, then Arrow's own operators.

Usage: query_pyiceberg.py CATALOG QUESTION [RUNS]. Without runs the answer is printed as JSON lines; with them, the
milliseconds of each run.
"""

import datetime
import json
import sys
import time

import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.catalog.rest import RestCatalog


def scan(table, question, **options):
    if "filter" in question:
        options["row_filter"] = question["filter"]
    if "snapshot" in question:
        options["snapshot_id"] = int(question["snapshot"])
    return table.scan(**options)


def newest_of(rows, count):
    return rows.sort_by([("timestamp", "descending")]).slice(0, int(count))


def answer(catalog, question, table):
    match question["ask"]:
        case "any":
            return scan(table, question, limit=question["rows"]).to_arrow()
        case "newest":
            return newest_of(scan(table, question).to_arrow(), question["rows"])
        case "joined":
            alerts = catalog.load_table("finance.alerts").scan(
                row_filter=question["alerts"],
                selected_fields=(
                    "transaction_id",
                    "source_partition",
                    "source_offset",
                    "alert_id",
                    "rule_name",
                    "severity",
                    "alert_timestamp",
                    "description",
                ),
            )
            keys = ["transaction_id", "source_partition", "source_offset"]
            rows = scan(table, question).to_arrow().join(alerts.to_arrow(), keys)
            return newest_of(rows, question["rows"])
        case "daily":
            fields = ("partition_date", "merchant_category", "amount")
            rows = scan(table, question, selected_fields=fields).to_arrow()
            keys = ["partition_date", "merchant_category"]
            totals = rows.group_by(keys).aggregate([([], "count_all"), ("amount", "sum")])
            return totals.sort_by([(key, "ascending") for key in keys])
        case "totals":
            rows = scan(table, question, selected_fields=("amount",)).to_arrow()
            return pa.table({"n": [rows.num_rows], "total": [pc.sum(rows["amount"]).as_py()]})


def planned(table, question):
    return len(list(scan(table, question).plan_files()))


def plain(value):
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    return str(value)


def main():
    catalog = RestCatalog("bench", uri=sys.argv[1])
    question = json.loads(sys.argv[2])
    if len(sys.argv) == 3:
        rows = answer(catalog, question, catalog.load_table("finance.transactions"))
        for row in rows.to_pylist():
            print(json.dumps(row, default=plain))
        return
    total, plan = [], []
    until = time.perf_counter() + float(sys.argv[4]) / 1000
    while len(total) < int(sys.argv[3]) or time.perf_counter() < until:
        started = time.perf_counter()
        rows = answer(catalog, question, catalog.load_table("finance.transactions"))
        for row in rows.to_pylist():
            json.dumps(row, default=plain)
        total.append((time.perf_counter() - started) * 1000)
        table = catalog.load_table("finance.transactions")
        started = time.perf_counter()
        planned(table, question)
        plan.append((time.perf_counter() - started) * 1000)
    print(json.dumps({"total": total, "plan": plan}))


main()
