import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { Arena } from "./arena.ts";
import { ZstdPacker, ZstdUnpacker } from "./zstd.ts";

const LEVELS = [{ level: -7, windowLog: 17 }, { level: 3, windowLog: 21 }];
const BYTES_MAX = 1_000_000;

/** Texts that pack well, noise that does not, and nothing at all, in any order. */
const inputs = fc.array(
  fc.oneof(
    fc.uint8Array({ maxLength: 50_000, size: "max" }),
    fc.tuple(fc.string({ minLength: 1 }), fc.nat(20_000)).map(([text, times]) =>
      new TextEncoder().encode(text.repeat(times).slice(0, 300_000))
    ),
  ),
  { minLength: 1, maxLength: 6 },
);

function unpacked(unpacker: ZstdUnpacker, frame: Uint8Array, bytesMax = BYTES_MAX): Uint8Array {
  const arena = new Arena();
  unpacker.unpack(frame, arena, bytesMax);
  return arena.bytes.slice(0, arena.length);
}

Deno.test("the engine of node:zlib is as this program knows it", () => {
  assertEquals(new ZstdPacker(LEVELS[0]!).isReused, true);
  assertEquals(new ZstdUnpacker().isReused, true);
});

Deno.test("one packer packs one frame after the other, as node:zlib reads them", () => {
  for (const level of LEVELS) {
    const packer = new ZstdPacker(level);
    fc.assert(
      fc.property(inputs, (all) => {
        for (const input of all) {
          assertEquals(new Uint8Array(zstdDecompressSync(packer.pack(input))), input);
        }
      }),
      { numRuns: 40 },
    );
  }
});

Deno.test("one unpacker appends one frame after the other to an arena", () => {
  const unpacker = new ZstdUnpacker();
  fc.assert(
    fc.property(inputs, (all) => {
      const arena = new Arena();
      for (const input of all) {
        const start = arena.length;
        unpacker.unpack(zstdCompressSync(input), arena, BYTES_MAX);
        assertEquals(arena.bytes.slice(start, arena.length), input);
      }
    }),
    { numRuns: 40 },
  );
});

Deno.test("a damaged or cut frame leaves the next one whole", () => {
  const input = new TextEncoder().encode(
    Array.from({ length: 3000 }, (_, i) => `row ${i * 7919}`).join(),
  );
  const frame = new Uint8Array(zstdCompressSync(input));
  const unpacker = new ZstdUnpacker();
  for (let at = 0; at < frame.length; at += 97) {
    const damaged = frame.slice();
    damaged[at]! ^= 0xff;
    for (const broken of [frame.slice(0, at), damaged]) {
      try {
        unpacked(unpacker, broken);
      } catch (error) {
        assertEquals(error instanceof Error, true);
      }
      assertEquals(unpacked(unpacker, frame), input);
    }
  }
});

Deno.test("unpacking stops at its limit and leaves the arena as it was", () => {
  const frame = zstdCompressSync(new Uint8Array(5_000_000));
  const unpacker = new ZstdUnpacker();
  const arena = new Arena();
  arena.append(Uint8Array.of(1, 2, 3));
  assertThrows(() => unpacker.unpack(frame, arena, 4_999_999), Error);
  assertEquals(arena.bytes.slice(0, arena.length), Uint8Array.of(1, 2, 3));
  unpacker.unpack(frame, arena, 5_000_000);
  assertEquals(arena.length, 5_000_003);
});

Deno.test("without the engine, the documented functions do the same", () => {
  const input = new TextEncoder().encode("plain ".repeat(5000));
  const packed = new ZstdPacker(LEVELS[0]!, false).pack(input).slice();
  const unpacker = new ZstdUnpacker(false);
  assertEquals([unpacker.isReused, unpacked(unpacker, packed)], [false, input]);
  assertThrows(() => unpacked(unpacker, packed, input.length - 1), Error);
});
