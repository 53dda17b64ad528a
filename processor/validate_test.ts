import { assert, assertEquals } from "@std/assert";
import { printUuid } from "../contracts/ids.ts";
import { unpackLetters } from "../rules/values/facts.ts";
import { emptyAccepted } from "./accepted.ts";
import { KAFKA_MS, transaction } from "./testing.ts";
import { ERRORS_MAX, shorten, validatePlain } from "./validate.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const BYTES_MAX = 256 * 1024;

function validate(value: string | Uint8Array, options: { timestampMs?: number } = {}) {
  const bytes = typeof value === "string" ? encoder.encode(value) : value;
  const accepted = emptyAccepted();
  const raw = { bytes, start: 0, end: bytes.length, timestampMs: options.timestampMs ?? KAFKA_MS };
  return { rejection: validatePlain(raw, BYTES_MAX, accepted), accepted };
}

/** `type` alone for the whole record, else the failing fields; `ok` where it is valid. */
function verdict(value: string | Uint8Array, timestampMs?: number): string {
  const { rejection } = validate(value, timestampMs === undefined ? {} : { timestampMs });
  if (rejection === undefined) return "ok";
  if (rejection.errorType !== "schema") return rejection.errorType;
  return rejection.errors.map(({ field }) => field).join("+");
}

/** The transaction as text with one field's JSON text replaced; undefined takes the field away. */
function withText(field: string, json: string | undefined): string {
  const members = Object.entries(transaction())
    .filter(([name]) => name !== field || json !== undefined)
    .map(([name, value]) => `"${name}":${name === field ? json : JSON.stringify(value)}`);
  return `{${members.join(",")}}`;
}

/** Each line: a field, its JSON text, the expected verdict. */
function checkFields(table: string): void {
  for (const line of table.split("\n").map((line) => line.trim()).filter((line) => line !== "")) {
    const [, field, json, expected] = /^(\S+)\s+(.*\S)\s+(\S+)$/.exec(line)!;
    assertEquals(verdict(withText(field!, json === "absent" ? undefined : json!)), expected, line);
  }
}

Deno.test("each field: what the contract takes, and what it refuses", () => {
  checkFields(`
    transaction_id  "0B0E7A6E-0b7e-4b7e-8b7e-000000000001"   ok
    transaction_id  "0b0e7a6e-0b7e-1b7e-0b7e-000000000001"   ok
    transaction_id  "0b0e7a6e0b7e4b7e8b7e000000000001"       transaction_id
    transaction_id  "0b0e7a6e-0b7e-4b7e-8b7e-00000000000g"   transaction_id
    transaction_id  "{0b0e7a6e-0b7e-4b7e-8b7e-000000000001}" transaction_id
    transaction_id  "0b0e7a6e-0b7e-4b7e-8b7e-000000000001\\n" transaction_id
    transaction_id  7                                        transaction_id
    transaction_id  null                                     transaction_id
    transaction_id  absent                                   transaction_id
    account_id      "A"                                      ok
    account_id      "${"a".repeat(64)}"                      ok
    account_id      "${"a".repeat(65)}"                      account_id
    account_id      ""                                       account_id
    account_id      "ACC-1"                                  account_id
    account_id      "ACC 1"                                  account_id
    account_id      "ÄCC1"                                   account_id
    account_id      123                                      account_id
    currency        "EUR"                                    ok
    currency        "eur"                                    currency
    currency        "DEM"                                    currency
    currency        "XXX"                                    currency
    currency        "EURO"                                   currency
    merchant_name   "Café Ümläut 東京 🦊"                     ok
    merchant_name   " x "                                    ok
    merchant_name   ""                                       merchant_name
    merchant_name   "   "                                    merchant_name
    merchant_name   "\\t\\u00a0"                             merchant_name
    merchant_name   ["x"]                                    merchant_name
    merchant_category  "utilities"                           ok
    merchant_category  "Retail"                              merchant_category
    merchant_category  "cars"                                merchant_category
    transaction_type   "refund"                              ok
    transaction_type   "gift"                                transaction_type
    location_country   "DE"                                  ok
    location_country   "XK"                                  location_country
    location_country   "UK"                                  location_country
    location_country   "DEU"                                 location_country
    status             "reversed"                            ok
    status             "done"                                status
    status             true                                  status
  `);
});

