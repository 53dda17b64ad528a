/** The fast path is held to the plain path: what it accepts, that one accepts with the same result. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type Accepted, emptyAccepted } from "./accepted.ts";
import { scanFast } from "./fast_scan.ts";
import { KAFKA_MS, transaction } from "./testing.ts";
import { validatePlain } from "./validate.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const BYTES_MAX = 256 * 1024;

/** Lays a record between others, so that a read past its end finds plausible bytes. */
function laid(value: Uint8Array, after: Uint8Array) {
  const bytes = new Uint8Array(3 + value.length + after.length);
  bytes.set(value, 3);
  bytes.set(after, 3 + value.length);
  return { bytes, start: 3, end: 3 + value.length, timestampMs: KAFKA_MS };
}

function meaning(accepted: Accepted) {
  const { bytes, idIsLower, ...rest } = accepted;
  const id = decoder.decode(bytes.subarray(accepted.idStart, accepted.idStart + 36));
  // Only the fast path says so, and it must not be wrong: outputs have the id in lower case.
  if (idIsLower) assertEquals(id, id.toLowerCase());
  return { ...rest, line: decoder.decode(bytes.subarray(accepted.open, accepted.close + 1)) };
}

/** Checks one record on both paths; returns whether the fast one took it. */
function check(value: Uint8Array, after = new Uint8Array(0)): boolean {
  const raw = laid(value, after);
  const fast = emptyAccepted();
  if (!scanFast(raw.bytes, raw.start, raw.end, raw.timestampMs, fast)) return false;
  const plain = emptyAccepted();
  const rejection = validatePlain(raw, BYTES_MAX, plain);
  assertEquals(rejection, undefined, decoder.decode(value));
  assertEquals(meaning(fast), meaning(plain));
  return true;
}

/** JSON texts of values that a field may have, right and wrong, plain and odd. */
const TEXTS: Record<string, string[]> = {
  transaction_id: [
    `"0B0E7A6E-0B7E-4B7E-8B7E-0000000000FF"`,
    `"ffffffff-ffff-ffff-ffff-ffffffffffff"`,
    `"0b0e7a6e-0b7e-4b7e-8b7e-00000000000g"`,
    `"0b0e7a6e-0b7e-4b7e-8b7e-0000000000011"`,
    `"0b0e7a6e-0b7e-4b7e-8b7e-00000000001"`,
    `"\\u0030b0e7a6e-0b7e-4b7e-8b7e-000000000001"`,
  ],
  timestamp: [
    `"2026-06-01T12:01:00Z"`,
    `"2026-06-01T12:01:00.000000999Z"`,
    `"2026-06-01T12:01:00.000001Z"`,
    `"2026-06-01T02:00:00.1+05:45"`,
    `"2026-06-01T02:00:00.123456789-11:59"`,
    `"2026-06-01T02:00:00.1234567890Z"`,
    `"2026-06-01T02:00:00+24:00"`,
    `"2026-06-01T02:00:00+0500"`,
    `"2026-06-01T24:00:00Z"`,
    `"2026-06-01T23:60:00Z"`,
    `"2026-02-29T00:00:00Z"`,
    `"2024-02-29T00:00:00Z"`,
    `"2000-02-29T00:00:00Z"`,
    `"2100-02-29T00:00:00Z"`,
    `"2026-04-31T00:00:00Z"`,
    `"2026-00-10T00:00:00Z"`,
    `"2026-13-10T00:00:00Z"`,
    `"2026-05-00T00:00:00Z"`,
    `"1999-12-31T23:59:59.999999Z"`,
    `"1999-12-31T23:59:59.999999-00:01"`,
    `"2000-01-01T00:00:00Z"`,
    `"2000-01-01T00:00:00+00:01"`,
    `"2026-06-01T11:00:00z"`,
    `"2026-06-01T11:00:00."`,
    `"2026-06-01T11:00:00.Z"`,
    `"2026-06-01T1a:00:00Z"`,
  ],
  account_id: [
    `"a"`,
    `"${"Z".repeat(64)}"`,
    `"${"Z".repeat(65)}"`,
    `""`,
    `"A-1"`,
    `"A\\u0031"`,
    `"é"`,
  ],
  amount: [
    "0.0001",
    "-0.0001",
    "99999999999.9999",
    "-99999999999.9999",
    "100000000000",
    "99999999999",
    "12.30000",
    "12.",
    ".5",
    "-",
    "0",
    "-0",
    "0.0000",
    "00.1",
    "01",
    "1e2",
    "12.5E0",
    "0.5",
    "+1",
    "12 ",
    "NaN",
    `"12"`,
    "1.00001",
    "12345678901.2345",
    "0.3",
  ],
  currency: [`"EUR"`, `"XXX"`, `"eur"`, `"EU"`, `"EURO"`, `"ZZZ"`, `"ZWG"`],
  merchant_name: [
    `"Café"`,
    `"東京 🦊"`,
    `"\u00a0\u2003"`,
    `"  "`,
    `"x"`,
    `""`,
    `"a\\"b"`,
    `"a\\\\"`,
    `"\x7f"`,
    `"\ufeff"`,
    `"\ufffd"`,
  ],
  merchant_category: [`"utilities"`, `"retai"`, `"retails"`, `"Retail"`, `"entertainment"`],
  transaction_type: [`"refund"`, `"purchases"`, `""`, `"withdrawal"`],
  location_country: [`"DE"`, `"XK"`, `"UK"`, `"de"`, `"D"`, `"DEU"`],
  status: [`"pending"`, `"failed"`, `"fail"`, `"reversed"`, "null"],
};

