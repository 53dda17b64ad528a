/** Every transform with rows on both sides of its edges, and filters whose answers are worked out by hand. */
import type { PrimitiveType, Value } from "../../iceberg/types.ts";

/** One transform of one type. A row's id is its place in `values`. */
export interface TransformCase {
  transform: string;
  type: PrimitiveType;
  values: readonly { sql: string; value: Value | null }[];
  /** PyIceberg's filter, SQL's, and the ids that pass. */
  filters: readonly { filter: string; sql: string; ids: readonly number[] }[];
  /** Why DuckDB's answer to a filter on this partition cannot be asked for. */
  duckdbFault?: string;
}

const NULL = { sql: "NULL", value: null };

/** The same filter text in both languages. */
const both = (filter: string, ids: readonly number[]) => ({ filter, sql: filter, ids });

function timestamps(...texts: string[]): TransformCase["values"] {
  const values = texts.map((text) => ({
    sql: `TIMESTAMPTZ '${text.replace("T", " ").replace("Z", "+00")}'`,
    value: BigInt(Date.parse(text)) * 1000n,
  }));
  return [...values, { ...NULL, sql: "NULL::TIMESTAMPTZ" }];
}

const strings = (...texts: string[]): TransformCase["values"] => [
  ...texts.map((text) => ({ sql: `'${text}'`, value: text })),
  { ...NULL, sql: "NULL::VARCHAR" },
];

const longs = (...numbers: number[]): TransformCase["values"] => [
  ...numbers.map((number) => ({ sql: `${number}::BIGINT`, value: BigInt(number) })),
  { ...NULL, sql: "NULL::BIGINT" },
];

const time = (filter: string, at: string, ids: readonly number[]) => ({
  filter: `${filter} '${at}+00:00'`,
  sql: `${filter} TIMESTAMPTZ '${at}+00'`,
  ids,
});

/** The cases. */
export const TRANSFORM_CASES: readonly TransformCase[] = [
  {
    transform: "identity",
    type: "string",
    values: strings("a", "b c/d=%", "ü"),
    filters: [
      both("source = 'b c/d=%'", [1]),
      both("source > 'a'", [1, 2]),
      both("source is null", [3]),
    ],
  },
  {
    transform: "void",
    type: "long",
    values: longs(1, 2),
    filters: [both("source = 2", [1]), both("source is null", [2])],
  },
  ...["year", "month", "day", "hour"].map((transform): TransformCase => ({
    transform,
    type: "timestamptz",
    values: timestamps(
      "1969-12-31T23:59:59.999Z",
      "1970-01-01T00:00:00Z",
      "2026-11-20T23:59:59.999Z",
      "2026-11-21T00:00:00Z",
      "2027-01-01T00:00:00Z",
    ),
    filters: [
      time("source <", "1970-01-01T00:00:00", [0]),
      time("source >=", "1970-01-01T00:00:00", [1, 2, 3, 4]),
      time("source <", "2026-11-21T00:00:00", [0, 1, 2]),
      time("source >=", "2026-11-21T00:00:00", [3, 4]),
      time("source =", "2026-11-21T00:00:00", [3]),
      both("source is null", [5]),
    ],
  })),
  {
    transform: "bucket[4]",
    type: "string",
    values: strings("ACC0000001", "ACC0000002", "ACC0000003", "iceberg"),
    filters: [
      both("source = 'iceberg'", [3]),
      both("source in ('ACC0000001', 'ACC0000003')", [0, 2]),
      both("source is null", [4]),
    ],
  },
  {
    transform: "bucket[16]",
    type: "long",
    values: longs(34, -1, 0),
    filters: [both("source = 34", [0]), both("source = -1", [1]), both("source is null", [3])],
  },
  {
    transform: "bucket[8]",
    type: "uuid",
    values: [
      {
        sql: "UUID 'f79c3e09-677c-4bbd-a479-3f349cb785e7'",
        value: "f79c3e09-677c-4bbd-a479-3f349cb785e7",
      },
      { ...NULL, sql: "NULL::UUID" },
    ],
    filters: [
      both("source = 'f79c3e09-677c-4bbd-a479-3f349cb785e7'", [0]),
      both("source is null", [1]),
    ],
    duckdbFault:
      "1.5.5 hashes a UUID otherwise than the spec's Appendix B (1488055340 for this one)",
  },
  {
    transform: "truncate[10]",
    type: "long",
    values: longs(-11, -1, 0, 9, 10),
    filters: [
      both("source < 0", [0, 1]),
      both("source >= 9", [3, 4]),
      both("source = 9", [3]),
      both("source is null", [5]),
    ],
  },
  {
    transform: "truncate[3]",
    type: "string",
    values: strings("abc", "abcd", "abd", "b"),
    filters: [
      both("source = 'abcd'", [1]),
      { filter: "source like 'abc%'", sql: "source LIKE 'abc%'", ids: [0, 1] },
      both("source > 'abc'", [1, 2, 3]),
      both("source is null", [4]),
    ],
  },
  {
    transform: "truncate[100]",
    type: "decimal(18, 4)",
    values: [
      { sql: "1.0099::DECIMAL(18, 4)", value: 10099n },
      { sql: "1.0100::DECIMAL(18, 4)", value: 10100n },
      { sql: "-0.0001::DECIMAL(18, 4)", value: -1n },
    ],
    filters: [both("source < 0.0000", [2]), both("source >= 1.0100", [1])],
  },
];