Deno.test("amount is judged on its JSON token, exactly", () => {
  checkFields(`
    amount  0.0001                  ok
    amount  -0.0001                 ok
    amount  99999999999.9999        ok
    amount  -99999999999.9999       ok
    amount  1.50000000000000000000  ok
    amount  1e2                     ok
    amount  1.23E+1                 ok
    amount  125000e-7               ok
    amount  0                       amount
    amount  -0.0                    amount
    amount  0e9                     amount
    amount  0.00001                 amount
    amount  1.00001                 amount
    amount  1e-5                    amount
    amount  100000000000            amount
    amount  99999999999.99999       amount
    amount  99999999999.99999999999 amount
    amount  1e999                   amount
    amount  -1e999                  amount
    amount  1e-999                  amount
    amount  1e99999999999999999999  amount
    amount  1e-99999999999999999999 amount
    amount  12.30000000000000000001 amount
    amount  "12.30"                 amount
    amount  null                    amount
    amount  true                    amount
    amount  {}                      amount
    amount  absent                  amount
  `);
  assertEquals(verdict(withText("amount", `1.${"0".repeat(200_000)}`)), "ok");
  assertEquals(verdict(withText("amount", `1.${"0".repeat(200_000)}1`)), "amount");
  assertEquals(verdict(withText("amount", "9".repeat(200_000))), "amount");
  for (const token of ["NaN", "Infinity", "-Infinity", "+1", "01", ".5", "1.", "0x1", "1_0"]) {
    assertEquals(verdict(withText("amount", token)), "not_json", token);
  }
});

Deno.test("amount comes out in ten-thousandths", () => {
  const rows: [string, number][] = [
    ["12.5", 125_000],
    ["-12.5", -125_000],
    ["1e2", 1_000_000],
    ["0.0001", 1],
    ["99999999999.9999", 999_999_999_999_999],
    ["0.3", 3_000],
  ];
  for (const [token, units] of rows) {
    assertEquals(validate(withText("amount", token)).accepted.amountUnits, units, token);
  }
});

Deno.test("timestamp: form, earliest, and at most 60 s after the Kafka timestamp", () => {
  // The Kafka timestamp is 2026-06-01T12:00:00Z.
  checkFields(`
    timestamp  "2000-01-01T00:00:00Z"             ok
    timestamp  "1999-12-31T23:59:59.999999999Z"   timestamp
    timestamp  "2000-01-01T01:00:00+01:00"        ok
    timestamp  "2000-01-01T00:59:59.999999+01:00" timestamp
    timestamp  "2026-06-01T12:01:00Z"             ok
    timestamp  "2026-06-01T12:01:00.000000999Z"   ok
    timestamp  "2026-06-01T12:01:00.000001Z"      timestamp
    timestamp  "2026-06-01T14:01:00+02:00"        ok
    timestamp  "2026-06-01T14:01:01+02:00"        timestamp
    timestamp  "2027-01-01T00:00:00Z"             timestamp
    timestamp  "9999-12-31T23:59:59Z"             timestamp
    timestamp  "2024-02-29T00:00:00Z"             ok
    timestamp  "2023-02-29T00:00:00Z"             timestamp
    timestamp  "2026-05-31T24:00:00Z"             timestamp
    timestamp  "2026-05-31T23:59:60Z"             timestamp
    timestamp  "2026-05-31T12:00:00"              timestamp
    timestamp  "2026-05-31"                       timestamp
    timestamp  "2026-05-31 12:00:00Z"             timestamp
    timestamp  "2026-05-31t12:00:00z"             timestamp
    timestamp  "2026-05-31T12:00:00.1234567891Z"  timestamp
    timestamp  "2026-05-31T12:00:00.Z"            timestamp
    timestamp  "2026-05-31T12:00:00+0200"         timestamp
    timestamp  1780000000                         timestamp
  `);
  const text = withText("timestamp", `"2026-06-01T11:59:58.123456789Z"`);
  assertEquals(
    validate(text).accepted.timestampUs,
    Date.UTC(2026, 5, 1, 11, 59, 58) * 1000 + 123456,
  );
  assertEquals(verdict(text, Date.UTC(2026, 5, 1, 11, 58, 58, 124)), "ok");
  assertEquals(verdict(text, Date.UTC(2026, 5, 1, 11, 58, 58, 123)), "timestamp");
});

Deno.test("timestamp errors say which limit was passed", () => {
  const { rejection } = validate(withText("timestamp", `"2026-06-01T12:01:00.5Z"`));
  assertEquals(rejection!.errors, [{
    field: "timestamp",
    expected: "at most 60 s after the record's Kafka timestamp 2026-06-01T12:00:00.000000Z",
    actual: `"2026-06-01T12:01:00.5Z"`,
  }]);
  // A Kafka timestamp that is no date must not stop the partition.
  assertEquals(verdict(withText("status", `"x"`), -(2 ** 62)), "timestamp+status");
  assertEquals(verdict(withText("status", `"x"`), 2 ** 62), "status");
});

