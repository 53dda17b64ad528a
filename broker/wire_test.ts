import { assertEquals, assertThrows } from "@std/assert";
import { ByteReader, ByteWriter, uuidText } from "./wire.ts";

Deno.test("ByteWriter and ByteReader agree on every type, at its bounds", () => {
  const w = new ByteWriter(1);
  const longs = [0, -1, 1, 2 ** 32, -(2 ** 32), 2 ** 53 - 1, -(2 ** 53 - 1)];
  const unsigned = [0, 127, 128, 16383, 16384, 2 ** 28, 2 ** 31 - 1];
  w.int8(-128);
  w.int16(-32768);
  w.int32(-2147483648);
  for (const value of longs) w.int64(value);
  for (const value of unsigned) w.unsignedVarint(value);
  w.bool(true);
  w.string("zwölf");
  w.string(null);
  w.bytes(Uint8Array.of(1, 2, 3));
  w.bytes(null);
  w.compactString("€");
  w.compactString(null);
  w.array([1, 2], (value) => w.int8(value));
  w.compactArray([3], (value) => w.int8(value));
  w.tags();
  const r = new ByteReader(w.written);
  assertEquals([r.int8(), r.int16(), r.int32()], [-128, -32768, -2147483648]);
  assertEquals(longs.map(() => r.int64()), longs);
  assertEquals(unsigned.map(() => r.unsignedVarint()), unsigned);
  assertEquals([r.bool(), r.string(), r.nullableString()], [true, "zwölf", null]);
  assertEquals([...r.bytes()], [1, 2, 3]);
  assertEquals(r.bytes().length, 0);
  assertEquals([r.compactString(), r.compactString()], ["€", null]);
  assertEquals(r.array(() => r.int8()), [1, 2]);
  assertEquals(r.compactArray(() => r.int8()), [3]);
  r.tags();
  assertThrows(() => r.int8(), RangeError, "Cannot read 1 bytes");
});

Deno.test("64-bit integers beyond 2^53 are refused both ways", () => {
  assertThrows(() => new ByteWriter().int64(2 ** 53), RangeError, "9007199254740992");
  assertThrows(() => new ByteWriter().int64(0.5), RangeError, "0.5");
  const beyond = Uint8Array.of(0, 0x20, 0, 0, 0, 0, 0, 0); // 2^53
  assertThrows(() => new ByteReader(beyond).int64(), RangeError, "9007199254740992");
});

Deno.test("ByteReader skips tagged fields it does not know", () => {
  const r = new ByteReader(Uint8Array.of(2, 0, 1, 9, 5, 2, 7, 7, 42));
  r.tags();
  assertEquals(r.int8(), 42);
});

Deno.test("uuidText() prints a topic id as Kafka does", () => {
  // org.apache.kafka.common.Uuid: ONE_UUID = new Uuid(0L, 1L), METADATA_TOPIC_ID prints so.
  assertEquals(
    uuidText(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)),
    "AAAAAAAAAAAAAAAAAAAAAQ",
  );
  assertEquals(uuidText(new Uint8Array(16).fill(0xfb)), "-_v7-_v7-_v7-_v7-_v7-w");
});
