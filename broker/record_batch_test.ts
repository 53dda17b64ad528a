/**
 * Our record-batch codec against kafkajs's: the same bytes out, the same records in, for seeded random
 * batches; and what the decoder must refuse or skip.
 */
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import KafkajsDecoder from "kafkajs/src/protocol/decoder.js";
import kafkajsRecord from "kafkajs/src/protocol/recordBatch/record/v0/index.js";
import kafkajsDecodeBatch from "kafkajs/src/protocol/recordBatch/v0/decoder.js";
import kafkajsFormat from "kafkajs/src/protocol/recordBatch/v0/index.js";
import { Buffer } from "node:buffer";
import type { HeaderColumn, OutBatch, RecordBatch } from "./port.ts";
import { decodeRecordBatches } from "./record_batch_decode.ts";
import { BATCH_HEADER_BYTES, BatchEncoder } from "./record_batch_encode.ts";
import { RecordFrames } from "./record_frames.ts";

const SEED = 20_260_101;
const ROUNDS = 80;

/** mulberry32. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

type Random = (below: number) => number;

/** Sizes around the borders of one-, two- and three-byte varints, and some at random. */
function randomBytes(random: Random): Uint8Array {
  const sizes = [0, 1, 63, 64, 65, 8191, 8192, random(400), random(400), random(30)];
  const size = sizes[random(sizes.length)]!;
  return Uint8Array.from({ length: size }, () => random(256));
}

function randomBatch(random: Random): OutBatch {
  const count = 1 + random(random(4) === 0 ? 200 : 8);
  const some = <T>(make: () => T) => Array.from({ length: count }, make);
  const headers: HeaderColumn[] = [];
  for (let i = random(4); i > 0; i--) {
    headers.push({
      name: `header-${i}${"é".repeat(random(3))}`,
      values: random(2) === 0 ? randomBytes(random) : some(() => randomBytes(random)),
    });
  }
  return {
    keys: some(() => random(5) === 0 ? null : randomBytes(random)),
    values: some(() => random(7) === 0 ? null : randomBytes(random)),
    ...(headers.length === 0 ? {} : { headers }),
  };
}

function headerAt(column: HeaderColumn, index: number): Uint8Array {
  return column.values instanceof Uint8Array ? column.values : column.values[index]!;
}

function kafkajsRecords(batch: OutBatch, timestampDeltas: readonly number[]): unknown[] {
  const asBuffer = (bytes: Uint8Array | null) => bytes === null ? null : Buffer.from(bytes);
  return batch.values.map((value, i) =>
    kafkajsRecord({
      key: asBuffer(batch.keys[i]!),
      value: asBuffer(value),
      headers: Object.fromEntries(
        (batch.headers ?? []).map((column) => [column.name, asBuffer(headerAt(column, i))]),
      ),
      offsetDelta: i,
      timestampDelta: timestampDeltas[i],
    })
  );
}

function text(bytes: Uint8Array | null | undefined): string | null {
  return bytes === null || bytes === undefined ? null : Buffer.from(bytes).toString("latin1");
}

/** The records of a decoded batch as plain rows. */
function rows(records: RecordBatch, headerNames: readonly string[]) {
  return Array.from({ length: records.count }, (_, i) => {
    const field = (start: number, end: number) =>
      start < 0 ? null : text(records.bytes.subarray(start, end));
    return {
      offset: records.offsets[i]!,
      timestamp: records.timestamps[i]!,
      key: field(records.keyStart[i]!, records.keyEnd[i]!),
      value: field(records.valueStart[i]!, records.valueEnd[i]!),
      headers: headerNames.map((name) => text(records.header(i, name))),
    };
  });
}

function expectedRows(batch: OutBatch, timestamps: readonly number[], baseOffset: number) {
  return batch.values.map((value, i) => ({
    offset: baseOffset + i,
    timestamp: timestamps[i]!,
    key: text(batch.keys[i]),
    value: text(value),
    headers: (batch.headers ?? []).map((column) => text(headerAt(column, i))),
  }));
}

const committed = { isolation: "committed", aborted: [] } as const;