Deno.test("all errors are named, with what was expected and what was there", () => {
  const { rejection } = validate(JSON.stringify({
    ...transaction({ amount: "12", currency: "EURO", status: { a: [1, 2] } }),
    merchant_name: undefined,
    is_flagged: false,
  }));
  assertEquals(rejection, {
    errorType: "schema",
    errors: [
      {
        field: "amount",
        expected: "a JSON number, not 0, below 100000000000 in size, at most 4 decimals",
        actual: `"12"`,
      },
      {
        field: "currency",
        expected: "an ISO 4217 alphabetic code in use",
        actual: `"EURO"`,
      },
      { field: "merchant_name", expected: "a text that is not blank", actual: "missing" },
      {
        field: "status",
        expected: "one of pending, completed, failed, reversed",
        actual: `{"a":[1,2]}`,
      },
      {
        field: "is_flagged",
        expected: "absent: the processor adds this field",
        actual: "false",
      },
    ],
  });
});

Deno.test("what is no object of a transaction at all", () => {
  const rows: [string | Uint8Array, string][] = [
    ["", "not_json"],
    ["{", "not_json"],
    ["{}{}", "not_json"],
    ["hello", "not_json"],
    [`\ufeff${withText("status", `"failed"`)}`, "not_json"],
    [`${withText("status", `"failed"`)}\0`, "not_json"],
    [withText("status", `"failed",`), "not_json"],
    [withText("merchant_name", `"tab\there"`), "not_json"],
    [withText("merchant_name", `'x'`), "not_json"],
    ["[".repeat(BYTES_MAX), "not_json"],
    [`{"a":`.repeat(40_000), "not_json"],
    ["null", "not_an_object"],
    ["17", "not_an_object"],
    [`"text"`, "not_an_object"],
    ["[]", "not_an_object"],
    [`[${withText("status", `"failed"`)}]`, "not_an_object"],
    [new Uint8Array([0xff]), "not_utf8"],
    [new Uint8Array([0x7b, 0xc3, 0x7d]), "not_utf8"],
    [new Uint8Array([0x22, 0xed, 0xa0, 0x80, 0x22]), "not_utf8"], // a surrogate
    [new Uint8Array([0x22, 0xc0, 0x80, 0x22]), "not_utf8"], // an overlong NUL
    [new Uint8Array(BYTES_MAX + 1).fill(0x20), "too_large"],
    [new Uint8Array(BYTES_MAX + 1).fill(0xff), "too_large"],
    [new Uint8Array(BYTES_MAX).fill(0xff), "not_utf8"],
    ["{}", Object.keys(transaction()).join("+")],
  ];
  for (const [value, expected] of rows) {
    assertEquals(verdict(value), expected, String(value).slice(0, 60));
  }
  const accepted = emptyAccepted();
  const none = { bytes: new Uint8Array(0), start: -1, end: -1, timestampMs: KAFKA_MS };
  assertEquals(validatePlain(none, BYTES_MAX, accepted), {
    errorType: "not_json",
    errors: [{ field: "$", expected: "a JSON object", actual: "no value" }],
  });
});

Deno.test("a valid record of exactly record_bytes_max is taken, one byte more is not", () => {
  const text = withText("status", `"failed"`);
  const padded = (length: number) => text.slice(0, -1) + " ".repeat(length - text.length) + "}";
  assertEquals(verdict(padded(BYTES_MAX)), "ok");
  assertEquals(verdict(padded(BYTES_MAX + 1)), "too_large");
});

/** The transaction with further members in front of the closing brace. */
function withMembers(members: string): string {
  return `${JSON.stringify(transaction()).slice(0, -1)},${members}}`;
}

