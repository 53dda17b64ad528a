import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { printUuid } from "../contracts/ids.ts";
import { DedupTable } from "./dedup.ts";
import { BLOCK_IDS } from "./dedup_log.ts";
import { ChangeList } from "../rules/state_change.ts";

const decoder = new TextDecoder();

/** A changelog as compaction leaves it, in the order of last writes. */
class Changelog {
  readonly records = new Map<string, Uint8Array>();

  take(table: DedupTable): string[] {
    const list = new ChangeList();
    table.drain(list);
    const { changes } = list;
    const keys = changes.map(({ key }) => decoder.decode(key));
    assertEquals(new Set(keys).size, keys.length, "one record per key");
    changes.forEach(({ value }, i) => {
      this.records.delete(keys[i]!);
      if (value !== null) this.records.set(keys[i]!, value);
    });
    return keys.map((key, i) => changes[i]!.value === null ? `-${key}` : key);
  }

  restore(idsMax: number): DedupTable {
    const table = new DedupTable({ idsMax });
    for (const [key, value] of this.records) table.restore(key, value);
    table.finishRestore();
    return table;
  }
}

/** An id for a number: the same number, the same id; close in the table on purpose. */
function add(table: DedupTable, n: number): number {
  return table.add(n % 3, 0, 0, n);
}

Deno.test("printUuid prints four words as a UUID", () => {
  assertEquals(
    printUuid(0x0b0e7a6e, 0x0b7e4b7e, 0x8b7e0000 | 0, 0xff01 | 0),
    "0b0e7a6e-0b7e-4b7e-8b7e-00000000ff01",
  );
  assertEquals(printUuid(-1, -1, -1, -1), "ffffffff-ffff-ffff-ffff-ffffffffffff");
});

Deno.test("an id is a duplicate exactly while it is among the last accepted ones", () => {
  const table = new DedupTable({ idsMax: 3 });
  const taken = [1, 2, 1, 3, 1, 4, 2, 1, 3].map((n) => add(table, n) >= 0);
  // 4 pushes 1 out; 2 is still there; 1 comes in again and pushes 2 out; 3 is still there.
  assertEquals(taken, [true, true, false, true, false, true, false, true, false]);
  assertEquals(table.size, 3);
  assertEquals(table.next, 5);
  assertEquals(table.idOf(1), undefined);
  assertEquals(table.idOf(2), printUuid(0, 0, 0, 3));
  assertEquals(table.idOf(5), undefined);
});

Deno.test("the table equals a plain list, through commits, restores and another size", () => {
  const event = fc.oneof(
    {
      weight: 40,
      arbitrary: fc.integer({ min: 0, max: 60 }).map((n) => ({ kind: "add" as const, n })),
    },
    {
      weight: 4,
      arbitrary: fc.integer({ min: 1, max: 6000 }).map((n) => ({ kind: "many" as const, n })),
    },
    { weight: 5, arbitrary: fc.constant({ kind: "commit" as const }) },
    {
      weight: 2,
      arbitrary: fc.constantFrom(20, 5000, 9000).map((n) => ({ kind: "restore" as const, n })),
    },
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 80, size: "max" }), (events) => {
      const log = new Changelog();
      let idsMax = 20;
      let table = new DedupTable({ idsMax });
      let accepted: number[] = [];
      let fresh = 1_000_000;
      const check = (n: number) => {
        const expected = !accepted.includes(n);
        assertEquals(add(table, n) >= 0, expected);
        if (expected) accepted.push(n);
        if (accepted.length > idsMax) accepted.shift();
      };
      for (const event of events) {
        if (event.kind === "add") check(event.n);
        else if (event.kind === "many") {
          for (let i = 0; i < event.n; i++) accepted.push(add(table, ++fresh) >= 0 ? fresh : NaN);
          accepted = accepted.slice(-idsMax);
        } else if (event.kind === "commit") log.take(table);
        else {
          log.take(table);
          const before = { next: table.next, size: table.size };
          idsMax = event.n;
          table = log.restore(idsMax);
          log.take(table);
          assertEquals(table.next, before.next);
          assertEquals(table.size, Math.min(before.size, idsMax));
          accepted = accepted.slice(-idsMax);
        }
      }
      assertEquals(remembered(table), accepted);
    }),
    { numRuns: 40 },
  );
});

