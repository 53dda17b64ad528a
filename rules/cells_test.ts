import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { AccountIndex } from "./account_index.ts";
import { beginCells, cellsBytesMax, CellsReader, writeCell, writeNoCell } from "./cell_codec.ts";
import { CellStore } from "./cells.ts";
import { compact, drained, SINGLE_CELL } from "./testing.ts";
import { emptyFacts, type Facts, hashBytes } from "./values/facts.ts";

/** A cell, or the lack of one. */
type Cell = { key: number; touched: number; words: number[] } | undefined;

function encoded(cells: readonly Cell[], cellWords: number): Uint8Array {
  const into = new Uint8Array(cellsBytesMax(cellWords, cells.length));
  let at = beginCells(into, cellWords, cells.length);
  for (const cell of cells) {
    if (cell === undefined) at = writeNoCell(into, at);
    else {
      const words = Float64Array.from([7, ...cell.words]);
      at = writeCell(into, at, cell.key, cell.touched, words, 1, cellWords);
    }
  }
  return into.slice(0, at);
}

function decoded(value: Uint8Array): Cell[] {
  const record = new CellsReader(value);
  const cells = Array.from({ length: record.cells }, () => {
    if (!record.next()) return undefined;
    const words = new Float64Array(record.cellWords).fill(5);
    record.read(words);
    return { key: record.key, touched: record.touched, words: [...words] };
  });
  record.end();
  return cells;
}

Deno.test("cells come back as they were, for any safe integers", () => {
  const edge = fc.constantFrom(0, 1, -1, 63, 64, -64, -65, 127, 128, 2 ** 31, 2 ** 32);
  const extreme = fc.constantFrom(Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER);
  const word = fc.oneof(edge, extreme, fc.maxSafeInteger());
  const record = fc.nat(30).chain((cellWords) => {
    const words = fc.array(word, { minLength: cellWords, maxLength: cellWords });
    const cell = fc.record({ key: word, touched: fc.maxSafeNat(), words }, {
      noNullPrototype: true,
    });
    return fc.tuple(fc.constant(cellWords), fc.array(fc.option(cell, { nil: undefined })));
  });
  fc.assert(
    fc.property(record, ([cellWords, cells]) => {
      assertEquals(decoded(encoded(cells, cellWords)), cells);
    }),
    { numRuns: 500 },
  );
});

Deno.test("a damaged record of cells is an error, not a guess", () => {
  const bytes = encoded([{ key: 3, touched: 4, words: [5, 600] }, undefined], 2);
  assertThrows(() => decoded(bytes.subarray(0, -2)), Error, "too early");
  assertThrows(() => decoded(bytes.subarray(0, -1)), Error, "too early");
  assertThrows(() => decoded(Uint8Array.of(...bytes, 0)), Error, "more bytes follow");
  assertThrows(() => decoded(Uint8Array.of(3, ...bytes.subarray(1))), Error, `version "3"`);
  assertThrows(() => encoded([{ key: 0.5, touched: 0, words: [1] }], 1), RangeError, `"0.5"`);
  // Version, 2 words, 1 place; that place says that it has 3 words.
  assertThrows(() => decoded(Uint8Array.of(2, 4, 2, 8, 2, 2, 2, 2, 2)), Error, "3 words");
  assertThrows(() => decoded(Uint8Array.of(2, 4, 2, 1)), Error, "-2 words");
});

Deno.test("records of a single cell, by earlier programs, are read", () => {
  assertEquals(decoded(SINGLE_CELL), [{ key: -5, touched: 900, words: [1, 0, 300, 0, 0] }]);
});

function factsOf(account: string, offset: number): Facts {
  const bytes = new TextEncoder().encode(account);
  const accountHash = hashBytes(bytes, 0, bytes.length);
  return Object.assign(emptyFacts(), { bytes, accountEnd: bytes.length, accountHash, offset });
}

/** The cells in a changelog by account, the one touched last at the end. */
function cellsOf(log: ReadonlyMap<string, Uint8Array>): Record<string, Cell[]> {
  const found: Record<string, NonNullable<Cell>[]> = {};
  for (const [key, value] of log) {
    const cells = decoded(value).filter((cell) => cell !== undefined);
    (found[key.split("/")[2]!] ??= []).push(...cells);
  }
  for (const cells of Object.values(found)) cells.sort((a, b) => a.touched - b.touched);
  return found;
}

/** Puts a value into a map as the one used last; the one used longest ago goes where there are `max`. */
function use<K, V>(map: Map<K, V>, key: K, value: V, max: number): void {
  if (!map.delete(key) && map.size === max) map.delete([...map.keys()][0]!);
  map.set(key, value);
}