Deno.test("extra fields are carried along, within limits", () => {
  const extras = (count: number) =>
    withMembers(Array.from({ length: count }, (_, i) => `"extra_${i}":${i}`).join(","));
  const nested = (depth: number) =>
    withMembers(`"x":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}`);
  const rows: [string, string][] = [
    [withMembers(`"device_id":"d-1","tags":["a",{"b":null}],"n":1e999`), "ok"],
    [withMembers(`"":1`), "ok"],
    [withMembers(`"toString":1,"hasOwnProperty":2`), "ok"],
    [extras(200), "ok"],
    [extras(201), "$"],
    [extras(10_000), "$"],
    [nested(8), "ok"],
    [nested(9), "$"],
    [nested(40_000), "$"],
    [withMembers(`"x":"[[[[[[[[[[{{{{{{{{{{"`), "ok"],
    [withMembers(`"x":"\\"[[[[[[[[[[[["`), "ok"],
    [withMembers(`"processing_timestamp":1`), "processing_timestamp"],
    [withMembers(`"partition_date":1,"rules_version":2`), "partition_date+rules_version"],
    [withMembers(`"x":{"is_flagged":true}`), "ok"],
    [withMembers(`"__proto__":{"amount":1}`), "__proto__"],
    [withMembers(`"\\u005f_proto__":{"amount":1}`), "__proto__"],
    [withMembers(`"x":[{"__proto__":1}]`), "__proto__"],
    [withMembers(`"constructor":{"prototype":{}}`), "constructor+prototype"],
    [withMembers(`"x":"__proto__"`), "ok"],
    [
      `{"__proto__":${JSON.stringify(transaction())}}`,
      [
        ...Object.keys(transaction()),
        "__proto__",
      ].join("+"),
    ],
  ];
  for (const [value, expected] of rows) {
    assertEquals(verdict(value), expected, value.slice(280, 340));
  }
  assertEquals(({} as Record<string, unknown>).amount, undefined);
});

Deno.test("a key given twice is an error, however it is written", () => {
  const rows: [string, string][] = [
    [withMembers(`"x":1,"x":1`), "x"],
    [withMembers(`"x":1,"\\u0078":2`), "x"],
    [withMembers(`"x":1,"X":2`), "ok"],
    [withMembers(`"x":{"y":1,"y":2}`), "ok"],
    [withMembers(`"status":"completed"`), "status"],
    [withMembers(`"status":"nope"`), "status+status"],
    [withMembers(`"st\\u0061tus":"completed"`), "status"],
    [withMembers(`"x":"y","y":"x"`), "ok"],
  ];
  for (const [value, expected] of rows) assertEquals(verdict(value), expected, value.slice(280));
  const many = Array.from({ length: 1500 }, (_, i) => `"d${i}":0,"d${i}":1`).join(",");
  const { errors } = validate(withMembers(many)).rejection!;
  assertEquals(errors.length, ERRORS_MAX + 1);
  assertEquals(errors.at(-1), {
    field: "$",
    expected: "at most 1000 errors to list",
    actual: "501 more",
  });
});

Deno.test("long actual values are cut between characters", () => {
  const { rejection } = validate(withText("currency", `"${"🦊".repeat(500)}"`));
  const { actual } = rejection!.errors[0]!;
  assert(actual.length <= 121 && actual.isWellFormed(), actual);
  assertEquals(shorten("x".repeat(120)), "x".repeat(120));
  assertEquals(shorten("x".repeat(121)), "x".repeat(120) + "…");
});

Deno.test("a valid record's facts, wherever its fields lie and however they are written", () => {
  const fields = Object.entries(transaction({
    transaction_id: "0B0E7A6E-0b7e-4b7e-8b7e-0000000000FF",
    currency: "EUR",
    location_country: "DE",
    merchant_category: "dining",
    transaction_type: "transfer",
    status: "failed",
  }));
  const plain = JSON.stringify(Object.fromEntries(fields));
  const shapes = [
    plain,
    JSON.stringify(Object.fromEntries(fields.toReversed())),
    `\r\n ${JSON.stringify(Object.fromEntries(fields), null, "\t\n")} \n`,
    plain.replace("account_id", "account\\u005fid").replace("ACC1", "\\u0041CC1"),
    plain.replace(`"0B0E`, `"\\u0030B0E`).replace("transaction_id", "\\u0074ransaction_id"),
  ];
  for (const shape of shapes) {
    const { rejection, accepted } = validate(shape);
    assertEquals(rejection, undefined, shape);
    const { id0, id1, id2, id3, bytes, open, close, idStart } = accepted;
    assertEquals(printUuid(id0, id1, id2, id3), "0b0e7a6e-0b7e-4b7e-8b7e-0000000000ff");
    assertEquals(unpackLetters(accepted.currency, 3), "EUR");
    assertEquals(unpackLetters(accepted.country, 2), "DE");
    assertEquals([accepted.category, accepted.transactionType, accepted.status], [1, 2, 2]);
    const text = (from: number, to: number) => decoder.decode(bytes.subarray(from, to));
    assertEquals(text(idStart, idStart + 36), "0B0E7A6E-0b7e-4b7e-8b7e-0000000000FF");
    assertEquals(text(accepted.accountStart, accepted.accountEnd), "ACC1234567");
    const line = text(open, close + 1);
    assertEquals(JSON.parse(line), Object.fromEntries(fields));
    assert(!/[\r\n]/.test(line), line);
  }
});
