import { assertEquals } from "@std/assert";
import { printDuration } from "./text.ts";

Deno.test("printDuration() shows the two largest units", () => {
  assertEquals(printDuration(0), "0s");
  assertEquals(printDuration(59), "59s");
  assertEquals(printDuration(200), "3m 20s");
  assertEquals(printDuration(7500), "2h 5m");
  assertEquals(printDuration(273_600), "3d 4h");
  assertEquals(printDuration(null), "-");
});
