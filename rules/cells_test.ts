import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { AccountIndex } from "./account_index.ts";
import { cellBytesMax, decodeCell, encodeCell } from "./cell_codec.ts";
import { CellStore } from "./cells.ts";
import { emptyFacts, hashBytes } from "./values/facts.ts";

function encoded(key: number, touched: number, words: Float64Array, base: number, length: number) {
  const into = new Uint8Array(cellBytesMax(length));
  return into.slice(0, encodeCell(key, touched, words, base, length, into));
}

Deno.test("a cell comes back as it was, for any safe integers", () => {
  const edge = fc.constantFrom(0, 1, -1, 63, 64, -64, -65, 127, 128, 2 ** 31, 2 ** 32);
  const extreme = fc.constantFrom(Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER);
  const word = fc.oneof(edge, extreme, fc.maxSafeInteger());
  fc.assert(
    fc.property(fc.array(word, { maxLength: 40 }), word, fc.maxSafeNat(), (words, key, touched) => {
      const bytes = encoded(key, touched, Float64Array.from([7, ...words]), 1, words.length);
      const decoded = new Float64Array(words.length).fill(5);
      assertEquals(decodeCell(bytes, decoded), { key, touched });
      assertEquals([...decoded], words);
    }),
    { numRuns: 500 },
  );
});

Deno.test("a damaged cell is an error, not a guess", () => {
  const bytes = encoded(3, 4, Float64Array.of(5, 600), 0, 2);
  assertThrows(() => decodeCell(bytes, new Float64Array(3)), Error, "expected 3");
  assertThrows(() => decodeCell(bytes.subarray(0, -1), new Float64Array(2)), Error, "too early");
  assertThrows(
    () => encoded(0.5, 0, new Float64Array(1), 0, 1),
    RangeError,
    `"0.5"`,
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
      const facts = emptyFacts();
      touches.forEach(([text, key], offset) => {
        facts.bytes = new TextEncoder().encode(text);
        facts.accountEnd = facts.bytes.length;
        facts.accountHash = hashBytes(facts.bytes, 0, facts.accountEnd);
        facts.offset = offset;
        const cells = model.get(text) ?? new Map<number, number>();
        model.set(text, cells);
        const base = store.touch(facts, key);
        assertEquals(store.words[base], cells.get(key) ?? 0, "a new cell is zeroed");
        if (!cells.delete(key) && cells.size === 16) cells.delete([...cells.keys()][0]!);
        cells.set(key, offset + 1);
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
