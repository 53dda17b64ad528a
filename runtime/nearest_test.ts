import { assertEquals } from "@std/assert";
import { editDistance, nearest } from "./nearest.ts";

Deno.test("editDistance() counts edits, a swap of neighbours as one", () => {
  assertEquals(editDistance("", "abc"), 3);
  assertEquals(editDistance("kitten", "sitting"), 3);
  assertEquals(editDistance("tabel", "table"), 1);
});

Deno.test("nearest() finds what was meant, and nothing where nothing is near", () => {
  assertEquals(nearest("tabel", ["limit", "table", "tag"]), "table");
  assertEquals(nearest("wat", ["watch", "json"]), "watch");
  assertEquals(nearest("zzzzzz", ["watch", "json"]), undefined);
});
