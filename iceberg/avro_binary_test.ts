import { assertEquals, assertThrows } from "@std/assert";
import { AvroReader, AvroWriter } from "./avro_binary.ts";
import { IcebergError } from "./errors.ts";

// Avro specification 1.11, "Binary Encoding": zigzag varints.
const LONGS: [value: bigint, hex: string][] = [
  [0n, "00"],
  [-1n, "01"],
  [1n, "02"],
  [-2n, "03"],
  [2n, "04"],
  [-64n, "7f"],
  [64n, "8001"],
  [-65n, "8101"],
  [2n ** 31n - 1n, "feffffff0f"],
  [-(2n ** 31n), "ffffffff0f"],
  [2n ** 53n + 1n, "8280808080808020"],
  [2n ** 63n - 1n, "feffffffffffffffff01"],
  [-(2n ** 63n), "ffffffffffffffffff01"],
];

for (const [value, hex] of LONGS) {
  Deno.test(`AvroWriter and AvroReader: the long ${value} is ${hex}`, () => {
    const writer = new AvroWriter(1);
    writer.writeLong(value);
    assertEquals(writer.view().toHex(), hex);
    assertEquals(new AvroReader(Uint8Array.fromHex(hex)).readLong(), value);
  });
}

Deno.test("AvroReader reads each power of two and its neighbours back", () => {
  for (let bit = 0n; bit < 63n; bit++) {
    for (const near of [-1n, 0n, 1n]) {
      for (const value of [2n ** bit + near, -(2n ** bit) + near]) {
        const writer = new AvroWriter();
        writer.writeLong(value);
        const reader = new AvroReader(writer.view());
        assertEquals(reader.readLong(), value);
        assertEquals(reader.done, true);
      }
    }
  }
});

Deno.test("AvroWriter and AvroReader: strings, bytes, floats and booleans", () => {
  const writer = new AvroWriter(1);
  writer.writeString("foo");
  // The specification's example: "foo" is 06 66 6f 6f.
  assertEquals(writer.view().toHex(), "06666f6f");
  writer.writeString("é\u{1f600}");
  writer.writeBytes(Uint8Array.of(0, 255));
  writer.writeFloat(-4.5);
  writer.writeDouble(6);
  writer.writeBoolean(true);
  const reader = new AvroReader(writer.view());
  assertEquals(reader.readString(), "foo");
  assertEquals(reader.readString(), "é\u{1f600}");
  assertEquals(reader.readBytes(), Uint8Array.of(0, 255));
  assertEquals(reader.readFloat(), -4.5);
  assertEquals(reader.readDouble(), 6);
  assertEquals(reader.readBoolean(), true);
  assertEquals(reader.done, true);
});

Deno.test("AvroReader copies bytes, even out of a Buffer", async () => {
  const { Buffer } = await import("node:buffer");
  const source = Buffer.from([4, 1, 2]);
  const bytes = new AvroReader(source).readBytes();
  source.fill(9);
  assertEquals(bytes, Uint8Array.of(1, 2));
});

const BROKEN: [what: string, hex: string, read: (reader: AvroReader) => unknown][] = [
  ["a varint without an end", "80", (reader) => reader.readInt()],
  ["a long without an end", "8080808080", (reader) => reader.readLong()],
  ["a long of more than 10 bytes", "8080808080808080808001", (reader) => reader.readLong()],
  ["a string that is cut off", "0661", (reader) => reader.readString()],
  ["a negative length", "01", (reader) => reader.readBytes()],
  ["a length beyond 2^53", "feffffffffffffffff01", (reader) => reader.readBytes()],
  ["no bytes for a boolean", "", (reader) => reader.readBoolean()],
  ["a fixed that is cut off", "0102", (reader) => reader.readFixed(3)],
];

for (const [what, hex, read] of BROKEN) {
  Deno.test(`AvroReader refuses ${what}`, () => {
    assertThrows(() => read(new AvroReader(Uint8Array.fromHex(hex))), IcebergError);
  });
}

Deno.test("AvroWriter refuses numbers that do not fit", () => {
  assertThrows(() => new AvroWriter().writeInt(2 ** 31), IcebergError);
  assertThrows(() => new AvroWriter().writeInt(1.5), IcebergError);
  assertThrows(() => new AvroWriter().writeLong(2n ** 63n), IcebergError);
});
