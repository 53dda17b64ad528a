import { assertEquals, assertRejects } from "@std/assert";
import { decodeValue } from "../iceberg/single_value.ts";
import type { PrimitiveType, Schema } from "../iceberg/types.ts";
import { TABLES } from "../contracts/tables.ts";
import { planTable, SOURCE_NAMES_PROPERTY } from "./columns.ts";
import { type DuckDb, openDuckDb } from "./duckdb.ts";
import { quoteText } from "./sql_text.ts";
import { writeParquet } from "./parquet.ts";

async function withDuckDb(test: (db: DuckDb) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "sink_parquet_" });
  const db = await openDuckDb({ directory, memoryMb: 128, threads: 1 });
  try {
    await test(db);
  } finally {
    db.close();
    await Deno.remove(directory, { recursive: true });
  }
}

function schemaOf(table: keyof typeof TABLES): Schema {
  return {
    type: "struct",
    "schema-id": 0,
    fields: structuredClone(TABLES[table].columns) as unknown as Schema["fields"],
  };
}

/** A processed transaction; the values are in place of the ones given. */
function transaction(values: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    transaction_id: "11111111-1111-4111-8111-111111111111",
    timestamp: "2026-11-21T08:00:00Z",
    account_id: "ACC1",
    amount: 1.5,
    currency: "EUR",
    merchant_name: "Shop",
    merchant_category: "retail",
    transaction_type: "purchase",
    location_country: "DE",
    status: "completed",
    processing_timestamp: "2026-11-21T08:00:01.000001Z",
    partition_date: "2026-11-21",
    is_flagged: false,
    rules_version: "0123456789ab",
    ...values,
  };
}

async function spool(db: DuckDb, lines: (string | { v: unknown })[]): Promise<string> {
  const path = `${db.directory}/input.ndjson`;
  const text = lines.map((line, o) =>
    typeof line === "string" ? line : JSON.stringify({ p: 2, o, ...line })
  );
  await Deno.writeTextFile(path, text.join("\n") + "\n");
  return path;
}

Deno.test("writeParquet() writes rows sorted, with the contract's exact values", () =>
  withDuckDb(async (db) => {
    const input = await spool(db, [
      { v: transaction({ timestamp: "2026-11-21T23:59:59.999999999Z" }) },
      // Raw text: JSON.stringify would print these amounts in its own way.
      `{"p":0,"o":9007199254740993,"v":{"amount":99999999999.9999,"timestamp":"2026-11-21T10:00:00.1234567+05:30","note":[{"x":1}]}}`,
      `{"p":null,"o":null,"v":{"amount":-1e3,"timestamp":"2026-11-21T00:00:00Z","Amount":7}}`,
    ]);
    const output = `${db.directory}/out.parquet`;
    const plan = planTable("transactions", schemaOf("transactions"));
    const file = await writeParquet(db, { plan, input, output });
    assertEquals(file.metrics.record_count, 3n);
    assertEquals(file.metrics.split_offsets, [4n]);
    const rows = await db.rows(
      `SELECT "timestamp", amount, source_partition, source_offset, merchant_name
       FROM read_parquet(${quoteText(output)})`,
    );
    assertEquals(rows, [
      {
        timestamp: "2026-11-21 00:00:00+00",
        amount: "-1000.0000",
        source_partition: null,
        source_offset: null,
        merchant_name: null,
      },
      {
        timestamp: "2026-11-21 04:30:00.123456+00",
        amount: "99999999999.9999",
        source_partition: 0,
        source_offset: "9007199254740993",
        merchant_name: null,
      },
      {
        timestamp: "2026-11-21 23:59:59.999999+00",
        amount: "1.5000",
        source_partition: 2,
        source_offset: "0",
        merchant_name: "Shop",
      },
    ]);
  }));

Deno.test("writeParquet() gives counts and bounds by field id", () =>
  withDuckDb(async (db) => {
    const input = await spool(db, [
      { v: transaction({ amount: -0.0001, merchant_name: "ａ".repeat(20), is_flagged: true }) },
      { v: transaction({ amount: 25, merchant_name: "😀".repeat(20) }) },
      { v: transaction({ merchant_name: null }) },
    ]);
    const schema = schemaOf("transactions");
    const plan = planTable("transactions", schema);
    const { metrics } = await writeParquet(db, {
      plan,
      input,
      output: `${db.directory}/out.parquet`,
    });
    function bounds(name: string): unknown[] {
      const { id, type } = schema.fields.find((field) => field.name === name)!;
      return [metrics.lower_bounds, metrics.upper_bounds].map((map) =>
        decodeValue(type as PrimitiveType, map!.get(id)!)
      );
    }
    // U+1F600 comes after U+FF41 by code points, before it by UTF-16 units.
    assertEquals(bounds("merchant_name"), ["ａ".repeat(16), "😀".repeat(15) + "😁"]);
    assertEquals(bounds("amount"), [-1n, 250_000n]);
    assertEquals(bounds("is_flagged"), [false, true]);
    assertEquals(bounds("partition_date"), [20_778, 20_778]);
    assertEquals(bounds("timestamp"), [1_795_248_000_000_000n, 1_795_248_000_000_000n]);
    assertEquals(bounds("processing_timestamp"), [1_795_248_001_000_001n, 1_795_248_001_000_001n]);
    assertEquals(bounds("source_offset"), [0n, 2n]);
    assertEquals(metrics.null_value_counts!.get(6), 1n);
    assertEquals(metrics.value_counts!.get(6), 3n);
    assertEquals([...metrics.column_sizes!.keys()].sort((a, b) => a - b), [
      1,
      2,
      3,
      4,
      5,
      6,
      7,
      8,
      9,
      10,
      11,
      12,
      13,
      14,
      15,
      16,
    ]);
  }));