Deno.test("BatchEncoder writes kafkajs's bytes, and kafkajs reads them", async () => {
  const random = randomOf(SEED);
  for (let round = 0; round < ROUNDS; round++) {
    const batch = randomBatch(random);
    const options = {
      timestamp: 1_700_000_000_000 + random(1_000_000),
      producerId: random(2 ** 31) * 1024,
      producerEpoch: random(32767),
      baseSequence: random(2 ** 31 - 1),
      transactional: random(2) === 0,
      baseOffset: random(2 ** 31) * 1000,
    };
    const encoder = new BatchEncoder(batch);
    const [chunk] = encoder.plan(Infinity);
    const ours = encoder.encode(chunk!, options);
    const theirs = await kafkajsFormat.RecordBatch({
      firstOffset: options.baseOffset,
      firstTimestamp: options.timestamp,
      maxTimestamp: options.timestamp,
      partitionLeaderEpoch: -1,
      lastOffsetDelta: batch.values.length - 1,
      transactional: options.transactional,
      producerId: options.producerId,
      producerEpoch: options.producerEpoch,
      firstSequence: options.baseSequence,
      records: kafkajsRecords(batch, batch.values.map(() => 0)),
    });
    assertEquals(
      Buffer.from(ours).toString("hex"),
      theirs.buffer.toString("hex"),
      `round ${round}`,
    );
    const read = await kafkajsDecodeBatch(new KafkajsDecoder(Buffer.from(ours)));
    assertEquals(read.records.length, batch.values.length);
    const timestamps = batch.values.map(() => options.timestamp);
    const names = (batch.headers ?? []).map((column) => column.name);
    const { records, nextOffset } = decodeRecordBatches(ours, { fetchOffset: 0, ...committed });
    assertEquals(rows(records, names), expectedRows(batch, timestamps, options.baseOffset));
    assertEquals(nextOffset, options.baseOffset + batch.values.length);
  }
});

Deno.test("decodeRecordBatches() reads what kafkajs writes, plain and gzip, of differing times", async () => {
  const random = randomOf(SEED + 1);
  for (let round = 0; round < ROUNDS; round++) {
    const parts: Uint8Array[] = [];
    const expected: ReturnType<typeof expectedRows> = [];
    const headerNames = ["same", "own"];
    let next = random(2 ** 31) * 4;
    const fetchOffset = next + random(3);
    for (let i = 1 + random(4); i > 0; i--) {
      const plain = randomBatch(random);
      const batch: OutBatch = {
        ...plain,
        headers: headerNames.map((name) => ({
          name,
          values: plain.values.map(() => randomBytes(random)),
        })),
      };
      const firstTimestamp = 1_600_000_000_000 + random(2 ** 31);
      const deltas = batch.values.map(() =>
        [0, random(100), -random(100), random(2 ** 31) * 20][random(4)]!
      );
      const encoded = await kafkajsFormat.RecordBatch({
        compression: random(2), // none or gzip
        firstOffset: next,
        firstTimestamp,
        maxTimestamp: firstTimestamp,
        lastOffsetDelta: batch.values.length - 1,
        records: kafkajsRecords(batch, deltas),
      });
      parts.push(encoded.buffer);
      expected.push(...expectedRows(batch, deltas.map((delta) => firstTimestamp + delta), next));
      next += batch.values.length + random(2) * random(1000); // holes between batches
    }
    const last = expected.at(-1)!.offset;
    const { records, nextOffset } = decodeRecordBatches(Buffer.concat(parts), {
      fetchOffset,
      ...committed,
    });
    assertEquals(
      rows(records, headerNames),
      expected.filter(({ offset }) => offset >= fetchOffset),
      `round ${round}`,
    );
    assertEquals(nextOffset, Math.max(last + 1, fetchOffset));
    for (
      const column of [records.offsets, records.timestamps, records.keyStart, records.valueEnd]
    ) {
      assertEquals(column.length, records.count);
    }
  }
});

Deno.test("decodeRecordBatches() hands out plain arrays, whose slice() is a copy, even from a Buffer", () => {
  const bytes = Buffer.from(encodeTexts("abc"));
  const { records } = decodeRecordBatches(bytes, { fetchOffset: 10, ...committed });
  const kept = records.bytes.subarray(records.valueStart[0], records.valueEnd[0]).slice();
  records.bytes.fill(9);
  assertEquals(kept, new TextEncoder().encode("abc"));
});

Deno.test("BatchEncoder.plan() keeps chunks within the limit and says their size exactly", () => {
  const random = randomOf(SEED + 2);
  for (let round = 0; round < ROUNDS; round++) {
    const batch = randomBatch(random);
    const encoder = new BatchEncoder(batch);
    const bytesMax = 100 + random(20_000);
    const chunks = encoder.plan(bytesMax);
    assertEquals(chunks[0]!.from, 0);
    assertEquals(chunks.at(-1)!.to, batch.values.length);
    chunks.forEach((chunk, i) => {
      assertEquals(chunk.from, i === 0 ? 0 : chunks[i - 1]!.to);
      if (chunk.bytes > bytesMax) assertEquals(chunk.to - chunk.from, 1);
      assertEquals(encoder.encode(chunk, { timestamp: 0 }).length, chunk.bytes);
    });
  }
  assertEquals(new BatchEncoder({ keys: [], values: [] }).plan(100), []);
});

