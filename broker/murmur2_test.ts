import { assertEquals } from "@std/assert";
import { murmur2, partitionOf } from "./murmur2.ts";

const encoder = new TextEncoder();

// apache/kafka:clients/src/test/java/org/apache/kafka/common/utils/UtilsTest.java testMurmur2
const VECTORS: [string, number][] = [
  ["21", -973932308],
  ["foobar", -790332482],
  ["a-little-bit-long-string", -985981536],
  ["a-little-bit-longer-string", -1486304829],
  ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971],
  ["abc", 479470107],
];

Deno.test("murmur2() gives Kafka's own test vectors", () => {
  for (const [key, hash] of VECTORS) assertEquals(murmur2(encoder.encode(key)), hash, key);
});

Deno.test("partitionOf() drops the sign bit instead of negating, as Java's toPositive does", () => {
  // -973932308 & 0x7fffffff = 1173551340; its absolute value would land elsewhere.
  assertEquals(partitionOf(encoder.encode("21"), 7), 1173551340 % 7);
  assertEquals(partitionOf(encoder.encode("abc"), 4), 479470107 % 4);
  assertEquals(partitionOf(encoder.encode("21"), 1), 0);
});
