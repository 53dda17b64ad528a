import { assertEquals } from "@std/assert";
import { crc32c } from "./crc32c.ts";

Deno.test("crc32c() gives the vectors of RFC 3720, appendix B.4", () => {
  const ascending = Uint8Array.from({ length: 32 }, (_, i) => i);
  const vectors: [Uint8Array, number][] = [
    [new Uint8Array(32), 0x8a9136aa],
    [new Uint8Array(32).fill(0xff), 0x62a8ab43],
    [ascending, 0x46dd794e],
    [ascending.toReversed(), 0x113fdb5c],
    // The check value of the CRC catalogues.
    [new TextEncoder().encode("123456789"), 0xe3069283],
  ];
  for (const [bytes, expected] of vectors) assertEquals(crc32c(bytes), expected);
});

Deno.test("crc32c() of a range is that of its bytes, whatever lies around and however long", () => {
  const bytes = Uint8Array.from({ length: 200 }, (_, i) => (i * 37) & 0xff);
  for (let size = 0; size < 70; size++) {
    for (const start of [0, 1, 7]) {
      assertEquals(crc32c(bytes, start, start + size), crc32c(bytes.slice(start, start + size)));
    }
  }
});