const EXTRAS = [
  `"device_id":"d-1"`,
  `"device_id":"d-1"`,
  `"n":-1.5e+10`,
  `"n2":1.`,
  `"b":true`,
  `"b2":nul`,
  `"o":{"x":[1]}`,
  `"":null`,
  `"is_flagged":true`,
  `"is_flagge":true`,
  `"__proto__":1`,
  `"constructor":1`,
  `"prototype":1`,
  `"amount" :1`,
  `"status":"completed"`,
  `"é":"ü"`,
  `"k\\u0041":1`,
  `"x":"\\n"`,
];

const recordArbitrary = fc.record({
  odd: fc.dictionary(fc.constantFrom(...Object.keys(TEXTS)), fc.nat(30), { maxKeys: 2 }),
  order: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat()),
  drop: fc.oneof({ weight: 9, arbitrary: fc.constant(-1) }, fc.nat(9)),
  extras: fc.array(fc.tuple(fc.constantFrom(...EXTRAS), fc.nat(12)), { maxLength: 4 }),
  space: fc.oneof(
    { weight: 3, arbitrary: fc.constant("") },
    fc.constantFrom(" ", "  ", "\n", "\t"),
  ),
}).map(({ odd, order, drop, extras, space }) => {
  const members = Object.entries(transaction()).map(([name, value]) => {
    const texts = TEXTS[name]!;
    const text = name in odd ? texts[odd[name]! % texts.length]! : JSON.stringify(value);
    return `"${name}":${space}${text}`;
  });
  for (const [extra, at] of extras) members.splice(at, 0, extra);
  if (drop >= 0) members.splice(drop, 1);
  for (let i = members.length - 1, rest = order; i > 0 && rest > 0; i--) {
    const j = rest % (i + 1);
    [members[i], members[j]] = [members[j]!, members[i]!];
    rest = Math.floor(rest / 7);
  }
  return `{${space}${members.join(`${space},${space}`)}${space}}`;
});

Deno.test("the fast path equals the plain path on records of every shape", () => {
  let taken = 0;
  fc.assert(
    fc.property(recordArbitrary, (text) => {
      if (check(encoder.encode(text))) taken++;
    }),
    { numRuns: 3000 },
  );
  assert(taken > 300, `it took only ${taken} of 3000: the property would say little`);
});

Deno.test("the fast path equals the plain path on damaged bytes", () => {
  const edit = fc.record({
    at: fc.nat(400),
    remove: fc.integer({ min: 0, max: 3 }),
    insert: fc.oneof(
      fc.uint8Array({ maxLength: 3 }),
      fc.constantFrom(
        `"`,
        ",",
        "}",
        "{",
        "\\",
        "0",
        ".",
        "-",
        " ",
        ":",
        "\n",
        "e",
        "é",
        "\u2028",
      ).map((text) => encoder.encode(text)),
    ),
  });
  fc.assert(
    fc.property(recordArbitrary, fc.array(edit, { minLength: 1, maxLength: 2 }), (text, edits) => {
      let bytes = encoder.encode(text);
      for (const { at, remove, insert } of edits) {
        const from = at % (bytes.length + 1);
        bytes = Uint8Array.from([
          ...bytes.subarray(0, from),
          ...insert,
          ...bytes.subarray(from + remove),
        ]);
      }
      check(bytes);
    }),
    { numRuns: 4000 },
  );
});

Deno.test("the fast path never reads on into the next record", () => {
  const whole = encoder.encode(JSON.stringify(transaction()));
  for (let length = 0; length < whole.length; length++) {
    assertEquals(check(whole.subarray(0, length), whole.subarray(length)), false);
    assertEquals(check(whole.subarray(0, length)), false);
  }
  assertEquals(check(whole, whole), true);
});

Deno.test("the fast path equals the plain path on every sequence of UTF-8, right or wrong", () => {
  const prefix = encoder.encode(JSON.stringify(transaction()).split("Corner")[0]!);
  const suffix = encoder.encode(`z${JSON.stringify(transaction()).split("Corner")[1]!}`);
  const edges = [0x00, 0x1f, 0x20, 0x22, 0x5c, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf];
  const leads = Array.from({ length: 128 }, (_, i) => 0x80 + i);
  let taken = 0;
  const put = (...sequence: number[]) => {
    if (check(Uint8Array.from([...prefix, ...sequence, ...suffix]))) taken++;
  };
  for (const lead of leads) {
    put(lead);
    for (const second of edges) {
      put(lead, second);
      for (const third of [0x7f, 0x80, 0xbf]) {
        put(lead, second, third);
        put(lead, second, third, 0x80);
      }
    }
  }
  assert(taken > 500, String(taken));
});

Deno.test("the fast path takes what producers plainly write", () => {
  const plain = transaction({ merchant_name: "Café Ümläut 東京 🦊" });
  const texts = [
    JSON.stringify(plain),
    JSON.stringify(transaction({ amount: -0.0001, timestamp: "2026-06-01T13:59:58+02:00" })),
    JSON.stringify({ device_id: "d-1", ...plain, score: 0.25, vip: false, note: null }),
    // As Python's json.dumps separates.
    JSON.stringify(plain).replaceAll(`":`, `": `).replaceAll(`,"`, `, "`),
    JSON.stringify(Object.fromEntries(Object.entries(plain).reverse())),
  ];
  for (const text of texts) assertEquals(check(encoder.encode(text)), true, text);
});
