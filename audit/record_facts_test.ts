/** One record in, one row of facts out; what is damaged is a fact too, never an error. */
import { assertEquals } from "@std/assert";
import type { RecordBatch } from "../broker/port.ts";
import { alertId } from "../contracts/ids.ts";
import { idBits, NO_FINGERPRINT } from "./fingerprint.ts";
import {
  alertFacts,
  deadLetterFacts,
  tracedOffset,
  transactionFacts,
  writtenAtMs,
} from "./record_facts.ts";

const ID = "0a000000-0000-4000-8000-000000000001";
const encoder = new TextEncoder();

/** A batch of one record at offset 7. */
function batch(value: unknown, trace?: string): RecordBatch {
  const text = value === null
    ? undefined
    : typeof value === "string"
    ? value
    : JSON.stringify(value);
  const bytes = encoder.encode(text ?? "");
  return {
    count: 1,
    bytes,
    offsets: Float64Array.of(7),
    timestamps: Float64Array.of(0),
    keyStart: Int32Array.of(-1),
    keyEnd: Int32Array.of(-1),
    valueStart: Int32Array.of(text === undefined ? -1 : 0),
    valueEnd: Int32Array.of(bytes.length),
    header: () => trace === undefined ? undefined : encoder.encode(trace),
    findHeader: () => false,
  };
}

const CONTEXT = { rawTopic: "raw", partition: 2, full: false };

Deno.test("a trace counts if it names the same partition of the raw topic", () => {
  const table: [trace: string | undefined, offset: number | null][] = [
    ["raw/2/5", 5],
    ["raw/2/0", 0],
    ["raw/1/5", null],
    ["other/2/5", null],
    ["raw/2/-5", null],
    ["nonsense", null],
    [undefined, null],
  ];
  for (const [trace, offset] of table) {
    assertEquals(tracedOffset(batch({}, trace), 0, CONTEXT), offset, trace ?? "none");
  }
});

Deno.test("facts of a transaction, whole and damaged", () => {
  const whole = { transaction_id: ID, is_flagged: true, rules_version: "0000000000ff" };
  const none = NO_FINGERPRINT;
  assertEquals(transactionFacts(batch(whole, "raw/2/5"), 0, CONTEXT), [
    ...[0, 2, 7, 5, 0, 1, 255, idBits(ID), none, none, none],
  ]);
  for (const damaged of ["{no", "[1]", "null", null]) {
    assertEquals(transactionFacts(batch(damaged, "raw/2/5"), 0, CONTEXT), [
      ...[0, 2, 7, 5, 0, none, none, none, none, none, none],
    ]);
  }
});

Deno.test("a dead letter's source has to say what its trace says", () => {
  const source = { topic: "raw", partition: 2, offset: "5" };
  const letter = { dead_letter_id: ID, error_type: "not_json", source, original_bytes: 3 };
  const traced = (value: unknown) => deadLetterFacts(batch(value, "raw/2/5"), 0, CONTEXT)[3];
  assertEquals(traced(letter), 5);
  assertEquals(traced({ ...letter, source: { ...source, offset: "6" } }), null);
  assertEquals(traced({ ...letter, source: { ...source, topic: "x" } }), null);
  assertEquals(traced({ ...letter, source: undefined }), null);
});

Deno.test("an alert's id has to be that of rule and transaction", () => {
  const alert = { rule_name: "high", transaction_id: ID, alert_id: alertId("high", ID) };
  const fits = (value: unknown) => alertFacts(batch(value, "raw/2/5"), 0, CONTEXT)[7];
  assertEquals(fits(alert), 1);
  assertEquals(fits({ ...alert, rule_name: "low" }), 0);
});

Deno.test("the time of a record is the processor's own; none is never early", () => {
  const record = batch({ processing_timestamp: "2026-01-10T12:00:00.5Z" });
  assertEquals(writtenAtMs(record, 0, "transactions"), Date.UTC(2026, 0, 10, 12) + 500);
  assertEquals(writtenAtMs(record, 0, "alerts"), Infinity);
});