/** What the table says it remembers, oldest first. */
function remembered(table: DedupTable): number[] {
  const found: number[] = [];
  for (let sequence = table.next - table.size; sequence < table.next; sequence++) {
    found.push(parseInt(table.idOf(sequence)!.slice(-8), 16));
  }
  return found;
}

Deno.test("ids lie in the changelog as parts, then as blocks in a ring; the parts go", () => {
  const log = new Changelog();
  const table = new DedupTable({ idsMax: 5000 });
  let n = 0;
  const addMany = (count: number) => {
    for (let i = 0; i < count; i++) add(table, ++n);
  };
  addMany(10);
  assertEquals(log.take(table), ["i/p/0"]);
  assertEquals(log.take(table), []);
  addMany(1);
  assertEquals(log.take(table), ["i/p/10"]);
  addMany(BLOCK_IDS - 11);
  assertEquals(log.take(table), ["i/b/3/0", "-i/p/0", "-i/p/10"]);
  addMany(BLOCK_IDS + 7);
  assertEquals(log.take(table), ["i/b/3/1", `i/p/${2 * BLOCK_IDS}`]);
  addMany(20 * BLOCK_IDS);
  log.take(table);
  addMany(1);
  log.take(table);
  // Whatever came before, the changelog holds the ring and the unfinished block's parts.
  assertEquals([...log.records.keys()].sort(), [
    "i/b/3/0",
    "i/b/3/1",
    "i/b/3/2",
    `i/p/${22 * BLOCK_IDS}`,
    `i/p/${22 * BLOCK_IDS + 7}`,
  ]);
  const bytes = [...log.records.values()].reduce((sum, value) => sum + value.length, 0);
  assertEquals(bytes, (3 * BLOCK_IDS + 8) * 16 + 5 * 17);
});

Deno.test("another dedup_ids_max moves the blocks to its own ring", () => {
  const log = new Changelog();
  const before = new DedupTable({ idsMax: 5000 });
  for (let n = 1; n <= 5 * BLOCK_IDS + 3; n++) add(before, n);
  log.take(before);
  const after = log.restore(20_000);
  assertEquals(after.next, 5 * BLOCK_IDS + 3);
  assertEquals(after.size, 5000);
  assertEquals(add(after, 5 * BLOCK_IDS + 3 - 4999), -1);
  log.take(after);
  assertEquals([...log.records.keys()].sort(), [
    "i/b/6/3",
    "i/b/6/4",
    `i/p/${5 * BLOCK_IDS}`,
  ]);
  const shrunk = log.restore(1024);
  log.take(shrunk);
  assertEquals([...log.records.keys()].sort(), ["i/b/2/0", `i/p/${5 * BLOCK_IDS}`]);
  assertEquals(add(shrunk, 5 * BLOCK_IDS + 3 - 1023), -1);
  assertEquals(add(shrunk, 5 * BLOCK_IDS + 3 - 1024), 5 * BLOCK_IDS + 3);
});

Deno.test("a damaged or newer changelog is refused", () => {
  const log = new Changelog();
  const table = new DedupTable({ idsMax: 50_000 });
  for (let n = 1; n <= 3 * BLOCK_IDS; n++) add(table, n);
  log.take(table);
  log.records.delete("i/b/14/1");
  assertThrows(() => log.restore(50_000), Error, `none between "i/b/14/0" and "i/b/14/2"`);
  const fresh = new DedupTable({ idsMax: 10 });
  assertThrows(() => fresh.restore("i/p/0", new Uint8Array([2])), Error, "its version is 2");
});
