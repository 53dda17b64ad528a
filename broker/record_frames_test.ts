import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { BatchEncoder } from "./record_batch_encode.ts";
import { decodeRecordBatches } from "./record_batch_decode.ts";
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
  const frames = new RecordFrames({ shared: [SHARED], own: "trace" }, { bytesMax: 4000 });
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
  const frames = new RecordFrames({ shared: [] }, { bytesMax: 1000 });
  const huge = new Uint8Array(20 * 1024 * 1024).fill(7);
  for (const value of [Uint8Array.of(1), huge, Uint8Array.of(2)]) frames.add(null, value);
  assertEquals(frames.plan().map(({ from, to }) => [from, to]), [[0, 1], [1, 2], [2, 3]]);
  frames.reset();
  assert(frames.bytes.length < 1024 * 1024);
  assertEquals([frames.count, frames.plan()], [0, []]);
});

/** The records of a batch, as texts of key, value and trace. */
function recordsOf(batch: Uint8Array): string[] {
  const { records } = decodeRecordBatches(batch, {
    fetchOffset: 0,
    isolation: "uncommitted",
    aborted: [],
  });
  const hex = (from: number, to: number) =>
    from < 0 ? "null" : records.bytes.slice(from, to).toHex();
  return Array.from({ length: records.count }, (_, i) =>
    [
      records.offsets[i],
      records.timestamps[i],
      hex(records.keyStart[i]!, records.keyEnd[i]!),
      hex(records.valueStart[i]!, records.valueEnd[i]!),
      records.header(i, "trace")!.toHex(),
    ].join());
}

/** Kafka's codec of a batch: bits 0-2 of its attributes. */
const codecOf = (batch: Uint8Array) => batch[22]! & 7;

Deno.test("packed batches hold the very records of plain ones, and take no room in the buffer", () => {
  const headers = { shared: [SHARED], own: "trace" };
  const plain = new RecordFrames(headers, { bytesMax: 9000 });
  const packed = new RecordFrames(headers, { bytesMax: 9000, compression: "zstd" });
  fc.assert(
    fc.property(recordsArbitrary, fc.nat(3), (records, repeats) => {
      for (const frames of [plain, packed]) {
        frames.reset();
        for (let round = 0; round <= 20 * repeats; round++) {
          for (const { key, value, trace } of records) frames.add(key, value, trace);
        }
      }
      const [expected, mine] = [plain.plan(), packed.plan()];
      assertEquals(
        mine.map(({ from, to }) => [from, to]),
        expected.map(({ from, to }) => [from, to]),
      );
      for (const [i, chunk] of mine.entries()) {
        const batch = packed.encode(chunk, OPTIONS);
        const other = plain.encode(expected[i]!, OPTIONS);
        assertEquals(recordsOf(batch), recordsOf(other));
        assert(batch.length <= other.length);
      }
    }),
    { numRuns: 60 },
  );
  assert(packed.bytes.length <= 64 * 1024, "the places of packed batches are used again");
});

Deno.test("batches are packed where that makes them smaller: not the small ones, not noise", () => {
  const frames = new RecordFrames({ shared: [], own: "trace" }, { compression: "zstd" });
  const batchOf = (value: Uint8Array) => {
    frames.reset();
    frames.add(null, value);
    return frames.encode(frames.plan()[0]!, OPTIONS);
  };
  const noise = crypto.getRandomValues(new Uint8Array(20_000));
  assertEquals(codecOf(batchOf(new Uint8Array(3000))), 0);
  assertEquals(codecOf(batchOf(noise)), 0);
  const zeros = batchOf(new Uint8Array(20_000));
  assertEquals(codecOf(zeros), 4);
  assert(zeros.length < 200);
});
