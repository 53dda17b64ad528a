import { assertEquals, assertRejects } from "@std/assert";
import { storageConformance } from "./conformance.ts";
import { MemoryStorage } from "./memory.ts";

storageConformance("MemoryStorage", () => ({
  storage: new MemoryStorage({ roots: ["memory://bucket/root"] }),
  root: "memory://bucket/root",
}));

Deno.test("MemoryStorage strikes once with a fault, before or after the effect", async () => {
  const storage = new MemoryStorage();
  storage.failNext({
    operation: "create",
    match: "late",
    error: new Error("late"),
    afterEffect: true,
  });
  storage.failNext({ operation: "create", error: new Error("early") });
  await assertRejects(() => storage.create("memory://test/a", new Uint8Array()), Error, "early");
  assertEquals(await storage.stat("memory://test/a"), undefined);
  await assertRejects(() => storage.create("memory://test/late", new Uint8Array()), Error, "late");
  assertEquals((await storage.stat("memory://test/late"))?.size, 0);
  assertEquals(storage.faultsPending.length, 0);
});
