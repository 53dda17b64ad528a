/** MD5 and digits against values from elsewhere; both sides of a comparison are held together by the e2e suite. */
import { assertEquals, assertNotEquals } from "@std/assert";
import {
  idBits,
  NO_FINGERPRINT,
  printVersion,
  textBits,
  transactionBits,
  unitsOf,
  versionBits,
} from "./fingerprint.ts";
import { TEST_TRANSACTION } from "./testing_transaction.ts";

Deno.test("idBits adds the first 13 and the last 12 digits of a UUID", () => {
  assertEquals(idBits("00000000-0000-0000-0000-000000000000"), 0);
  assertEquals(idBits("00000000-0000-1000-0000-000000000000"), 1);
  assertEquals(idBits("00000000-0000-0000-0000-00000000000a"), 10);
  assertEquals(idBits("00000001-0000-0000-0000-000000000001"), 2 ** 20 + 1);
  assertEquals(idBits("none"), NO_FINGERPRINT);
  assertEquals(idBits(undefined), NO_FINGERPRINT);
});

Deno.test("versionBits and printVersion are each other's inverse", () => {
  for (const version of ["000000000000", "0123456789ab", "ffffffffffff"]) {
    assertEquals(printVersion(versionBits(version)), version);
  }
  for (const none of ["0123456789AB", "0123", "", undefined, 5]) {
    assertEquals(versionBits(none), NO_FINGERPRINT);
  }
  assertEquals(printVersion(NO_FINGERPRINT), "none");
});

Deno.test("textBits is the beginning of an MD5", () => {
  // RFC 1321: MD5 ("abc") = 900150983cd24fb0d6963f7d28e17f72
  assertEquals(textBits(["abc"]), 0x900150983cd24);
  assertEquals(textBits(["a", 1]), textBits(["a|1"]));
});

Deno.test("transactionBits changes with every field, and with nothing else", () => {
  const fields = TEST_TRANSACTION;
  const bits = transactionBits(fields, 50_000n);
  for (const name of Object.keys(fields)) {
    if (name === "amount") continue;
    const other = name === "timestamp" ? "2026-01-10T12:00:01Z" : "other";
    assertNotEquals(transactionBits({ ...fields, [name]: other }, 50_000n), bits, name);
  }
  assertNotEquals(transactionBits(fields, 50_001n), bits);
  const same = {
    ...fields,
    transaction_id: fields.transaction_id.toLowerCase(),
    timestamp: "2026-01-10T13:00:00.0000009+01:00",
    device: "x",
  };
  assertEquals(transactionBits(same, 50_000), bits);
});

Deno.test("unitsOf counts ten-thousandths", () => {
  assertEquals([unitsOf(0.0001), unitsOf(-12.34), unitsOf("5")], [1, -123_400, NaN]);
});
