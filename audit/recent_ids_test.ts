/** Against the plainest list there is. */
import { assertEquals } from "@std/assert";
import { RecentIds } from "./recent_ids.ts";

function uuid(number: number): string {
  // Digits all over the id, so that no word of it stands still.
  const hex = (Math.imul(number + 1, 0x9e3779b1) >>> 0).toString(16).padStart(8, "0");
  return `${hex}-${hex.slice(0, 4)}-4${hex.slice(4, 7)}-8${hex.slice(1, 4)}-${hex}${
    hex.slice(2, 6)
  }`;
}

Deno.test("RecentIds knows exactly the last ids, whatever the limit and however many came", () => {
  for (const max of [1, 2, 7, 1000, 1025, 5000]) {
    const ids = new RecentIds(max);
    const list: string[] = [];
    for (let n = 0; n < 12_000; n++) {
      // Some come again, when they are forgotten or while they are known.
      const id = uuid(n % 5 === 4 ? Math.max(0, n - 1 - (n * 7919) % (2 * max + 3)) : n);
      const known = list.includes(id, Math.max(0, list.length - 6000));
      assertEquals(ids.has(id), known, `max ${max}, number ${n}`);
      if (known) continue;
      ids.add(id);
      list.push(id);
      if (list.length > max) list.shift();
      assertEquals(ids.size, list.length);
    }
  }
});

Deno.test("RecentIds forgets the oldest when the limit falls, and grows when it rises", () => {
  const ids = new RecentIds(3000);
  for (let n = 0; n < 3000; n++) ids.add(uuid(n));
  ids.setMax(10);
  assertEquals([ids.size, ids.has(uuid(2989)), ids.has(uuid(2990))], [10, false, true]);
  ids.setMax(20);
  for (let n = 3000; n < 3010; n++) ids.add(uuid(n));
  assertEquals([ids.size, ids.has(uuid(2990)), ids.has(uuid(3009))], [20, true, true]);
  ids.add(uuid(4000));
  assertEquals([ids.size, ids.has(uuid(2990)), ids.has(uuid(2991))], [20, false, true]);
});

Deno.test("RecentIds tells ids apart that differ in any digit", () => {
  const id = "0a1b2c3d-4e5f-4a6b-8c7d-0e1f2a3b4c5d";
  const ids = new RecentIds(10);
  ids.add(id);
  for (let at = 0; at < id.length; at++) {
    if (id[at] === "-") continue;
    const other = id.slice(0, at) + (id[at] === "9" ? "8" : "9") + id.slice(at + 1);
    assertEquals(ids.has(other), false, other);
  }
  assertEquals(ids.has(id), true);
});
