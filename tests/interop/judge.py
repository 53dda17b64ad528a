"""Two independent readers, PyIceberg and DuckDB's iceberg extension, and one independent writer (PyIceberg).

Usage: judge.py CATALOG. Reads one JSON document per line, {"command": …, "arguments": {…}}, and answers each with one:
{"result": …} or {"error": …}.
"""

import datetime
import decimal
import functools
import glob
import json
import os
import sys
import traceback
import uuid

import duckdb
import duckdb_extension_avro
import duckdb_extension_httpfs
import duckdb_extension_iceberg
import pyarrow as pa
import pyarrow.parquet
from pyiceberg.catalog.rest import RestCatalog
from pyiceberg.types import StringType


def text(value):
    """One spelling per value, whatever the reader's types."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (decimal.Decimal, int, str, uuid.UUID)):
        return str(value)
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, datetime.datetime):
        zone = "Z" if value.tzinfo else ""
        if value.tzinfo:
            value = value.astimezone(datetime.timezone.utc)
        return value.strftime("%Y-%m-%dT%H:%M:%S.%f") + zone
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, datetime.time):
        return value.strftime("%H:%M:%S.%f")
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return "{" + ",".join(f"{k}:{text(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        if value and isinstance(value[0], tuple):
            return "{" + ",".join(f"{text(k)}=>{text(v)}" for k, v in value) + "}"
        return "[" + ",".join(text(item) for item in value) + "]"
    raise TypeError(f"Cannot print a {type(value)}")


def texts(table):
    """Rows as lists of texts, sorted; bytes of 16 stand for a UUID where Arrow has no type for it."""
    columns = []
    for field, column in zip(table.schema, table.columns):
        values = column.to_pylist()
        if field.type == pa.uuid() or field.type == pa.binary(16):
            values = [v if v is None or isinstance(v, uuid.UUID) else uuid.UUID(bytes=v) for v in values]
        columns.append([text(v) for v in values])
    return sorted(list(row) for row in zip(*columns)) if columns else []


@functools.cache
def duck():
    con = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    con.execute("SET TimeZone = 'UTC'")
    modules = {
        "httpfs": duckdb_extension_httpfs,
        "avro": duckdb_extension_avro,
        "iceberg": duckdb_extension_iceberg,
    }
    for name, module in modules.items():
        pattern = os.path.join(os.path.dirname(module.__file__), "extensions", "*", f"{name}.duckdb_extension")
        con.execute(f"LOAD '{glob.glob(pattern)[0]}'")
    return con


def read(catalog, table, snapshot=None, filter="true", sql="true"):
    """Rows by both readers. Iceberg's and SQL's filter are the same question in two languages."""
    loaded = catalog.load_table(table)
    arguments = {} if snapshot is None else {"snapshot_id": int(snapshot)}
    iceberg = loaded.scan(row_filter=filter, **arguments).to_arrow()
    at = "" if snapshot is None else f", snapshot_from_id = {snapshot}"
    duckdb_rows = duck().execute(
        f"SELECT * FROM iceberg_scan('{loaded.metadata_location}'{at}) WHERE {sql}"
    ).to_arrow_table()
    unfiltered = loaded.scan(**arguments).to_arrow() if filter != "true" else iceberg
    return {
        "columns": iceberg.schema.names,
        "pyiceberg": texts(iceberg),
        "duckdb": texts(duckdb_rows),
        "total": unfiltered.num_rows,
    }


def count(catalog, table, snapshot=None, ref=None):
    """Number of rows by both readers."""
    loaded = catalog.load_table(table)
    if ref is not None:
        snapshot = loaded.snapshot_by_name(ref).snapshot_id
    arguments = {} if snapshot is None else {"snapshot_id": int(snapshot)}
    at = "" if snapshot is None else f", snapshot_from_id = {snapshot}"
    rows = duck().execute(f"SELECT count(*) FROM iceberg_scan('{loaded.metadata_location}'{at})").fetchone()[0]
    return {"pyiceberg": loaded.scan(**arguments).to_arrow().num_rows, "duckdb": rows}


def read_duckdb(catalog, table):
    """Rows by DuckDB alone: PyIceberg does not read equality deletes."""
    location = catalog.load_table(table).metadata_location
    return {"rows": texts(duck().execute(f"SELECT * FROM iceberg_scan('{location}')").to_arrow_table())}


def files(catalog, table):
    """Files as PyIceberg reads the manifests, with bounds decoded by it, and the true ones by reading."""
    loaded = catalog.load_table(table)
    found = []
    for row in loaded.inspect.files().to_pylist():
        data = pa.parquet.read_table(row["file_path"]) if row["content"] == 0 else None
        columns = {}
        for name, metrics in row["readable_metrics"].items():
            if data is None or name not in data.schema.names or pa.types.is_nested(data.schema.field(name).type):
                continue
            column = data[name]
            entry = {
                "lower": text(metrics["lower_bound"]),
                "upper": text(metrics["upper_bound"]),
                "nulls": metrics["null_value_count"],
                "values": metrics["value_count"],
                "true_nulls": column.null_count,
                "true_values": len(column),
            }
            kept = [v for v in column.to_pylist() if v is not None and v == v]
            entry["true_min"] = text(min(kept)) if kept else "null"
            entry["true_max"] = text(max(kept)) if kept else "null"
            columns[name] = entry
        found.append(
            {
                "path": row["file_path"],
                "records": row["record_count"],
                "size": row["file_size_in_bytes"],
                "true_size": os.path.getsize(row["file_path"].removeprefix("file:")),
                "partition": {k: text(v) for k, v in (row["partition"] or {}).items()},
                "columns": columns,
            }
        )
    return found


def change(catalog, table):
    """What another team's job does to the table: append, delete, overwrite, a new column."""
    loaded = catalog.load_table(table)
    schema = loaded.schema().as_arrow()
    at = datetime.datetime(2026, 11, 23, 10, tzinfo=datetime.timezone.utc)

    def rows(ids, **more):
        data = [{"id": i, "at": at, "name": f"theirs {i}", **more} for i in ids]
        return pa.Table.from_pylist(data, schema=schema)

    loaded.append(rows([100, 101, 102]))
    loaded.delete("id == 1")
    loaded.overwrite(rows([200]), overwrite_filter="id == 100")
    with loaded.update_schema() as update:
        update.add_column("device_id", StringType())
    schema = loaded.refresh().schema().as_arrow()
    loaded.append(rows([300], device_id="d-300"))
    return {"snapshots": [str(s.snapshot_id) for s in loaded.refresh().snapshots()]}


def change_duckdb(catalog, table):
    """DuckDB as a writer through the REST catalog: it deletes by position delete files."""
    con = duck()
    con.execute(f"ATTACH '' AS lake (TYPE iceberg, ENDPOINT '{sys.argv[1]}', AUTHORIZATION_TYPE 'none')")
    con.execute(f"DELETE FROM lake.{table} WHERE id IN (1, 2)")
    con.execute(f"INSERT INTO lake.{table} VALUES (500, TIMESTAMPTZ '2026-11-21 05:00:00+00', 'duck')")
    con.execute("DETACH lake")
    return {"snapshots": [str(s.snapshot_id) for s in catalog.load_table(table).snapshots()]}


def main():
    catalog = RestCatalog("judge", uri=sys.argv[1])
    commands = {
        "read": read,
        "count": count,
        "duckdb": read_duckdb,
        "files": files,
        "change": change,
        "change_duckdb": change_duckdb,
    }
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"result": commands[request["command"]](catalog, **request["arguments"])}
        except Exception:
            answer = {"error": traceback.format_exc()}
        print(json.dumps(answer), flush=True)


main()
