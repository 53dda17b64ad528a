/** pyarrow reads what `--format arrow` and `--format parquet` write, to the last digit. */
import { assertEquals } from "@std/assert";
import { ask, openTestLakehouse, sampleTransactions } from "../../query/testing.ts";
import { runPython } from "../support/python.ts";

const READ = `
import json, sys
import pyarrow as pa, pyarrow.parquet
def plain(value, type):
    if value is None: return None
    if pa.types.is_timestamp(type) or pa.types.is_time(type): return None
    if pa.types.is_list(type): return [plain(one, type.value_type) for one in value]
    if pa.types.is_struct(type): return {f.name: plain(value[f.name], f.type) for f in type}
    if isinstance(value, bytes): return value.hex()
    if isinstance(value, (int, float)) and not isinstance(value, bool): return repr(value)
    return value if isinstance(value, (bool, str)) else str(value)
path = sys.argv[1]
if path.endswith(".arrow"):
    table = pa.ipc.open_stream(path).read_all()
else:
    table = pa.parquet.read_table(path)
table.validate(full=True)
columns = []
for field in table.schema:
    column = table[field.name]
    if pa.types.is_timestamp(field.type) or pa.types.is_time(field.type):
        values = [None if v is None else str(v) for v in column.cast(pa.int64()).to_pylist()]
    else:
        values = [plain(v, field.type) for v in column.to_pylist()]
    columns.append([field.name, str(field.type), values])
print(json.dumps(columns))
`;

type Column = [name: string, type: string, values: unknown[]];

async function readBack(bytes: Uint8Array, ending: string): Promise<Column[]> {
  const path = await Deno.makeTempFile({ suffix: ending });
  try {
    await Deno.writeFile(path, bytes);
    return JSON.parse(await runPython(READ, [path]));
  } finally {
    await Deno.remove(path);
  }
}

/** Expression, its Arrow type, and its value as pyarrow sees it; the second row is all null. */
const VALUES: readonly [sql: string, type: string, value: unknown][] = [
  ["true", "bool", true],
  ["(-128)::TINYINT", "int8", "-128"],
  ["(-32768)::SMALLINT", "int16", "-32768"],
  ["(-2147483648)::INTEGER", "int32", "-2147483648"],
  ["(-9223372036854775808)::BIGINT", "int64", "-9223372036854775808"],
  ["18446744073709551615::UBIGINT", "uint64", "18446744073709551615"],
  ["0.1::FLOAT", "float", "0.10000000149011612"],
  ["0.1::DOUBLE", "double", "0.1"],
  ["99999999999999.9999::DECIMAL(18,4)", "decimal128(18, 4)", "99999999999999.9999"],
  ["(-99999999999999.9999)::DECIMAL(18,4)", "decimal128(18, 4)", "-99999999999999.9999"],
  ["(-0.0001)::DECIMAL(18,4)", "decimal128(18, 4)", "-0.0001"],
  ["1.5::DECIMAL(4,1)", "decimal128(4, 1)", "1.5"],
  [
    "(-9999999999999999999999999999999999.9999)::DECIMAL(38,4)",
    "decimal128(38, 4)",
    "-9999999999999999999999999999999999.9999",
  ],
  [
    "170141183460469231731687303715::HUGEINT",
    "decimal128(38, 0)",
    "170141183460469231731687303715",
  ],
  ["'naïve 日本 😀'", "string", "naïve 日本 😀"],
  ["''", "string", ""],
  ["'\\xFF\\x00'::BLOB", "binary", "ff00"],
  ["DATE '1969-12-31'", "date32[day]", "1969-12-31"],
  ["TIMESTAMPTZ '1969-12-31 23:59:59.999999Z'", "timestamp[us, tz=UTC]", "-1"],
  ["TIMESTAMPTZ '2026-03-01 10:00:00.123456Z'", "timestamp[us, tz=UTC]", "1772359200123456"],
  ["TIMESTAMP '2026-03-01 10:00:00.123456'", "timestamp[us]", "1772359200123456"],
  ["TIME '10:00:00.5'", "time64[us]", "36000500000"],
  ["[1.5, NULL]::DECIMAL(4,1)[]", "list<item: decimal128(4, 1)>", ["1.5", null]],
  ["{'a': 1, 'b': [{'c': 'x'}]}", "struct<a: int32, b: list<item: struct<c: string>>>", {
    a: "1",
    b: [{ c: "x" }],
  }],
  [
    "'11111111-2222-4333-8444-555555555555'::UUID",
    "string",
    "11111111-2222-4333-8444-555555555555",
  ],
];

Deno.test("arrow: pyarrow reads every type exactly, decimals as decimal128 and times in µs", async () => {
  const warehouse = await Deno.makeTempDir({ prefix: "query_arrow_" });
  const lakehouse = await openTestLakehouse({ warehouse });
  try {
    const list = VALUES.map(([sql], index) => `${sql} AS c${index}`).join(", ");
    const sql = `WITH v AS (SELECT ${list}) FROM v UNION ALL SELECT ${
      VALUES.map(() => "NULL").join(", ")
    } FROM v`;
    const { bytes } = await ask(lakehouse, { sql, format: "arrow" });
    const expected = VALUES.map(([, type, value], index) => [`c${index}`, type, [value, null]]);
    assertEquals(await readBack(bytes, ".arrow"), expected as Column[]);
  } finally {
    await lakehouse.close();
    await Deno.remove(warehouse, { recursive: true });
  }
});

Deno.test("arrow and parquet hold the same rows as ndjson, over many batches and over none", async () => {
  const warehouse = await Deno.makeTempDir({ prefix: "query_arrow_" });
  const lakehouse = await openTestLakehouse({ warehouse });
  try {
    const rows = { first: 0, count: 5000, stepSeconds: 60, accounts: 50 };
    await lakehouse.append(
      "transactions",
      sampleTransactions({ ...rows, start: "2026-03-01T00:00:00Z" }),
    );
    for (const where of ["true", "false"]) {
      const sql = `SELECT transaction_id, amount, epoch_us(timestamp) AS us, is_flagged, ` +
        `source_offset, timestamp FROM transactions WHERE ${where} ORDER BY transaction_id`;
      const lines = (await ask(lakehouse, { sql })).rows();
      const arrow = await readBack(
        (await ask(lakehouse, { sql, format: "arrow" })).bytes,
        ".arrow",
      );
      const parquet = await readBack(
        (await ask(lakehouse, { sql, format: "parquet" })).bytes,
        ".parquet",
      );
      assertEquals(
        arrow.map(([name, , values]) => [name, values]),
        parquet.map((
          [name, , values],
        ) => [name, values]),
      );
      for (const [name, , values] of arrow) {
        const same = name === "timestamp" ? "us" : name;
        assertEquals(values, lines.map((line) => line[same]), name);
      }
      assertEquals(arrow.map(([, type]) => type), [
        "string",
        "decimal128(18, 4)",
        "int64",
        "bool",
        "int64",
        "timestamp[us, tz=UTC]",
      ]);
    }
  } finally {
    await lakehouse.close();
    await Deno.remove(warehouse, { recursive: true });
  }
});
