import { assert, assertEquals } from "@std/assert";
import { crc32c, crc32cByTables, useCrc32cAddon } from "./crc32c.ts";
import { isCrc32c, loadCrc32cAddon } from "./crc32c_addon.ts";

/** RFC 3720 appendix B.4: 32 zeros. */
const ZEROS_32 = 0x8a9136aa;

Deno.test("the addon is there on this platform, and gives the sums that the tables give", async () => {
  const bytes = crypto.getRandomValues(new Uint8Array(40_000));
  try {
    assert(await loadCrc32cAddon());
    for (let i = 0; i < 64; i++) {
      const [start, end] = [i, 40_000 - 601 * i];
      assertEquals(crc32c(bytes, start, end), crc32cByTables(bytes, start, end));
    }
  } finally {
    useCrc32cAddon(undefined);
  }
});

Deno.test("an addon is used for long inputs, and only for those", () => {
  const lengths: number[] = [];
  useCrc32cAddon((bytes) => {
    lengths.push(bytes.length);
    return 7;
  });
  try {
    assertEquals(crc32c(new Uint8Array(2000), 100, 1900), 7);
    assertEquals(crc32c(new Uint8Array(32)), ZEROS_32);
  } finally {
    useCrc32cAddon(undefined);
  }
  assertEquals(lengths, [1800]);
});

Deno.test("a sum of another polynomial, or one that is wrong at some length, is not taken", async () => {
  const { crc32 } = await import("node:zlib");
  assert(!isCrc32c((bytes) => crc32(bytes)));
  assert(!isCrc32c((bytes) => bytes.length > 3000 ? 0 : crc32c(bytes)));
  assert(isCrc32c((bytes) => crc32c(bytes)));
});
