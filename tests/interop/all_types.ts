/** Every type that v2 and DuckDB share, with rows at the edges; the expected texts are judge.py's spelling. */
import type { Type } from "../../iceberg/types.ts";

/** Columns; ids are the catalog's. */
export const ALL_TYPES_COLUMNS: Readonly<Record<string, Type>> = {
  boolean: "boolean",
  int: "int",
  long: "long",
  float: "float",
  double: "double",
  small_decimal: "decimal(9, 2)",
  money: "decimal(18, 4)",
  big_decimal: "decimal(38, 10)",
  date: "date",
  time: "time",
  timestamp: "timestamp",
  timestamptz: "timestamptz",
  string: "string",
  uuid: "uuid",
  binary: "binary",
  struct: {
    type: "struct",
    fields: [
      { id: 116, name: "a", required: false, type: "int" },
      { id: 117, name: "b", required: false, type: "string" },
    ],
  },
  list: { type: "list", "element-id": 118, "element-required": false, element: "string" },
  map: {
    type: "map",
    "key-id": 119,
    key: "string",
    "value-id": 120,
    "value-required": false,
    value: "long",
  },
};

/** A row as SQL literals, and as the judges must print it. */
const ROWS: readonly (readonly (readonly [string, string])[])[] = [
  [
    ["false", "false"],
    ["-2147483648", "-2147483648"],
    ["-9223372036854775808", "-9223372036854775808"],
    ["-1.5", "-1.5"],
    ["-1e300", "-1e+300"],
    ["-9999999.99", "-9999999.99"],
    ["-99999999999.9999", "-99999999999.9999"],
    ["-1234567890123456789012345678.0123456789", "-1234567890123456789012345678.0123456789"],
    ["DATE '1969-12-31'", "1969-12-31"],
    ["TIME '00:00:00'", "00:00:00.000000"],
    ["TIMESTAMP '1969-12-31 23:59:59.999999'", "1969-12-31T23:59:59.999999"],
    ["TIMESTAMPTZ '1969-12-31 23:59:59.999999+00'", "1969-12-31T23:59:59.999999Z"],
    ["''", ""],
    ["UUID '00000000-0000-4000-8000-000000000001'", "00000000-0000-4000-8000-000000000001"],
    ["'\\x00'::BLOB", "00"],
    ["{'a': 1, 'b': 'x'}", "{a:1,b:x}"],
    ["['p', NULL, 'q']", "[p,null,q]"],
    ["MAP {'k': 1::BIGINT, 'l': NULL}", "{k=>1,l=>null}"],
  ],
  [
    ["true", "true"],
    ["2147483647", "2147483647"],
    ["9223372036854775807", "9223372036854775807"],
    ["0.1", "0.10000000149011612"],
    ["0.1", "0.1"],
    ["9999999.99", "9999999.99"],
    ["99999999999.9999", "99999999999.9999"],
    ["1234567890123456789012345678.0123456789", "1234567890123456789012345678.0123456789"],
    ["DATE '2026-11-21'", "2026-11-21"],
    ["TIME '23:59:59.999999'", "23:59:59.999999"],
    ["TIMESTAMP '2026-11-21 08:00:00.5'", "2026-11-21T08:00:00.500000"],
    ["TIMESTAMPTZ '2026-11-21 08:00:00.5+00'", "2026-11-21T08:00:00.500000Z"],
    ["'longer than sixteen characters: 猫😀'", "longer than sixteen characters: 猫😀"],
    ["UUID 'ffffffff-ffff-4fff-bfff-ffffffffffff'", "ffffffff-ffff-4fff-bfff-ffffffffffff"],
    ["'\\xFF\\xFE'::BLOB", "fffe"],
    ["{'a': NULL, 'b': NULL}", "{a:null,b:null}"],
    ["[]", "[]"],
    ["MAP {'z': 9::BIGINT}", "{z=>9}"],
  ],
  Object.keys(ALL_TYPES_COLUMNS).map(() => ["NULL", "null"] as const),
];

const SQL_TYPES = [
  "BOOLEAN",
  "INTEGER",
  "BIGINT",
  "FLOAT",
  "DOUBLE",
  "DECIMAL(9, 2)",
  "DECIMAL(18, 4)",
  "DECIMAL(38, 10)",
  "DATE",
  "TIME",
  "TIMESTAMP",
  "TIMESTAMPTZ",
  "VARCHAR",
  "UUID",
  "BLOB",
  "STRUCT(a INTEGER, b VARCHAR)",
  "VARCHAR[]",
  "MAP(VARCHAR, BIGINT)",
];

/** The rows as a query. */
export const ALL_TYPES_SQL = ROWS.map((row) => {
  const values = row.map(([sql], index) =>
    `(${sql})::${SQL_TYPES[index]} AS "${Object.keys(ALL_TYPES_COLUMNS)[index]}"`
  );
  return `SELECT ${values.join(", ")}`;
}).join(" UNION ALL ");

/** The rows as the judges must print them. */
export const ALL_TYPES_ROWS = ROWS.map((row) => row.map(([, text]) => text));
