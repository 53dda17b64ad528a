import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { BatchEncoder } from "./record_batch_encode.ts";
import { RecordFrames } from "./record_frames.ts";

const SHARED = { name: "schema_version", value: new TextEncoder().encode("1") };
const OPTIONS = {
  timestamp: 1_700_000_000_000,
  producerId: 7,
  producerEpoch: 3,
  baseSequence: 11,
  transactional: true,
};

const bytes = fc.uint8Array({ maxLength: 300 });
const nullable = fc.option(bytes, { nil: null });
const recordsArbitrary = fc.array(
  fc.record({ key: nullable, value: nullable, trace: bytes }),
  { maxLength: 120 },
);

Deno.test("RecordFrames gives the very batches that BatchEncoder makes of columns", () => {
  const frames = new RecordFrames({ shared: [SHARED], own: "trace" }, 4000);
  fc.assert(
    fc.property(recordsArbitrary, (records) => {
      frames.reset();
      for (const { key, value, trace } of records) frames.add(key, value, trace);
      const encoder = new BatchEncoder({
        keys: records.map(({ key }) => key),
        values: records.map(({ value }) => value),
        headers: [
          { name: SHARED.name, values: SHARED.value },
          { name: "trace", values: records.map(({ trace }) => trace) },
        ],
      });
      const [mine, theirs] = [frames.plan(), encoder.plan(4000)];
      assertEquals(frames.count, records.length);
      assertEquals(frames.hasNullKey, records.some(({ key }) => key === null));
      assertEquals(mine.map(({ from, to, bytes }) => ({ from, to, bytes })), theirs);
      for (const [i, chunk] of mine.entries()) {
        assertEquals(frames.encode(chunk, OPTIONS), encoder.encode(theirs[i]!, OPTIONS));
      }
    }),
    { numRuns: 300 },
  );
});

Deno.test("RecordFrames without headers, and keys and values that the caller writes in place", () => {
  const frames = new RecordFrames({ shared: [] });
  const key = new TextEncoder().encode("xxACC1yy");
  const at = frames.open(key, 2, 6, 3);
  frames.bytes.set([1, 2, 3], at);
  const encoder = new BatchEncoder({
    keys: [key.slice(2, 6)],
    values: [Uint8Array.of(1, 2, 3)],
  });
  const [chunk] = frames.plan();
  assertEquals(frames.encode(chunk!, OPTIONS), encoder.encode(encoder.plan(1000)[0]!, OPTIONS));
});

Deno.test("a record over the limit goes alone, and a buffer that it made huge is not kept", () => {
  const frames = new RecordFrames({ shared: [] }, 1000);
  const huge = new Uint8Array(20 * 1024 * 1024).fill(7);
  for (const value of [Uint8Array.of(1), huge, Uint8Array.of(2)]) frames.add(null, value);
  assertEquals(frames.plan().map(({ from, to }) => [from, to]), [[0, 1], [1, 2], [2, 3]]);
  frames.reset();
  assert(frames.bytes.length < 1024 * 1024);
  assertEquals([frames.count, frames.plan()], [0, []]);
});