Deno.test("writeParquet() reads the nested records of alerts, dead letters and sessions", () =>
  withDuckDb(async (db) => {
    const output = `${db.directory}/out.parquet`;
    async function written(table: keyof typeof TABLES, v: unknown) {
      const plan = planTable(table, schemaOf(table));
      const input = await spool(db, [{ v }]);
      await writeParquet(db, { plan, input, output });
      return (await db.rows(`SELECT * FROM read_parquet(${quoteText(output)})`))[0]!;
    }
    const alert = await written("alerts", {
      alert_id: "a",
      transaction_id: "t",
      evidence: { x: 1 },
      transaction: transaction({ amount: 10_000.5 }),
    });
    assertEquals(
      [alert.transaction_timestamp, alert.amount, alert.currency, alert.source_partition],
      ["2026-11-21 08:00:00+00", "10000.5000", "EUR", 2],
    );
    const letter = await written("dead_letters", {
      failed_at: "2026-11-21T08:00:00.5Z",
      errors: [{ field: "$", expected: "JSON", actual: "x" }],
      source: { topic: "raw-transactions", partition: 3, offset: "9007199254740993" },
      original_bytes: 17,
    });
    assertEquals(
      [letter.errors, letter.source_topic, letter.source_partition, letter.source_offset],
      [
        [{ field: "$", expected: "JSON", actual: "x" }],
        "raw-transactions",
        3,
        "9007199254740993",
      ],
    );
    const session = await written("pipeline_sessions", {
      session_id: "s",
      latency_ms: { p50: 1.5, p95: null, p99: 3 },
      stored: 5,
    });
    assertEquals(
      [session.latency_p50_ms, session.latency_p95_ms, session.stored, session.generated],
      [1.5, null, "5", null],
    );
  }));

Deno.test("writeParquet() fills added columns by source name; what does not fit is null, counted", () =>
  withDuckDb(async (db) => {
    const schema = schemaOf("transactions");
    schema.fields.push(
      { id: 17, name: "device", required: false, type: "string" },
      { id: 18, name: "score", required: false, type: "int" },
    );
    schema.fields.find((field) => field.id === 6)!.name = "merchant";
    const plan = planTable("transactions", schema, {
      [SOURCE_NAMES_PROPERTY]: `{"17":"device_id"}`,
    });
    const input = await spool(db, [
      { v: transaction({ device_id: "d1", score: 5 }) },
      { v: transaction({ device_id: { os: "x" }, score: "many" }) },
      { v: transaction({ score: null }) },
    ]);
    const output = `${db.directory}/out.parquet`;
    const file = await writeParquet(db, { plan, input, output });
    assertEquals(file.unfit, 1);
    assertEquals(
      await db.rows(
        `SELECT merchant, device, score FROM read_parquet(${
          quoteText(output)
        }) ORDER BY source_offset`,
      ),
      [
        { merchant: "Shop", device: "d1", score: 5 },
        { merchant: "Shop", device: `{"os":"x"}`, score: null },
        { merchant: "Shop", device: null, score: null },
      ],
    );
  }));

Deno.test("writeParquet() keeps every amount of 15 digits exact", () =>
  withDuckDb(async (db) => {
    // DuckDB reads JSON numbers through double; the contract's 15 digits are what survives that.
    const units: bigint[] = [];
    let state = 42n;
    for (let index = 0; index < 20_000; index++) {
      state = (state * 6364136223846793005n + 1442695040888963407n) % (1n << 64n);
      const digits = 10n ** BigInt(1 + index % 15);
      units.push((index % 2 === 0 ? 1n : -1n) * ((state >> 11n) % digits));
    }
    const texts = units.map((unit) => {
      const size = unit < 0n ? -unit : unit;
      return `${unit < 0n ? "-" : ""}${size / 10_000n}.${String(size % 10_000n).padStart(4, "0")}`;
    });
    const input = await spool(
      db,
      texts.map((text, o) =>
        `{"p":0,"o":${o},"v":{"amount":${text},"timestamp":"2026-11-21T08:00:00Z"}}`
      ),
    );
    const output = `${db.directory}/out.parquet`;
    await writeParquet(db, {
      plan: planTable("transactions", schemaOf("transactions")),
      input,
      output,
    });
    const rows = await db.rows(
      `SELECT amount FROM read_parquet(${quoteText(output)}) ORDER BY source_offset`,
    );
    const expected = texts.map((text) => /^-0\.0000$/.test(text) ? "0.0000" : text);
    assertEquals(rows.map((row) => row.amount), expected);
  }));

Deno.test("writeParquet() refuses a file with one line that is no record", () =>
  withDuckDb(async (db) => {
    const input = await spool(db, [{ v: transaction() }, { v: 5 }]);
    const plan = planTable("transactions", schemaOf("transactions"));
    await assertRejects(
      () => writeParquet(db, { plan, input, output: `${db.directory}/out.parquet` }),
      Error,
      "Expected OBJECT",
    );
  }));

Deno.test("openDuckDb() reaches nothing outside its folder", () =>
  withDuckDb(async (db) => {
    await assertRejects(
      () => db.rows("SELECT * FROM read_text('/etc/hostname')"),
      Error,
      "disabled",
    );
    await assertRejects(() => db.rows("SET enable_external_access = true"), Error, "locked");
  }));
