/**
 * The same question asked in four ways gives the same rows: by flags, by SQL, by SQL whose conditions the
 * planner cannot see (so every file is read), and by PyIceberg; and the newest of them are the first. Filters
 * are generated; a failure prints the seed. All but the full scans share what a process keeps.
 */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { restCatalog } from "../../iceberg/catalog/rest.ts";
import { EnginePool } from "../../query/engine_pool.ts";
import { LakehouseMemory } from "../../query/plan.ts";
import { parseQuestion } from "../../query/question.ts";
import {
  ask,
  openTestLakehouse,
  sampleTransactions,
  type TestAnswer,
} from "../../query/testing.ts";
import { runPython } from "../support/python.ts";
import { startServices } from "../support/services.ts";

const SEED = Number(Deno.env.get("QUERY_SEED") ?? 20260301);
const FILTERS = Deno.env.get("TEST_LONG") === "1" ? 400 : 40;

/** Rows of the limited question. */
const NEWEST = 5;

const START = "2026-03-01T00:00:00Z";
const DAYS = 8;
const ROWS = 4000;

interface Wanted {
  days?: [first: number, last: number];
  hours?: [first: number, count: number];
  accounts?: number[];
  categories?: string[];
  minAmount?: number;
  flagged: boolean;
}

const wanted: fc.Arbitrary<Wanted> = fc.record({
  days: fc.tuple(fc.integer({ min: -1, max: DAYS }), fc.nat({ max: 3 })).map((
    [first, length],
  ): [number, number] => [first, first + length]),
  hours: fc.tuple(fc.integer({ min: -5, max: DAYS * 24 }), fc.integer({ min: 1, max: 30 })),
  accounts: fc.uniqueArray(fc.nat({ max: 25 }), { minLength: 1, maxLength: 3 }),
  categories: fc.uniqueArray(fc.constantFrom("retail", "dining", "utilities"), { minLength: 1 }),
  minAmount: fc.integer({ min: -20_000, max: 2_100_000 }).map((cents) => cents / 100),
  flagged: fc.boolean(),
}, { requiredKeys: ["flagged"] });

const start = Date.parse(START);
const day = (number: number): string =>
  new Date(start + number * 86_400_000).toISOString().slice(0, 10);
const hour = (number: number): string => new Date(start + number * 3_600_000).toISOString();

/** As the command line says it; a day range wins over hours, since they do not mix. */
function flagsOf({ days, hours, accounts, categories, minAmount, flagged }: Wanted) {
  return {
    ...(days !== undefined
      ? { "date-range": `${day(days[0])}..${day(days[1])}` }
      : hours !== undefined
      ? { "date-range": `${hour(hours[0])}..${hour(hours[0] + hours[1])}` }
      : {}),
    ...(accounts === undefined ? {} : { "account-id": accounts.map(account).join(",") }),
    ...(categories === undefined ? {} : { "merchant-category": categories }),
    ...(minAmount === undefined ? {} : { "min-amount": String(minAmount) }),
    ...(flagged ? { flagged: true } : {}),
  };
}

const account = (number: number): string => `ACC${1_000_000 + number}`;
const list = (texts: readonly string[]): string => texts.map((text) => `'${text}'`).join(", ");

/** In the words that SQL and PyIceberg's row filters share. */
function conditionsOf({ days, hours, accounts, categories, minAmount, flagged }: Wanted): string {
  const conditions: string[] = [];
  const between = (from: string, to: string) =>
    conditions.push(`timestamp >= '${from}'`, `timestamp < '${to}'`);
  const midnight = (number: number): string => hour(number * 24).replace(".000Z", "+00:00");
  if (days !== undefined) between(midnight(days[0]), midnight(days[1] + 1));
  else if (hours !== undefined) {
    between(midnight(hours[0] / 24), midnight((hours[0] + hours[1]) / 24));
  }
  if (accounts !== undefined) conditions.push(`account_id IN (${list(accounts.map(account))})`);
  if (categories !== undefined) conditions.push(`merchant_category IN (${list(categories)})`);
  if (minAmount !== undefined) conditions.push(`amount >= ${minAmount.toFixed(4)}`);
  if (flagged) conditions.push(`is_flagged = true`);
  return conditions.join(" AND ");
}

