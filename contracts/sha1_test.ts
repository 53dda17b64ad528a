import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { createHash } from "node:crypto";
import { sha1 } from "./sha1.ts";

function hex(prefix: Uint8Array, text: string): string {
  const state = new Int32Array(5);
  sha1(prefix, text, state);
  return [...state].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

// RFC 3174 section 7.3, TEST1 and TEST2_1; and the empty message.
Deno.test("sha1() gives the RFC's digests", () => {
  const none = new Uint8Array(0);
  assertEquals(hex(none, "abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
  assertEquals(
    hex(none, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
    "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
  );
  assertEquals(hex(none, ""), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
});

Deno.test("sha1() equals node:crypto for any prefix and text", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 70 }),
      fc.string({ unit: "grapheme", maxLength: 200, size: "max" }),
      (prefix, text) => {
        const expected = createHash("sha1").update(prefix).update(text, "utf8").digest("hex");
        assertEquals(hex(prefix, text), expected);
      },
    ),
    { numRuns: 300 },
  );
});
