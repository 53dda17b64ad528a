import { assertEquals } from "@std/assert";
import { findUntidy } from "./tidy.ts";

Deno.test("the repository is tidy", async () => {
  assertEquals(await findUntidy(), []);
});