/** As --stats tells it. */
function skippedFiles({ notes }: TestAnswer): number {
  return Number(/ to read, (\d+) skipped/.exec(notes.join("\n"))![1]);
}

const JUDGE = `
import json, sys
from pyiceberg.catalog.rest import RestCatalog
table = RestCatalog("judge", uri=sys.argv[1]).load_table(sys.argv[2])
for text in json.loads(sys.argv[3]):
    scan = table.scan(row_filter=text, selected_fields=("transaction_id",)) if text else table.scan(selected_fields=("transaction_id",))
    print(json.dumps(sorted(scan.to_arrow()["transaction_id"].to_pylist())))
`;

Deno.test("flags, SQL, a full scan and PyIceberg agree over generated filters", async () => {
  const services = await startServices({ kafka: false });
  const namespace = `query_${crypto.randomUUID().slice(0, 8)}`;
  const { catalog: uri, warehouse } = services;
  const catalog = restCatalog({ uri });
  const lakehouse = await openTestLakehouse({ catalog, warehouse, namespace });
  // What is kept from question to question must not change an answer; the full scans keep nothing.
  const remembering = { ...lakehouse, memory: new LakehouseMemory() };
  const engines = new EnginePool();
  try {
    const stepSeconds = DAYS * 86_400 / ROWS;
    for (const part of [0, 1, 2, 3]) {
      await lakehouse.append(
        "transactions",
        sampleTransactions({
          first: part * ROWS / 4,
          count: ROWS / 4,
          start: START,
          stepSeconds,
          accounts: 20,
        }),
        { filesPerDay: part + 1 },
      );
    }
    const filters = fc.sample(wanted, { seed: SEED, numRuns: FILTERS });
    const judged = (await runPython(JUDGE, [
      uri,
      `${namespace}.transactions`,
      JSON.stringify(filters.map(conditionsOf)),
    ])).trimEnd().split("\n").map((line) => JSON.parse(line) as string[]);
    assertEquals(judged.length, filters.length);
    let found = 0;
    let skipped = 0;
    for (const [index, filter] of filters.entries()) {
      const conditions = conditionsOf(filter) || "true";
      const question = parseQuestion(flagsOf(filter), { nowUs: 0, toTerminal: false });
      const [newest, ...answers] = await Promise.all([
        ask(remembering, { question: { ...question, limit: NEWEST } }, { engines }),
        ask(remembering, { question }, { engines }),
        ask(remembering, {
          sql: `SELECT transaction_id FROM transactions WHERE ${conditions}`,
          stats: true,
        }, { engines }),
        ask(lakehouse, {
          sql: `SELECT transaction_id FROM transactions WHERE if(${conditions}, true, false)`,
          stats: true,
        }),
      ]);
      assertEquals(newest.rows(), answers[0]!.rows().slice(0, NEWEST), `newest, ${conditions}`);
      skipped += skippedFiles(answers[1]!);
      assertEquals(skippedFiles(answers[2]!), 0, conditions);
      for (const [way, answer] of answers.entries()) {
        const ids = answer.rows().map((row) => row["transaction_id"] as string).sort();
        const what = `${["flags", "SQL", "full scan"][way]}, seed ${SEED}, ${conditions}`;
        assertEquals(ids, judged[index], what);
      }
      found += judged[index]!.length;
    }
    assert(skipped > FILTERS, `only ${skipped} files were skipped by all filters`);
    // Generated filters that find nothing would agree about nothing.
    assertEquals(found > FILTERS * 10, true, `only ${found} rows were found by all filters`);
  } finally {
    engines.close();
    await lakehouse.close();
    await services.stop();
  }
});
