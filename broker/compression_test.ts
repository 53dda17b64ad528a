/**
 * Codecs against what others wrote of the same 627 bytes (overlapping copies, a long literal): Kafka's
 * Java client through its Compression class, and the C++ libraries through pyarrow's codecs.
 */
import { assertEquals, assertThrows } from "@std/assert";
import { Arena } from "./arena.ts";
import { decompress } from "./compression.ts";
import fixtures from "./fixtures/codecs.json" with { type: "json" };
import { decompressLz4Frames } from "./lz4.ts";
import { decompressSnappy } from "./snappy.ts";

const NUMBERS = { gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const;
type Codec = keyof typeof NUMBERS;
const CODECS = Object.keys(NUMBERS) as Codec[];
const MAKERS = ["kafka-clients 3.9.1", "pyarrow"] as const;

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

const input = bytesOf(fixtures.input);

function decompressed(codec: number, bytes: Uint8Array): Uint8Array {
  const arena = new Arena();
  decompress(codec, bytes, arena);
  return arena.written;
}

Deno.test("decompress() reads every codec of Kafka, by every maker", () => {
  for (const maker of MAKERS) {
    for (const codec of CODECS) {
      const output = decompressed(NUMBERS[codec], bytesOf(fixtures[maker][codec]));
      assertEquals([...output], [...input], `${codec} of ${maker}`);
    }
  }
});

Deno.test("decompress() of cut or damaged bytes throws or gives bytes, and never hangs", () => {
  for (const codec of CODECS) {
    const bytes = bytesOf(fixtures["kafka-clients 3.9.1"][codec]);
    for (let at = 0; at < bytes.length; at += 3) {
      const damaged = bytes.slice();
      damaged[at]! ^= 0xff;
      for (const broken of [bytes.subarray(0, at), damaged]) {
        try {
          decompressed(NUMBERS[codec], broken);
        } catch (error) {
          const { message } = error as Error;
          assertEquals(message.startsWith(`Cannot decompress a record batch of ${codec}: `), true);
        }
      }
    }
  }
});

Deno.test("decompression stops at its limit", () => {
  const { snappy, lz4 } = fixtures["kafka-clients 3.9.1"];
  assertThrows(() => decompressSnappy(bytesOf(snappy), 626), RangeError, "over 626 bytes");
  assertThrows(() => decompressLz4Frames(bytesOf(lz4), 626), RangeError, "over 626 bytes");
  assertEquals(decompressSnappy(bytesOf(snappy), 627).length, 627);
  assertEquals(decompressLz4Frames(bytesOf(lz4), 627).length, 627);
});

Deno.test("a snappy block that claims another length than it has is refused", () => {
  // Three literal bytes behind a length of four.
  assertThrows(() => decompressSnappy(Uint8Array.of(4, 8, 1, 2, 3), 100), RangeError, "expected 4");
});

Deno.test("decompress() names a codec that Kafka does not have", () => {
  assertThrows(() => decompressed(7, new Uint8Array(1)), Error, "codec 7");
});
