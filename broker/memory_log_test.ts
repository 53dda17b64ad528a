/**
 * Many writers on one partition, in any order, against a model that knows which records are committed:
 * the decoder's read_committed filter must show those and no others, from every offset, in fetches of
 * every size, also after cleaning.
 */
import { assertEquals } from "@std/assert";
import { bytesOf, valueText } from "./conformance_support.ts";
import { PartitionLog } from "./memory_log.ts";
import type { Isolation } from "./port.ts";
import { decodeRecordBatches } from "./record_batch_decode.ts";
import { BatchEncoder } from "./record_batch_encode.ts";

const ROUNDS = 40;
const STEPS = 60;
const PRODUCERS = 5;

interface Written {
  offset: number;
  key: string;
  value: string;
  outcome: "open" | "committed" | "aborted";
}

/** A linear congruential generator (Numerical Recipes' constants). */
function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 4294967296) * below);
  };
}

function append(log: PartitionLog, pairs: [string, string][], producerId: number, open: boolean) {
  const encoder = new BatchEncoder({
    keys: pairs.map(([key]) => bytesOf(key)),
    values: pairs.map(([, value]) => bytesOf(value)),
  });
  const [chunk] = encoder.plan(Infinity);
  const batch = encoder.encode(chunk!, { timestamp: 0, producerId, transactional: open });
  log.append(batch, pairs.length, { producerId, transactional: open });
}

function read(
  log: PartitionLog,
  offset: number,
  options: { isolation: Isolation; bytesMax: number },
) {
  const { isolation } = options;
  const values: string[] = [];
  const limit = isolation === "committed" ? log.stable : log.end;
  while (offset < limit) {
    const slice = log.read(offset, options);
    const decoded = decodeRecordBatches(slice.bytes, {
      fetchOffset: offset,
      isolation,
      aborted: slice.aborted,
    });
    for (let i = 0; i < decoded.records.count; i++) {
      values.push(`${decoded.records.offsets[i]}:${valueText(decoded.records, i)}`);
    }
    offset = slice.hole ? limit : decoded.nextOffset;
  }
  return values;
}

/** Random appends and ends; returns what was written. */
function write(log: PartitionLog, random: (below: number) => number): Written[] {
  const written: Written[] = [];
  const openOf = new Map<number, Written[]>();
  for (let step = 0; step < STEPS; step++) {
    const producerId = random(PRODUCERS); // producer 0 writes outside transactions
    const mine = openOf.get(producerId) ?? [];
    if (producerId > 0 && mine.length > 0 && random(2) === 0) {
      const commit = random(2) === 0;
      log.endTransaction({ producerId, producerEpoch: 0, commit, timestamp: 0 });
      for (const record of mine) record.outcome = commit ? "committed" : "aborted";
      openOf.delete(producerId);
      continue;
    }
    const pairs = Array.from({ length: 1 + random(3) }, (_, i): [string, string] => [
      random(9) === 0 ? "\0\0\0\0" : `k${random(6)}`,
      `${step}.${i}`,
    ]);
    const base = log.end;
    append(log, pairs, producerId, producerId > 0);
    const records = pairs.map(([key, value], i): Written => ({
      offset: base + i,
      key,
      value,
      outcome: producerId > 0 ? "open" : "committed",
    }));
    written.push(...records);
    if (producerId > 0) openOf.set(producerId, [...mine, ...records]);
  }
  return written;
}

Deno.test("a reader of any interleaving of writers gets what is committed and stable, and only that", () => {
  for (let seed = 1; seed <= ROUNDS; seed++) {
    const random = randomOf(seed);
    const log = new PartitionLog();
    const written = write(log, random);
    const open = written.filter(({ outcome }) => outcome === "open");
    const stable = Math.min(log.end, ...open.map(({ offset }) => offset));
    assertEquals(log.stable, stable, `seed ${seed}`);
    const visible = written.filter((r) => r.outcome === "committed" && r.offset < stable);
    for (let offset = 0; offset <= log.end; offset++) {
      const bytesMax = [1, 200, 1000, 1 << 20][random(4)]!;
      const expected = (records: Written[]) =>
        records.filter((r) => r.offset >= offset).map((r) => `${r.offset}:${r.value}`);
      const where = `seed ${seed}, from ${offset}, ${bytesMax} bytes`;
      const committed = read(log, offset, { isolation: "committed", bytesMax });
      assertEquals(committed, expected(visible), where);
      const all = read(log, offset, { isolation: "uncommitted", bytesMax });
      assertEquals(all, expected(written), where);
    }
  }
});

Deno.test("cleaning keeps the newest committed record of each key, at its offset, and hides no other", () => {
  for (let seed = 1; seed <= ROUNDS; seed++) {
    const random = randomOf(seed);
    const log = new PartitionLog();
    const written = write(log, random);
    const stable = log.stable;
    log.compact({ dropMarkers: seed % 2 === 0 });
    const newest = new Map<string, Written>();
    for (const record of written) {
      if (record.outcome === "committed" && record.offset < stable) newest.set(record.key, record);
    }
    const expected = [...newest.values()].sort((a, b) => a.offset - b.offset)
      .map((record) => `${record.offset}:${record.value}`);
    const bytesMax = [1, 200, 1 << 20][seed % 3]!;
    const left = read(log, 0, { isolation: "committed", bytesMax });
    assertEquals(left, expected, `seed ${seed}`);
    assertEquals(log.stable, stable);
  }
});
