import { assertEquals, assertRejects } from "@std/assert";
import { catalogConformance } from "./conformance.ts";
import { CommitStateUnknownError, NoSuchNamespaceError } from "./errors.ts";
import { MemoryCatalog } from "./memory.ts";

catalogConformance("MemoryCatalog", async () => {
  const catalog = new MemoryCatalog({ nowMs: () => 1_700_000_000_000 });
  await catalog.createNamespace(["finance"]);
  return { catalog, namespace: ["finance"] };
});

Deno.test("MemoryCatalog strikes once, after the effect if told so", async () => {
  const catalog = new MemoryCatalog({ nowMs: () => 0 });
  catalog.failNext({
    operation: "createNamespace",
    error: new CommitStateUnknownError("lost"),
    afterEffect: true,
    skip: 1,
  });
  await catalog.createNamespace(["a"]);
  await assertRejects(() => catalog.createNamespace(["b"]), CommitStateUnknownError);
  assertEquals(await catalog.listNamespaces(), [["a"], ["b"]]);
  assertEquals(catalog.faultsPending, []);
  assertEquals(catalog.calls.createNamespace, 2);
});

Deno.test("MemoryCatalog refuses a table in a namespace that is not there", async () => {
  const catalog = new MemoryCatalog({ nowMs: () => 0 });
  const schema = { type: "struct" as const, "schema-id": 0, fields: [] };
  await assertRejects(
    () => catalog.createTable({ namespace: ["a"], name: "t" }, { schema }),
    NoSuchNamespaceError,
  );
});