Deno.test("BatchEncoder refuses columns of differing length", () => {
  const values = [new Uint8Array(1), null];
  assertThrows(() => new BatchEncoder({ keys: [null], values }), RangeError, "1 keys for 2 values");
  const headers = [{ name: "trace", values: [new Uint8Array(1)] }];
  assertThrows(
    () => new BatchEncoder({ keys: [null, null], values, headers }),
    RangeError,
    `"trace"`,
  );
});

function encodeTexts(...values: string[]): Uint8Array {
  const encoder = new BatchEncoder({
    keys: values.map(() => null),
    values: values.map((value) => new TextEncoder().encode(value)),
  });
  return encoder.encode(encoder.plan(Infinity)[0]!, { timestamp: 0, baseOffset: 10 });
}

Deno.test("decodeRecordBatches() leaves a batch that is cut off to the next fetch", () => {
  const [first, second] = [encodeTexts("a", "b"), encodeTexts("c")];
  for (const left of [0, 5, 12, second.length - 1]) {
    const bytes = Buffer.concat([first, second.subarray(0, left)]);
    const { records, nextOffset } = decodeRecordBatches(bytes, { fetchOffset: 10, ...committed });
    assertEquals([records.count, nextOffset], [2, 12]);
  }
  const cut = first.subarray(0, first.length - 1);
  assertThrows(
    () => decodeRecordBatches(cut, { fetchOffset: 10, ...committed }),
    Error,
    "hold no whole batch",
  );
  const nothing = decodeRecordBatches(new Uint8Array(0), { fetchOffset: 10, ...committed });
  assertEquals([nothing.records.count, nothing.nextOffset], [0, 10]);
});

Deno.test("decodeRecordBatches() refuses every damaged byte that the checksum covers", () => {
  const batch = encodeTexts("some", "records");
  for (let at = 21; at < batch.length; at++) {
    const damaged = batch.slice();
    damaged[at]! ^= 0x40;
    assertThrows(
      () => decodeRecordBatches(damaged, { fetchOffset: 0, ...committed }),
      Error,
      "checksum",
    );
  }
});

Deno.test("decodeRecordBatches() without checksums never reads beyond a batch", () => {
  const random = randomOf(SEED + 3);
  const batch = encodeTexts("one", "two", "three");
  let refused = 0;
  for (let round = 0; round < 2000; round++) {
    const damaged = batch.slice();
    damaged[BATCH_HEADER_BYTES + random(batch.length - BATCH_HEADER_BYTES)] = random(256);
    try {
      const { records } = decodeRecordBatches(damaged, {
        fetchOffset: 0,
        ...committed,
        checkCrc: false,
      });
      for (const end of [...records.keyEnd, ...records.valueEnd]) {
        assertEquals(end <= damaged.length, true, `round ${round}: ${end}`);
      }
    } catch (error) {
      refused++;
      assertMatch((error as Error).message, /^Cannot decode/);
    }
  }
  assertEquals(refused > 0, true);
});

Deno.test("decodeRecordBatches() names what it cannot read", () => {
  const old = encodeTexts("a");
  old[16] = 1;
  assertThrows(
    () => decodeRecordBatches(old, { fetchOffset: 0, ...committed }),
    Error,
    "format 1",
  );
  const codec = encodeTexts("a");
  codec[22] = 5;
  assertThrows(
    () => decodeRecordBatches(codec, { fetchOffset: 0, ...committed, checkCrc: false }),
    Error,
    "codec 5",
  );
});

Deno.test("decodeRecordBatches() stops between batches once the compressed ones have given enough", () => {
  const frames = new RecordFrames({ shared: [] }, { bytesMax: 10_000, compression: "zstd" });
  for (let i = 0; i < 50; i++) frames.add(null, new Uint8Array(1000).fill(i));
  // Nine records of 1,000 bytes and a few of framing are a batch of at most 10,000.
  const batches = frames.plan().map((chunk) =>
    frames.encode(chunk, { timestamp: 0, baseOffset: chunk.from })
  );
  const log = Buffer.concat(batches);
  const decode = (unpackedBytesMax?: number) =>
    decodeRecordBatches(log, {
      fetchOffset: 0,
      ...committed,
      ...(unpackedBytesMax === undefined ? {} : { unpackedBytesMax }),
    });
  assertEquals([decode().nextOffset, decode().records.count], [50, 50]);
  assertEquals([decode(1).nextOffset, decode(1).records.count], [9, 9]);
  const some = decode(20_000);
  assertEquals([some.nextOffset, some.records.count], [27, 27]);
  assertEquals([...some.records.offsets], Array.from({ length: 27 }, (_, i) => i));
  assert(some.expansion > 20, `each byte gave ${some.expansion}`);
  const plain = encodeTexts("abc");
  assertEquals(decodeRecordBatches(plain, { fetchOffset: 10, ...committed }).expansion, 1);
});