Deno.test("the changelog holds what a plain model holds, whenever it is drained and restored", () => {
  const touch = fc.tuple(
    fc.constantFrom("drain", "restore", ...Array(8).fill("touch")),
    fc.nat(4).map((n) => `ACC${n}`),
    fc.integer({ min: -2, max: 20 }),
  );
  const actions = fc.array(touch, { maxLength: 300, size: "max" });
  const CELLS_MAX = 16, ACCOUNTS_MAX = 3;
  fc.assert(
    fc.property(actions, fc.constantFrom(1, 2, 4, 16), (steps, cellsPerRecord) => {
      const options = { cellWords: 2, accountsMax: ACCOUNTS_MAX, prefix: "a/1/", cellsPerRecord };
      let store = new CellStore(options);
      const log = new Map<string, Uint8Array>();
      const model = new Map<string, Map<number, number>>();
      steps.forEach(([what, account, key], offset) => {
        if (what !== "touch") compact(log, drained(store));
        if (what === "restore") {
          store = new CellStore(options);
          for (const [text, value] of log) {
            const [, , name, page] = text.split("/");
            store.restore(name!, Number(page), value);
          }
          store.finishRestore();
        }
        if (what !== "touch") return;
        const cells = model.get(account) ?? new Map<number, number>();
        use(model, account, cells, ACCOUNTS_MAX);
        use(cells, key, offset, CELLS_MAX);
        store.words[store.touch(factsOf(account, offset), key) + 1] = offset * 1000;
      });
      compact(log, drained(store));
      const expected: Record<string, Cell[]> = {};
      for (const [account, cells] of model) {
        expected[account] = [...cells]
          .map(([key, touched]) => ({ key, touched, words: [0, touched * 1000] }));
      }
      assertEquals(cellsOf(log), expected);
      assertEquals(store.accountCount, model.size);
    }),
    { numRuns: 200 },
  );
});

Deno.test("the account index equals a plain map, whatever is added, used and removed", () => {
  const name = fc.integer({ min: 0, max: 40 }).map((n) => `ACC${n}`);
  const action = fc.tuple(fc.constantFrom("use", "use", "use", "drop", "dropOldest"), name);
  fc.assert(
    fc.property(
      fc.array(action, { maxLength: 300, size: "max" }),
      fc.boolean(),
      (actions, collide) => {
        const index = new AccountIndex(8);
        const model = new Map<string, number>();
        for (const [what, text] of actions) {
          const bytes = new TextEncoder().encode(`..${text}`);
          // With collisions, all lie in one chain of the table.
          const hash = collide ? -1 : hashBytes(bytes, 2, bytes.length);
          const found = index.find(bytes, 2, bytes.length, hash);
          assertEquals(found, model.get(text) ?? -1);
          if (what === "use") {
            const at = found < 0 ? index.insert(bytes, 2, bytes.length, hash) : found;
            index.moveToFront(at);
            model.delete(text);
            model.set(text, at);
          } else if (what === "drop" && found >= 0) {
            index.remove(found);
            model.delete(text);
          } else if (what === "dropOldest" && model.size > 0) {
            const [oldest, at] = [...model][0]!;
            assertEquals(index.oldest, at);
            index.remove(at);
            model.delete(oldest);
          }
          assertEquals(index.all().map((account) => index.name(account)), [...model.keys()]);
          assertEquals(index.count, model.size);
        }
      },
    ),
    { numRuns: 200 },
  );
});

Deno.test("cells equal a plain map per account that forgets the least recently touched of 16", () => {
  const account = fc.nat(2).map((n) => `ACC${n}`);
  const actions = fc.array(fc.tuple(account, fc.integer({ min: -2, max: 20 })), {
    maxLength: 400,
    size: "max",
  });
  fc.assert(
    fc.property(actions, (touches) => {
      const store = new CellStore({ cellWords: 2, accountsMax: 3, prefix: "a/1/" });
      const model = new Map<string, Map<number, number>>();
      touches.forEach(([text, key], offset) => {
        const cells = model.get(text) ?? new Map<number, number>();
        model.set(text, cells);
        const base = store.touch(factsOf(text, offset), key);
        assertEquals(store.words[base], cells.get(key) ?? 0, "a new cell is zeroed");
        use(cells, key, offset + 1, 16);
        store.words[base] = offset + 1;
        for (let other = -3; other <= 21; other++) {
          const found = store.find(other);
          assertEquals(found < 0 ? undefined : store.words[found], cells.get(other));
        }
      });
    }),
    { numRuns: 100 },
  );
});
